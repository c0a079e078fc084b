# SPDX-License-Identifier: Apache-2.0
"""A tracer, a meter, a logger or a hook of ours that raises: the application goes on as if the package were not there.

Each place is named in one warning, however often it raises.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry.context import attach, get_current
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from after200 import AnthropicInstrumentor
from after200.signals.instruments import instruments_of

from ..support.patience import PATIENCE_S
from ..support.streams.application import Application
from ..support.streams.surfaces import SURFACE_OF
from ..support.telemetry import Telemetry, described

SCENARIOS = ("completed", "overloaded_error_mid_stream", "reset_mid_stream", "http_529", "http_503_then_completed")
SURFACES = tuple(
    SURFACE_OF[name]
    for name in (
        "messages.create(stream=True)",
        "messages.with_streaming_response.iter_lines",
        "messages.create",
        "messages.with_streaming_response.read",
    )
)
CREATE = SURFACE_OF["messages.create(stream=True)"]


class InjectedError(Exception):
    """What a fault of ours raises in these tests."""


def broken(*args: Any, **kwargs: Any) -> Any:
    raise InjectedError("injected")


class Broken:
    """Stands for `inner`, but for the methods that raise."""

    def __init__(self, inner: Any, methods: set[str], **replaced: Any) -> None:
        self._inner = inner
        self._replaced = {**dict.fromkeys(methods, broken), **replaced}

    def __getattr__(self, attribute: str) -> Any:
        return self._replaced[attribute] if attribute in self._replaced else getattr(self._inner, attribute)


def broken_tracer_provider(methods: set[str]) -> Any:
    """A provider whose spans and tracers raise in `methods`."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("broken")

    def start_span(*args: Any, **kwargs: Any) -> Any:
        return Broken(tracer.start_span(*args, **kwargs), methods)

    replaced = {} if "start_span" in methods else {"start_span": start_span}
    return Broken(None, methods, get_tracer=lambda *args, **kwargs: Broken(tracer, methods, **replaced))


def broken_meter_provider(methods: set[str]) -> Any:
    """A provider whose meters and instruments raise in `methods`."""
    meter = MeterProvider(shutdown_on_exit=False).get_meter("broken")

    def create_histogram(*args: Any, **kwargs: Any) -> Any:
        return Broken(meter.create_histogram(*args, **kwargs), methods)

    replaced = {} if "create_histogram" in methods else {"create_histogram": create_histogram}
    return Broken(None, methods, get_meter=lambda *args, **kwargs: Broken(meter, methods, **replaced))


MODES = ("sync", "async")


@pytest.fixture(scope="module")
def bare(_application: Application) -> dict[tuple[str, str, str], Any]:
    """What the application sees without the package."""
    return played(_application)


def played(application: Application, *modes: str) -> dict[tuple[str, str, str], Any]:
    """Everything there is to see, in every scenario, on every surface, sync and async."""
    return {
        (scenario, surface.name, mode): application.play(scenario, surface, mode, max_retries=1).whole
        for scenario in SCENARIOS
        for surface in SURFACES
        for mode in modes or MODES
        # Trying again after a reset takes half a second of the SDK's.
        if not (scenario == "reset_mid_stream" and not surface.stream)
    }


