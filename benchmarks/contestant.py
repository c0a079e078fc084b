# SPDX-License-Identifier: Apache-2.0
"""The bare SDK as a contestant, the base of all others, and the providers that a contestant records to.

A contestant that is off leaves the SDK as it is, so that all can take turns in one process.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from . import wire


class Telemetry(NamedTuple):
    """Real providers of OpenTelemetry's SDK. Spans go through a batch to an exporter that throws them away."""

    tracer_provider: Any
    meter_provider: Any
    metrics: Any

    @classmethod
    def of_its_own(cls) -> Telemetry:
        """Providers for one contestant alone."""
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider

        tracer_provider, reader = TracerProvider(), metric_reader()
        tracer_provider.add_span_processor(span_processor())
        return cls(tracer_provider, MeterProvider([reader]), reader)


def span_processor() -> Any:
    """A batch, and an exporter that throws it away: whenever it is full, not whenever some seconds have passed."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    return BatchSpanProcessor(Nowhere(), schedule_delay_millis=3_600_000)


def metric_reader() -> Any:
    """What collects metrics when it is asked to."""
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    return InMemoryMetricReader()


class Contestant:
    """The bare SDK, and the base of all others."""

    traced_by_sdk = False

    def __init__(self, connection: wire.Wire, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.clients = connection.clients(**self.options())

    def options(self) -> dict[str, Any]:
        """What the clients are made with."""
        if "open_telemetry" not in inspect.signature(wire.anthropic.Anthropic.__init__).parameters:
            return {}
        return {"open_telemetry": {"tracer_provider": self.telemetry.tracer_provider} if self.traced_by_sdk else False}

    def on(self) -> None:
        """Instruments the SDK."""

    def off(self) -> None:
        """Leaves the SDK as it was."""
