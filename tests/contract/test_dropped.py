# SPDX-License-Identifier: Apache-2.0
"""A stream that is dropped, or open when the process exits, is ended by itself: nothing has to be called after it."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any

import anthropic
import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from after200.faults import FaultServer

from ..support.dropped import find_dropped
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .processes import Run

LIMIT = 30.0
"""After how many seconds a test gives up: only what never comes takes as long."""


class Ended(SpanProcessor):
    """Says when a span has ended, and keeps how: nobody has to look, or to collect anything."""

    def __init__(self) -> None:
        self.outcomes: list[object] = []
        self._came = threading.Semaphore(0)

    def on_end(self, span: ReadableSpan) -> None:
        self.outcomes.append((span.attributes or {})["after200.outcome"])
        self._came.release()

    def wait_for(self, number: int) -> list[object]:
        """Returns the outcomes of the first `number` spans."""
        for _ in range(number):
            assert self._came.acquire(timeout=LIMIT), self.outcomes
        return sorted(map(str, self.outcomes))


@pytest.fixture
def ended(telemetry: Telemetry) -> Ended:
    processor = Ended()
    telemetry.tracer_provider.add_span_processor(processor)
    return processor


def create(client: anthropic.Anthropic) -> object:
    stream = client.messages.create(**REQUEST, stream=True)
    next(stream)
    return stream


def raw(client: anthropic.Anthropic) -> object:
    # Nothing is read: the generator that reads lines would close the response when it is freed.
    return client.messages.with_streaming_response.create(**REQUEST, stream=True).__enter__()


def unread(client: anthropic.Anthropic) -> object:
    return client.messages.create(**REQUEST, stream=True)


@pytest.mark.parametrize("make", [create, raw, unread])
def test_a_dropped_stream_is_ended_though_nothing_is_called_after_it(
    make: Callable[[anthropic.Anthropic], object], server: FaultServer, telemetry: Telemetry, ended: Ended
) -> None:
    with telemetry.instrumented(), anthropic.Anthropic(api_key="none", base_url=server.base_url("long")) as client:
        held = [make(client)]
        assert [] == ended.outcomes
        held.clear()
        find_dropped()
        assert ["abandoned"] == ended.wait_for(1)


def test_a_dropped_stream_of_an_event_loop_is_ended_while_the_loop_does_other_things(
    server: FaultServer, telemetry: Telemetry, ended: Ended
) -> None:
    async def drop() -> list[object]:
        async with anthropic.AsyncAnthropic(api_key="none", base_url=server.base_url("long")) as client:
            stream = await client.messages.create(**REQUEST, stream=True)
            await anext(stream)
            del stream
            find_dropped()
            return await asyncio.to_thread(ended.wait_for, 1)

    with telemetry.instrumented():
        assert ["abandoned"] == asyncio.run(drop())


def test_a_stream_that_is_read_to_its_end_is_not_recorded_before_one_that_was_dropped_for_good(
    server: FaultServer, telemetry: Telemetry, ended: Ended
) -> None:
    with telemetry.instrumented(), anthropic.Anthropic(api_key="none", base_url=server.url) as client:
        other = client.copy(base_url=server.base_url("completed")).messages.create(**REQUEST, stream=True)
        dropped = create(client.copy(base_url=server.base_url("long")))
        del dropped
        find_dropped()
        list(other)
        assert ["abandoned", "completed"] == ended.wait_for(2)


def test_a_thread_is_started_for_what_was_dropped_and_for_nothing_else_and_none_stays(
    server: FaultServer, telemetry: Telemetry, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    start = _thread.start_new_thread

    def count(function: Callable[..., object], *arguments: Any) -> int:
        started.append(function)
        return start(function, *arguments)

    with telemetry.instrumented(), anthropic.Anthropic(api_key="none", base_url=server.url) as client:
        monkeypatch.setattr(_thread, "start_new_thread", count)
        before = _thread._count()
        list(client.copy(base_url=server.base_url("completed")).messages.create(**REQUEST, stream=True))
        client.copy(base_url=server.base_url("completed")).messages.create(**REQUEST)
        with client.copy(base_url=server.base_url("long")).messages.create(**REQUEST, stream=True) as closed:
            next(closed)
        del closed
        telemetry.metrics_data()
        assert (3, []) == (len(ended.outcomes), started)
        dropped = create(client.copy(base_url=server.base_url("long")))
        del dropped
        find_dropped()
        assert "abandoned" in ended.wait_for(4)
        telemetry.metrics_data()  # Waits for the thread.
    assert (1, before) == (len(started), _thread._count())


def test_a_stream_that_is_dropped_inside_a_collection_holds_up_neither(
    server: FaultServer, telemetry: Telemetry, ended: Ended
) -> None:
    """OpenTelemetry holds a lock while it calls the callbacks, and a finalizer may run in any of them."""
    held: list[object] = []

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        if held:  # The first collection: to look at the total collects again.
            held.clear()
            find_dropped()
            assert ["abandoned"] == ended.wait_for(1)
        return [Observation(1)]

    with telemetry.instrumented(), anthropic.Anthropic(api_key="none", base_url=server.base_url("long")) as client:
        held.append(create(client))
        telemetry.meter_provider.get_meter("other").create_observable_counter("other", [observe])
        collecting = threading.Thread(target=telemetry.metrics_data, daemon=True)
        collecting.start()
        collecting.join(LIMIT)
        assert not collecting.is_alive()
        assert 1 == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})


def test_a_callback_of_the_application_that_takes_long_does_not_hold_up_the_next_dropped_stream(
    server: FaultServer, telemetry: Telemetry, ended: Ended
) -> None:
    called, go_on = threading.Event(), threading.Event()

    def slow(call: object) -> None:
        if not called.is_set():
            called.set()
            assert go_on.wait(LIMIT)

    with (
        telemetry.instrumented(on_call_end=slow),
        anthropic.Anthropic(api_key="none", base_url=server.base_url("long")) as client,
    ):
        first = create(client)
        del first
        find_dropped()
        assert called.wait(LIMIT)
        second = create(client)  # Beginning a call does not wait either.
        del second
        find_dropped()
        third = create(client)
        del third
        find_dropped()
        ended.wait_for(1)
        go_on.set()
        assert ["abandoned"] * 3 == ended.wait_for(2)


EXIT = """
    import os, sys, threading, warnings
    import anthropic
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import (
        MetricExporter, MetricExportResult, PeriodicExportingMetricReader,
    )
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from after200 import AnthropicInstrumentor

    class Spans(SpanExporter):
        def export(self, spans):
            outcomes = [span.attributes.get("after200.outcome") for span in spans]
            if any(outcomes):  # The rest are the SDK's own spans.
                print("spans", [outcome for outcome in outcomes if outcome])
            return SpanExportResult.SUCCESS

    class Metrics(MetricExporter):
        def export(self, data, timeout_millis=0, **_):
            for scope in [each for resource in data.resource_metrics for each in resource.scope_metrics]:
                for metric in scope.metrics:
                    if metric.name == "after200.calls":
                        print("calls", sorted(
                            (point.attributes["after200.outcome"], point.value)
                            for point in metric.data.data_points if point.value
                        ))
            return MetricExportResult.SUCCESS

        def force_flush(self, timeout_millis=0): return True
        def shutdown(self, timeout_millis=0, **_): pass

    def set_up():
        tracer_provider = TracerProvider()
        tracer_provider.add_span_processor(BatchSpanProcessor(Spans()))
        trace.set_tracer_provider(tracer_provider)
        metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(Metrics(), 3_600_000)]))

    request = dict(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}], stream=True)
    client = anthropic.Anthropic(api_key="none", base_url=os.environ["URL"])
    order = os.environ["ORDER"].split()
    held = []
    for step in order:
        if step == "instrument":
            AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True)
        elif step == "providers":
            set_up()
        elif step == "call":
            list(client.messages.create(**request))
        elif step == "open":
            held.append(client.messages.create(**request))
            next(held[-1])
        elif step == "fork":
            warnings.simplefilter("ignore")  # From 3.12, Python warns of each fork beside threads.
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                os._exit(0)
        elif step == "thread":
            # A thread that Python waits for at its exit: what it reads to the end is completed.
            threading.Thread(target=lambda: [threading.main_thread().join(), list(held.pop())]).start()
"""
ABANDONED = ["calls [('abandoned', 1)]", "spans ['abandoned']"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("providers instrument open", ABANDONED),
        ("instrument providers open", ABANDONED),
        # The call before the providers counts too: sums are there from the beginning. Its span is lost.
        (
            "instrument call providers open",
            ["calls [('abandoned', 1), ('completed', 1)]", "spans ['abandoned']"],
        ),
        ("instrument open providers", ["calls [('abandoned', 1)]"]),
        ("providers instrument open thread", ["calls [('completed', 1)]", "spans ['completed']"]),
        ("providers instrument fork open", ABANDONED),
    ],
)
def test_a_stream_that_is_open_at_exit_is_recorded_whatever_came_first(
    order: str, expected: list[str], run: Run, server: FaultServer
) -> None:
    assert expected == sorted(run(EXIT, URL=server.base_url("completed"), ORDER=order).splitlines())
