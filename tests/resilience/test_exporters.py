# SPDX-License-Identifier: Apache-2.0
"""An exporter that is down or slow, and span processors that raise: the calls do not wait, fail or change for them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from after200.signals.deferred import MOST_WAITING, WAITING
from after200.signals.instruments import instruments_of

from ..support.in_memory.trace import Trace
from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from ..support.telemetry import Telemetry
from .watching import CALLS, Logged, watch, watch_all

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def nobody_there() -> str:
    """The URL of a port that refuses connections."""
    return f"http://127.0.0.1:{free_port()}"


def test_with_an_exporter_that_is_down_the_application_sees_no_difference(
    bare: list[Trace], telemetry: Telemetry, nobody_there: str, logged: Logged
) -> None:
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    spans = OTLPSpanExporter(f"{nobody_there}/v1/traces", timeout=0.2)
    tracer_provider.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=20))
    metrics = OTLPMetricExporter(f"{nobody_there}/v1/metrics", timeout=0.2)
    reader = PeriodicExportingMetricReader(metrics, 20, 300)
    meter_provider = MeterProvider([reader], shutdown_on_exit=False)
    with telemetry.instrumented(tracer_provider=tracer_provider, meter_provider=meter_provider):
        assert bare == watch_all()
    meter_provider.shutdown()
    tracer_provider.shutdown()
    assert [] == [record for record in logged.records if record.name.startswith("after200")]


class Stuck(SpanExporter, MetricExporter):  # type: ignore[misc]
    """An exporter that does not come back before it is let go."""

    def __init__(self) -> None:
        MetricExporter.__init__(self)
        self.called = threading.Event()
        self.let_go = threading.Event()
        self.threads: set[int] = set()

    def export(self, *args: Any, **kwargs: Any) -> Any:
        self.threads.add(threading.get_ident())
        self.called.set()
        self.let_go.wait()
        return self.result

    result: Any = None

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        pass

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True


class StuckSpans(Stuck):
    result = SpanExportResult.SUCCESS


class StuckMetrics(Stuck):
    result = MetricExportResult.SUCCESS


def test_calls_do_not_wait_for_an_exporter_that_is_slow_and_what_waits_is_bounded(
    bare: list[Trace], telemetry: Telemetry, logged: Logged
) -> None:
    spans, metrics = StuckSpans(), StuckMetrics()
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(
        BatchSpanProcessor(spans, max_queue_size=64, max_export_batch_size=8, schedule_delay_millis=20)
    )
    meter_provider = MeterProvider([PeriodicExportingMetricReader(metrics, 20, 10_000)], shutdown_on_exit=False)
    with telemetry.instrumented(tracer_provider=tracer_provider, meter_provider=meter_provider):
        watch(CALLS[0])
        # Both are in the middle of an export while all these calls are made.
        assert spans.called.wait(PATIENCE_S)
        assert metrics.called.wait(PATIENCE_S)
        assert bare == watch_all()
        made = 0
        while made * 4 < WAITING:
            watch(CALLS[0])
            made += 1
        assert len(instruments_of(meter_provider).deferred.points._waiting) <= MOST_WAITING
    assert threading.get_ident() not in spans.threads | metrics.threads
    spans.let_go.set()
    metrics.let_go.set()
    meter_provider.shutdown()
    tracer_provider.shutdown()
    assert [] == [record for record in logged.records if record.name.startswith("after200")]


class Raising(SpanProcessor):
    """A span processor that raises where `method` says."""

    def __init__(self, method: str) -> None:
        self._method = method

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if self._method == "on_start":
            raise RuntimeError("the processor's own fault")

    def on_end(self, span: ReadableSpan) -> None:
        if self._method == "on_end":
            raise RuntimeError("the processor's own fault")


@pytest.mark.parametrize("method", ["on_start", "on_end"])
def test_with_a_span_processor_that_raises_the_application_sees_no_difference(
    method: str, bare: list[Trace], telemetry: Telemetry, logged: Logged
) -> None:
    telemetry.tracer_provider.add_span_processor(Raising(method))
    with telemetry.instrumented():
        assert bare == watch_all()
    # One line for the place, and not one for each of the calls.
    assert 1 == len(logged.messages)
    assert "after200 failed in after200.signals." in logged.messages[0]
    assert len(CALLS) == telemetry.total("after200.calls")
    assert 0 == telemetry.total("after200.streams.open")