def one_warning_for_each_place(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The places that were warned of. Each once, by the package's logger, and nothing else was logged."""
    messages = [record.getMessage() for record in caplog.records]
    assert {("after200", "WARNING")} == {(record.name, record.levelname) for record in caplog.records}
    assert len(set(messages)) == len(messages)
    assert all(message.startswith("after200 failed in ") for message in messages)
    return [message.removeprefix("after200 failed in ").partition(". ")[0] for message in messages]


# --- tracers, meters, loggers ---


@pytest.mark.parametrize(
    "method",
    ["start_span", "is_recording", "set_attributes", "set_status", "end", "get_span_context"],
)
def test_a_tracer_that_raises_changes_nothing_and_metrics_go_on(
    method: str,
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with telemetry.instrumented(tracer_provider=broken_tracer_provider({method})):
        assert bare == played(application)
    assert one_warning_for_each_place(caplog)
    assert len(bare) == telemetry.total("after200.calls")
    assert 0 == telemetry.total("after200.streams.open")
    failed = sum(scenario not in ("completed", "http_503_then_completed") for scenario, _, _ in bare)
    assert failed == len(telemetry.logged())


@pytest.mark.parametrize("method", ["set_attributes", "set_status", "is_recording"])
def test_a_span_that_cannot_be_written_to_is_ended_all_the_same(
    method: str, application: Application, telemetry: Telemetry
) -> None:
    def start_span(*args: Any, **kwargs: Any) -> Any:
        return Broken(tracer.start_span(*args, **kwargs), {method})

    tracer = telemetry.tracer_provider.get_tracer("half broken")
    provider = Broken(None, set(), get_tracer=lambda *args, **kwargs: Broken(tracer, set(), start_span=start_span))
    with telemetry.instrumented(tracer_provider=provider):
        application.play("overloaded_error_mid_stream", CREATE, "sync")
    assert [] == telemetry.open_spans
    assert 1 == len(telemetry.spans)


@pytest.mark.parametrize("method", ["create_histogram", "create_observable_counter", "get_meter"])
def test_a_meter_that_cannot_make_instruments_leaves_the_application_alone(
    method: str,
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = broken_meter_provider({method})
    if method == "get_meter":
        provider = Broken(None, {"get_meter"})
    with telemetry.instrumented(meter_provider=provider):
        assert bare == played(application)
    assert 1 == len(one_warning_for_each_place(caplog))


def test_a_histogram_that_raises_changes_nothing_and_spans_go_on(
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("after200.signals.deferred.WAITING", 10)
    meter_provider = broken_meter_provider({"record"})
    with telemetry.instrumented(meter_provider=meter_provider, chunk_timing=True):
        assert bare == played(application)
        instruments_of(meter_provider).deferred.points._recording.wait(PATIENCE_S)
    assert one_warning_for_each_place(caplog)
    assert len(bare) == len(telemetry.spans)
    assert [] == telemetry.open_spans


@pytest.mark.parametrize("method", ["get_logger", "emit"])
def test_a_logger_that_raises_changes_nothing(
    method: str,
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = Broken(telemetry.logger_provider.get_logger("broken"), {"emit"})
    provider = Broken(None, {method}, **({} if method == "get_logger" else {"get_logger": lambda *_, **__: logger}))
    with telemetry.instrumented(logger_provider=provider):
        assert bare == played(application)
    assert 1 == len(one_warning_for_each_place(caplog))
    if method == "emit":
        assert (len(bare), len(bare)) == (len(telemetry.spans), telemetry.total("after200.calls"))


# --- what is our own ---

PLACES = (
    "after200.call.record.Call.__init__",
    "after200.call.record.Call.learn",
    "after200.call.record.Progress.chunk",
    "after200.call.events.decode",
    "after200.call.messages.find_error",
    "after200.call.messages.read_usage",
    "after200.call.documents.read_whole",
    "after200.hooks.sdk.answers.read_whole",
    "after200.call.lines.LineSplitter.feed",
    "after200.call.documents.Document.add",
    "after200.following.running.RunningCall.__init__",
    "after200.following.attempts.Attempts.begin",
    "after200.following.attempts.Attempts.answer",
    "after200.following.attempts.Attempts.lose",
    "after200.following.running.RunningCall.begin_stream",
    "after200.following.running.RunningCall.learn",
    "after200.following.running.RunningCall.settle",
    "after200.following.running.RunningCall.publish",
    "after200.following.running.judge",
    "after200.following.running.ended",
    "after200.hooks.sdk.request_facts.find_endpoint",
    "after200.hooks.sdk.request_facts.provider_name",
    "after200.hooks.sdk.request_facts.parameters_of",
    "after200.hooks.sdk.requests.requested_model",
    "after200.hooks.sdk.requests.end_dropped",
    "after200.following.beginning.end_at_exit",
    "after200.hooks.sdk.answers.find_response",
    "after200.hooks.sdk.answers.read_message",
    "after200.hooks.sdk.results.follow_body",
    "after200.hooks.sdk.answers.read_exception",
    "after200.following.reading.read_exception",
    "after200.following.answers.read_rate_limits",
    "after200.following.bodies.follow",
    "after200.hooks.sdk.streams.find",
    "after200.hooks.sdk.delivered_events.find",
    "after200.hooks.sdk.wire_events.read_event",
    "after200.following.reading.state_of",
    "after200.following.reading.decide",
    "after200.following.feeds.BodyFeed.__init__",
    "after200.following.feeds.reader_for",
    "after200.following.feeds.Beginning.feed",
    "after200.signals.attributes.call_key",
    "after200.signals.attributes.convention_attributes",
    "after200.signals.attributes.token_parts",
    "after200.signals.spans.start_attributes",
    "after200.signals.spans.response_attributes",
    "after200.signals.deferred.Sum.add",
    "after200.signals.deferred.Points.add",
    "after200.signals.bounds.Bounds.model",
    "after200.signals.recording.bounded",
    "after200.signals.Signals.begin",
    "after200.signals.Metrics.begin",
    "after200.signals.Metrics.end",
    "after200.signals.Logs.end",
    "after200.signals.Spans.begin",
    "after200.signals.Spans.end",
    "after200.signals.recording.Recording.begin",
    "after200.signals.spans.SpanHandle.enter",
)


@pytest.mark.variants(covers=lambda place, mode: [place] if mode == MODES[PLACES.index(place) % 2] else [])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", PLACES)
def test_a_hook_of_ours_that_raises_changes_nothing(
    place: str,
    mode: str,
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(place, broken)
    with telemetry.instrumented():
        assert {key: seen for key, seen in bare.items() if key[-1] == mode} == played(application, mode)
    assert one_warning_for_each_place(caplog)


def test_a_span_that_cannot_be_left_changes_nothing_that_is_read(
    application: Application,
    telemetry: Telemetry,
    bare: dict[tuple[str, str, str], Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = get_current()
    monkeypatch.setattr("after200.signals.spans.SpanHandle.leave", broken)
    with telemetry.instrumented():
        assert bare == played(application)
    assert one_warning_for_each_place(caplog)
    attach(before)  # What cannot be left stays current.


def test_signals_that_fail_are_told_apart_and_the_others_go_on(
    application: Application, telemetry: Telemetry, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("after200.signals.attributes.call_key", broken)
    monkeypatch.setattr("after200.signals.spans.response_attributes", broken)
    with telemetry.instrumented():
        application.play("overloaded_error_mid_stream", CREATE, "sync")
    assert {
        "after200.signals.recording.Recording._begin_metrics",
        "after200.signals.recording.Recording._end_metrics",
        "after200.signals.recording.Recording._end_span",
    } == set(one_warning_for_each_place(caplog))
    assert ["overloaded_error"] == [record["error.type"] for record in telemetry.logged()]
    assert ([], 1) == (telemetry.open_spans, len(telemetry.spans))


def test_after_a_fault_the_next_call_is_recorded_as_if_there_had_been_none(
    application: Application, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with telemetry.instrumented():
        with monkeypatch.context() as patched:
            patched.setattr("after200.call.record.Progress.chunk", broken)
            application.play("completed", CREATE, "sync")
        application.play("completed", CREATE, "sync")
    assert [("completed", 0), ("completed", 4)] == [
        (found["after200.outcome"], found["after200.stream.chunks"])
        for found in (described(span) for span in telemetry.spans)
    ]


def test_a_setting_that_cannot_be_read_leaves_the_process_uninstrumented_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("after200.instrumentor.read_settings", broken)
    with caplog.at_level(logging.WARNING):
        AnthropicInstrumentor().instrument(skip_dep_check=True)
        AnthropicInstrumentor().uninstrument()
    assert ["after200.instrumentor.AnthropicInstrumentor._instrument"] == one_warning_for_each_place(caplog)
