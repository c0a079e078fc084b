# SPDX-License-Identifier: Apache-2.0
"""What was recorded in a test: `RecordedTelemetry` instruments the SDK with providers of its own and keeps everything.

    with RecordedTelemetry() as telemetry:
        ask_claude()
    assert telemetry.calls[0].failure == "overloaded"

Calls, points and log records come out as plain values. Needs `opentelemetry-sdk`; for tests, never production.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from after200 import names
from after200.instrumentor import AnthropicInstrumentor

# Its name has changed between releases of the OpenTelemetry SDK.
_InMemoryLogs: Any = getattr(log_export, "InMemoryLogRecordExporter", None) or getattr(
    log_export, "InMemoryLogExporter", None
)


@dataclass(frozen=True)
class RecordedCall:
    """A call that has ended, as its span says it. What is absent there is None here."""

    outcome: str
    phase: str | None
    failure: str | None
    error_type: str | None
    status: int | None
    """The corrected status code; the wire's, for a call that did not fail."""
    wire_status: int | None
    retryable: bool | None
    message: str | None
    """The provider's, for a call that failed."""
    model: str | None
    request_id: str | None
    chunks: int | None
    attributes: Mapping[str, Any]
    """Everything on the span."""


@dataclass(frozen=True)
class RecordedPoint:
    """One series of a metric. `value` is a counter's number, or a histogram's sum; `count` is None for counters."""

    metric: str
    attributes: Mapping[str, Any]
    value: float
    count: int | None


class RecordedTelemetry:
    """The SDK, instrumented into memory. `settings` are keywords of `AnthropicInstrumentor().instrument()`.

    Spans are after200's own unless `spans` says otherwise: the SDK's own span goes to the global provider.
    Raises `RuntimeError` when the SDK is instrumented already: what is recorded would go elsewhere.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = {"spans": "own", **settings}
        self._spans, self._reader, self._logs = InMemorySpanExporter(), self._metric_reader(), _InMemoryLogs()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(self._logs))

    def __enter__(self) -> RecordedTelemetry:
        instrumentor = AnthropicInstrumentor()
        if instrumentor.is_instrumented_by_opentelemetry:
            raise RuntimeError(
                "the anthropic SDK is instrumented already, so what is recorded goes elsewhere: "
                "call AnthropicInstrumentor().uninstrument() first"
            )
        providers = {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }
        instrumentor.instrument(**{**providers, **self._settings})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        AnthropicInstrumentor().uninstrument()

    def _metric_reader(self) -> InMemoryMetricReader:
        """What collects the metrics."""
        return InMemoryMetricReader()

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in that order. That of a stream which was dropped ends here at the latest."""
        self._end_dropped()
        return list(self._spans.get_finished_spans())

    def _end_dropped(self) -> None:
        """Collects the metrics, as an exporter does now and then: that ends the calls whose streams were dropped."""
        self._reader.get_metrics_data()

    @property
    def calls(self) -> list[RecordedCall]:
        """The calls that have ended, in that order."""
        return [_call(span) for span in self.spans if names.OUTCOME in (span.attributes or {})]

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The attributes of each log record: one for each call that failed."""
        return [dict(entry.log_record.attributes or {}) for entry in self._logs.get_finished_logs()]

    def points(self, metric: str, where: Mapping[str, Any] | None = None) -> list[RecordedPoint]:
        """The series of a metric; `where` names attributes that they are to have."""
        wanted = (where or {}).items()
        return [
            point for point in self._points() if point.metric == metric and wanted <= dict(point.attributes).items()
        ]

    def total(self, metric: str, where: Mapping[str, Any] | None = None) -> float:
        """Their values added up; of a histogram, how many values it was given."""
        return sum(point.value if point.count is None else point.count for point in self.points(metric, where))

    def _points(self) -> Iterator[RecordedPoint]:
        for metric, point in self._data_points():
            count = getattr(point, "count", None)
            value = getattr(point, "value", None) if count is None else getattr(point, "sum", None)
            yield RecordedPoint(metric.name, dict(point.attributes or {}), float(value or 0), count)

    def _data_points(self) -> Iterator[tuple[Any, Any]]:
        """Every metric with each of its points, as the OpenTelemetry SDK holds them."""
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric, point


def _call(span: ReadableSpan) -> RecordedCall:
    attributes: Any = dict(span.attributes or {})
    return RecordedCall(
        outcome=attributes[names.OUTCOME],
        phase=attributes.get(names.PHASE),
        failure=attributes.get(names.FAILURE),
        error_type=attributes.get(names.ERROR_TYPE),
        status=attributes.get(names.HTTP_STATUS),
        wire_status=attributes.get(names.WIRE_STATUS),
        retryable=attributes.get(names.RETRYABLE),
        message=span.status.description,
        model=attributes.get(names.REQUEST_MODEL),
        request_id=attributes.get(names.ANTHROPIC_REQUEST_ID),
        chunks=attributes.get(names.STREAM_CHUNKS),
        attributes=attributes,
    )
