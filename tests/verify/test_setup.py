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


def with_an_sdk_that_lacks_something():
    """As a version of the SDK that after200 does not know might."""
    from anthropic._base_client import BaseClient

    del BaseClient._calculate_retry_timeout
    set_up()


def ends_the_process():
    import os
    import sys

    print("no license", file=sys.stderr)
    os._exit(3)


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
    verified = verify(setup="service:set_up")
    assert [] == verified.findings
    points = receiver.points(names.CALLS.name, {names.REQUEST_MODEL: verified.seen.model})
    assert 4 == sum(point.value for point in points)


def test_a_service_that_forgets_to_instrument(verify: Verify) -> None:
    verified = verify(setup="service:without_instrument")
    assert ["not_instrumented"] == verified.wrong
    said = verified.said("not_instrumented")
    assert "service:without_instrument does not call AnthropicInstrumentor().instrument()" in said


def test_a_service_whose_providers_are_not_global(verify: Verify) -> None:
    verified = verify(setup="service:not_global")
    assert ["provider_not_global"] == verified.wrong
    said = verified.said("provider_not_global")
    assert "sets no global provider for traces and metrics" in said
    assert "instrument(tracer_provider=..., meter_provider=...)" in said


def test_a_service_whose_providers_have_no_exporter(verify: Verify) -> None:
    verified = verify(setup="service:without_exporters")
    assert ["no_traces_exporter", "no_metrics_exporter"] == verified.wrong
    assert "Give the provider that service:without_exporters makes an exporter" in verified.said("no_traces_exporter")


def test_a_service_that_comes_second(verify: Verify, under_instrument: None) -> None:
    verified = verify(setup="service:set_up")
    assert ["provider_overridden"] == verified.wrong
    said = verified.said("provider_overridden")
    assert "its own MeterProvider and TracerProvider" in said
    assert "opentelemetry-instrument was there first" in said


@pytest.mark.parametrize(
    ("setup", "error"),
    [
        ("service:broken", "RuntimeError: no region is configured"),
        ("service:absent", "AttributeError: module 'service' has no attribute 'absent'"),
        ("nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_a_set_up_that_fails(verify: Verify, setup: str, error: str) -> None:
    verified = verify(setup=setup)
    assert ["set_up_failed"] == verified.wrong
    assert f"Setting OpenTelemetry up failed: {error}" in verified.said("set_up_failed")


def test_a_set_up_that_ends_the_process(verify: Verify) -> None:
    verified = verify(setup="service:ends_the_process")
    assert ["probe_failed"] == verified.wrong
    assert "its last words were:\nno license" in verified.said("probe_failed")


def test_an_sdk_that_lacks_a_place_to_listen_at(verify: Verify) -> None:
    verified = verify(setup="service:with_an_sdk_that_lacks_something")
    assert ["hooks_missing"] == verified.wrong
    said = verified.said("hooks_missing")
    assert "1 hooks are not in place" in said
    assert "anthropic._base_client.BaseClient._calculate_retry_timeout" in said


def test_a_second_instrumentation_of_the_same_calls(verify: Verify) -> None:
    verified = verify(setup="service:with_a_neighbour")
    assert ([], ["counted_twice"]) == (verified.wrong, verified.notes)
    said = verified.said("counted_twice")
    assert "neighbour records the same calls (metrics, traces)" in said
    assert "OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS=false" in said
    assert "OTEL_INSTRUMENTATION_AFTER200_SPANS=none" in said


def test_a_neighbour_that_after200_knows(verify: Verify) -> None:
    verified = verify(setup="service:with_a_known_neighbour")
    assert ([], ["counted_twice"]) == (verified.wrong, verified.notes)
    assert "opentelemetry-instrumentation-anthropic records gen_ai.client.operation.duration" in verified.said(
        "counted_twice"
    )


def test_a_view_that_drops_attributes(verify: Verify) -> None:
    verified = verify(setup="service:with_a_filter")
    assert ["metrics_differ"] == verified.wrong
    said = verified.said("metrics_differ")
    assert "missing: completed, 200 (wire 200)" in said
    assert "a view or a filter" in said


def test_a_patch_over_ours(verify: Verify) -> None:
    verified = verify(setup="service:with_a_patch_on_top")
    assert ([], ["hooks_covered"]) == (verified.wrong, verified.notes)
    assert "anthropic._streaming.Stream.close" in verified.said("hooks_covered")


def test_a_patch_in_place_of_ours(verify: Verify) -> None:
    verified = verify(setup="service:with_a_patch_in_place_of_ours")
    assert (["traces_differ", "metrics_differ"], ["hooks_covered"]) == (verified.wrong, verified.notes)
