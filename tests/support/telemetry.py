# SPDX-License-Identifier: Apache-2.0
"""A real OpenTelemetry SDK that keeps everything in memory, and the ways in which tests look at it.

A series is written as one text, `metric{attribute=value, ...}`, so that what is there and what should be there can be
compared as two dictionaries, and a difference reads like one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from after200 import AnthropicInstrumentor

# Its name has changed between releases of the OpenTelemetry SDK.
InMemoryLogExporter: Any = getattr(log_export, "InMemoryLogRecordExporter", None) or log_export.InMemoryLogExporter


class Seconds:
    """Equal to any time that a test could have taken."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seconds) or (isinstance(other, float) and 0 <= other < 60)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "SECONDS"


SECONDS = Seconds()


def series(metric: str, attributes: Mapping[str, Any]) -> str:
    """The text of one series."""
    return f"{metric}{{{', '.join(f'{name}={value!r}' for name, value in sorted(attributes.items()))}}}"


class OpenSpans(SpanProcessor):
    """Counts the spans that have started and not ended."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        assert span.context is not None
        self.names[span.context.span_id] = span.name

    def on_end(self, span: ReadableSpan) -> None:
        assert span.context is not None
        del self.names[span.context.span_id]


class Telemetry:
    """The providers of one test, and what was recorded with them."""

    def __init__(self, temporality: str = "cumulative") -> None:
        self._exporter = InMemorySpanExporter()
        self._open = OpenSpans()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer_provider.add_span_processor(self._open)
        self._is_delta = temporality == "delta"
        delta = dict.fromkeys((Counter, Histogram, ObservableCounter), AggregationTemporality.DELTA)
        self._reader = InMemoryMetricReader(delta if temporality == "delta" else None)  # type: ignore[arg-type]
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self._log_exporter = InMemoryLogExporter()
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(self._log_exporter))

    @contextmanager
    def instrumented(self, **settings: Any) -> Iterator[None]:
        """The SDK instrumented with these providers. Spans are the package's own unless `settings` say otherwise."""
        instrumentor = AnthropicInstrumentor()
        providers = {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }
        instrumentor.instrument(**{"skip_dep_check": True, "spans": "own", **providers, **settings})
        try:
            yield
        finally:
            instrumentor.uninstrument()

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order in which they did."""
        self._collect()
        return list(self._exporter.get_finished_spans())

    @property
    def open_spans(self) -> list[str]:
        """The names of the spans that have not."""
        self._collect()
        return list(self._open.names.values())

    def _collect(self) -> None:
        """Collects the metrics, as an exporter does now and then: that ends what the application dropped."""
        if not self._is_delta:
            self._reader.get_metrics_data()

    def logged(self) -> list[dict[str, Any]]:
        """Everything of each log record that the package decides on, flat."""
        return [
            {"event": record.event_name, "severity": record.severity_text, **record.attributes}
            for record in self.log_records()
        ]

    def log_records(self) -> list[Any]:
        """The log records, as the OpenTelemetry SDK holds them."""
        return [entry.log_record for entry in self.finished_logs()]

    def finished_logs(self) -> tuple[Any, ...]:
        """The same, with where they come from: what an exporter is given."""
        finished: tuple[Any, ...] = self._log_exporter.get_finished_logs()
        return finished

    def metrics_data(self) -> Any:
        """What an exporter of metrics is given."""
        return self._reader.get_metrics_data()

    def points(self) -> dict[str, Any]:
        """Every point of every metric: a sum's value, and of a histogram how many values and, for tokens, their sum."""
        points: dict[str, Any] = {}
        for metric, point in self.data_points():
            if not hasattr(point, "count"):
                value: Any = SECONDS if metric.unit == "s" and point.value == SECONDS else point.value
            elif metric.unit == "s":
                value = point.count
            else:
                value = (point.count, point.sum)
            points[series(metric.name, point.attributes)] = value
        return points

    def data_points(self) -> Iterator[tuple[Any, Any]]:
        """Every metric with each of its points, as the OpenTelemetry SDK holds them."""
        data = self.metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric, point

    def total(self, metric: str, attributes: Mapping[str, Any] | None = None) -> float:
        """The sum of the points of `metric` that have these attributes."""
        wanted = (attributes or {}).items()
        return sum(
            point.value if hasattr(point, "value") else point.count
            for found, point in self.data_points()
            if found.name == metric and wanted <= dict(point.attributes).items()
        )


def described(span: ReadableSpan) -> dict[str, Any]:
    """Everything of a span that the package decides on, flat."""
    assert span.attributes is not None
    return {
        "name": span.name,
        "kind": span.kind.name,
        "status": span.status.status_code.name,
        "description": span.status.description,
        "events": [event.name for event in span.events],
        **span.attributes,
    }
