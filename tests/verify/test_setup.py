# SPDX-License-Identifier: Apache-2.0
"""Services that set OpenTelemetry up in their own code: `--setup MODULE:FUNCTION`, alone or under
`opentelemetry-instrument`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from opentelemetry.instrumentation import auto_instrumentation

from after200 import names
from after200.cli.receiver import Receiver
from after200.cli.verify.command import main

from .verified import Verify

SERVICE = '''
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from after200 import AnthropicInstrumentor


def providers():
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return tracer_provider, MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])


def set_up():
    tracer_provider, meter_provider = providers()
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(meter_provider)
    AnthropicInstrumentor().instrument()


def without_instrument():
    tracer_provider, meter_provider = providers()
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(meter_provider)


def not_global():
    TracerProvider(), MeterProvider()
    AnthropicInstrumentor().instrument()


def without_exporters():
    trace.set_tracer_provider(TracerProvider())
    metrics.set_meter_provider(MeterProvider())
    AnthropicInstrumentor().instrument()


def imports_what_is_not_there():
    import elsewhere


def broken():
    raise RuntimeError("no region is configured")


def with_a_neighbour():
    """A second instrumentation of the same calls, as small as can be."""
    set_up()
    import anthropic
    import wrapt

    tracer = trace.get_tracer("neighbour")
    duration = metrics.get_meter("neighbour").create_histogram("gen_ai.client.operation.duration", "s")

    def around(wrapped, instance, args, kwargs):
        attributes = {"gen_ai.request.model": kwargs["model"]}
        with tracer.start_as_current_span("chat", attributes=attributes):
            duration.record(0.1, attributes)
            return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper("anthropic.resources.messages", "Messages.create", around)


def with_a_forgetful_neighbour():
    """A second instrumentation that records the duration of calls that its application does not see fail."""
    set_up()
    import anthropic
    import wrapt

    duration = metrics.get_meter("neighbour").create_histogram("gen_ai.client.operation.duration", "s")

    def around(wrapped, instance, args, kwargs):
        for event in wrapped(*args, **kwargs):
            yield event
        if event.type == "message_stop":
            duration.record(0.1, {"gen_ai.response.model": models[-1]})

    models = []

    def remember(wrapped, instance, args, kwargs):
        models.append(kwargs["model"])
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper("anthropic.resources.messages", "Messages.create", remember)
    wrapt.wrap_function_wrapper("anthropic._streaming", "Stream.__stream__", around)


def with_a_known_neighbour():
    """A neighbour that after200 knows by name, and that these calls do not show."""
    import sys
    from types import ModuleType, SimpleNamespace

    known = ModuleType("opentelemetry.instrumentation.anthropic")
    known.AnthropicInstrumentor = SimpleNamespace(_instance=SimpleNamespace(is_instrumented_by_opentelemetry=True))
    sys.modules[known.__name__] = known
    set_up()


def with_a_filter():
    """A view that drops what dashboards need."""
    from opentelemetry.sdk.metrics.view import View

    tracer_provider, _ = providers()
    trace.set_tracer_provider(tracer_provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    views = [View(instrument_name="after200.calls", attribute_keys={"gen_ai.request.model", "after200.outcome"})]
    metrics.set_meter_provider(MeterProvider([reader], views=views))
    AnthropicInstrumentor().instrument()


def without_answers():
    """A view that drops one metric."""
    from opentelemetry.sdk.metrics.view import DropAggregation, View

    tracer_provider, _ = providers()
    trace.set_tracer_provider(tracer_provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    views = [View(instrument_name="after200.answers", aggregation=DropAggregation())]
    metrics.set_meter_provider(MeterProvider([reader], views=views))
    AnthropicInstrumentor().instrument()


def with_an_sdk_that_lacks_something():
    """As a version of the SDK that after200 does not know might."""
    from anthropic._base_client import BaseClient

    del BaseClient._calculate_retry_timeout
    set_up()


def ends_the_process():
    import os
    import sys

    print("no license", file=sys.stderr)
    os._exit(int(os.environ["STATUS"]))


def with_a_patch_on_top():
    """Somebody else's patch over one of ours, which calls through."""
    set_up()
    import anthropic._streaming
    import wrapt

    def through(wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper("anthropic._streaming", "Stream.close", through)


def with_a_patch_in_place_of_ours():
    """Somebody else puts back what was there before us."""
    from anthropic._base_client import SyncAPIClient

    before = SyncAPIClient.__dict__["request"]
    set_up()
    SyncAPIClient.request = before
'''


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to run in, with a `service` in it."""
    (tmp_path / "service.py").write_text(SERVICE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def under_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `opentelemetry-instrument` starts a program."""
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(auto_instrumentation.__file__))


def test_a_service_that_does_it_right(verify: Verify, receiver: Receiver) -> None:
    verified = verify("--setup=service:set_up")
    assert [] == verified.result["findings"]
    points = receiver.points(names.CALLS.name, {names.REQUEST_MODEL: verified.result["model"]})
    assert 5 == sum(point.value for point in points)


def test_a_service_that_forgets_to_instrument(verify: Verify) -> None:
    verified = verify("--setup=service:without_instrument")
    assert ["not_instrumented"] == verified.wrong
    assert "service:without_instrument has not instrumented the SDK" in verified.said("not_instrumented")


def test_a_service_whose_providers_are_not_global(verify: Verify) -> None:
    verified = verify("--setup=service:not_global")
    assert ["provider_not_global"] == verified.wrong
    said = verified.said("provider_not_global")
    assert "sets no global provider for traces" in said
    assert "sets no global provider for metrics" in said
    assert "instrument(tracer_provider=..., meter_provider=...)" in said


def test_a_service_whose_providers_have_no_exporter(verify: Verify) -> None:
    verified = verify("--setup=service:without_exporters")
    assert ["no_exporter"] == verified.wrong
    assert "give the service's providers an exporter" in verified.said("no_exporter")


def test_a_service_that_comes_second(verify: Verify, under_instrument: None) -> None:
    verified = verify("--setup=service:set_up")
    assert ["provider_overridden"] == verified.wrong
    said = verified.said("provider_overridden")
    assert "Overriding of current TracerProvider is not allowed" in said
    assert "Overriding of current MeterProvider is not allowed" in said


@pytest.mark.parametrize(
    ("setup", "error"),
    [
        ("service:broken", "RuntimeError: no region is configured"),
        ("service:imports_what_is_not_there", "ModuleNotFoundError: No module named 'elsewhere'"),
    ],
)
def test_a_set_up_that_fails(verify: Verify, setup: str, error: str) -> None:
    verified = verify(f"--setup={setup}")
    assert ["set_up_failed"] == verified.wrong
    said = verified.said("set_up_failed")
    assert f"OpenTelemetry could not be set up: {error}" in said
    assert "PROMETHEUS" not in said


@pytest.mark.parametrize(
    ("setup", "error"),
    [
        ("service:absent", "module 'service' has no 'absent'"),
        ("nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_set_up_that_is_not_there(verify: Verify, setup: str, error: str) -> None:
    verified = verify(f"--setup={setup}")
    assert ["setup_not_found"] == verified.wrong
    assert f"--setup names what is not there: {error}. Run it in the folder" in verified.said("setup_not_found")


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_set_up_that_ends_the_process(
    status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATUS", str(status))
    assert 1 == main(["--setup=service:ends_the_process"])
    printed = capfd.readouterr()
    assert "no license" in printed.err
    assert f"after200 verify: the process that was to be checked ended by itself, with status {status}," in printed.err
    assert "" == printed.out


def test_an_sdk_that_lacks_a_place_to_listen_at(verify: Verify) -> None:
    verified = verify("--setup=service:with_an_sdk_that_lacks_something")
    assert ["warned"] == verified.wrong
    said = verified.said("warned")
    assert "after200 does not find anthropic._base_client.BaseClient._calculate_retry_timeout" in said


def test_a_second_instrumentation_of_the_same_calls(verify: Verify) -> None:
    verified = verify("--setup=service:with_a_neighbour")
    assert ([], ["counted_twice", "two_spans"]) == (verified.wrong, verified.notes)
    said = verified.said("counted_twice")
    assert (
        "neighbour records gen_ai.client.operation.duration of the same calls (5 of 5 calls in its durations)" in said
    )
    assert "Sum only the series whose otel.scope.name is after200" in said
    said = verified.said("two_spans")
    assert "neighbour makes spans of the same calls" in said
    assert "OTEL_INSTRUMENTATION_AFTER200_SPANS=none" in said


def test_a_second_instrumentation_that_misses_calls_is_said_to(verify: Verify) -> None:
    verified = verify("--setup=service:with_a_forgetful_neighbour")
    assert ["counted_twice"] == verified.notes
    assert "(2 of 5 calls in its durations)" in verified.said("counted_twice")


def test_metrics_that_only_the_other_records_are_not_counted_twice(verify: Verify) -> None:
    settings = {"OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS": "false"}
    verified = verify("--setup=service:with_a_forgetful_neighbour", settings=settings)
    assert [] == verified.result["findings"]


def test_an_instrumentation_that_is_active_and_records_nothing_of_them_is_not_mentioned(verify: Verify) -> None:
    assert [] == verify("--setup=service:with_a_known_neighbour").result["findings"]


def test_a_view_that_drops_attributes(verify: Verify) -> None:
    verified = verify("--setup=service:with_a_filter")
    assert ["different"] == verified.wrong
    said = verified.said("different")
    assert "metrics, missing: completed, status 200, wire status 200" in said
    assert "a view or a filter" in said


def test_without_answers_a_refusal_looks_like_a_good_call(verify: Verify) -> None:
    verified = verify("--setup=service:without_answers")
    assert ["different"] == verified.wrong
    assert "metrics, missing: complete, refused; metrics, not expected: nothing" in verified.said("different")
    assert {"traces": [True] * 5, "metrics": [False, False, True, True, True]} == verified.recorded


def test_a_patch_over_ours_that_calls_through_is_harmless(verify: Verify) -> None:
    assert [] == verify("--setup=service:with_a_patch_on_top").result["findings"]


def test_a_patch_in_place_of_ours(verify: Verify) -> None:
    verified = verify("--setup=service:with_a_patch_in_place_of_ours")
    assert ["different"] == verified.wrong
    assert {"traces": [False] * 5, "metrics": [False] * 5} == verified.recorded
    assert "does other code patch the SDK" in verified.said("different")
