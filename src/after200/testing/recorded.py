# SPDX-License-Identifier: Apache-2.0
"""What was recorded in a test: `RecordedTelemetry` instruments the SDK with providers of its own and keeps everything.

    with RecordedTelemetry() as telemetry:
        ask_claude()
    assert telemetry.calls[0].failure == "overloaded"

Calls, points and log records come out as plain values. Needs `opentelemetry-sdk`; for tests, never production.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from after200 import names
from after200.call.ended import EndedCall
from after200.instrumentor import AnthropicInstrumentor
from after200.settings import read_settings

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
    error_code: str | None = None
    """The provider's `error.details.error_code`."""
    answer: str | None = None
    """What a completed call was answered: one of `names.ANSWERS`."""
    refusal_category: str | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)
    """The tokens by type, `names.TOKEN_TYPES`, as far as the provider reported them; also of a call that failed."""
    attempts: tuple[int | None, ...] = ()
    """The status of each HTTP request of the call; None for one without a response."""
    duration: float | None = None
    """Seconds from the call of the SDK to the call's end."""
    time_to_first_chunk: float | None = None
    """Seconds to the first chunk with content; None without one."""
    time_to_first_text: float | None = None
    longest_gap: float | None = None
    """Seconds of the longest silence in the stream."""
    retry_wait: float | None = None
    """Seconds that the SDK waited between attempts; None when it did not."""


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
        self._ended: dict[int, EndedCall] = {}
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
        given = self._settings.get("on_call_end")
        settings = dict(self._settings)
        if given is None or (callable(given) and not inspect.iscoroutinefunction(given)):
            settings["on_call_end"] = self._keep_and_pass_on(given)
        instrumentor.instrument(**{**providers, **settings})
        return self

    def _keep_and_pass_on(self, on_call_end: Callable[[EndedCall], object] | None) -> Callable[[EndedCall], object]:
        """Returns a function that keeps the record of each call, by its span, and then calls `on_call_end`."""

        def keep(call: EndedCall) -> None:
            self._ended[trace.get_current_span().get_span_context().span_id] = call
            if on_call_end is not None:
                on_call_end(call)

        return keep

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
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
        return [
            _call(span, self._ended.get(span.context.span_id) if span.context is not None else None)
            for span in self.spans
            if names.OUTCOME in (span.attributes or {})
        ]

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The attributes of each log record: one for each call that failed."""
        return [dict(entry.log_record.attributes or {}) for entry in self._logs.get_finished_logs()]

    def points(self, metric: str, where: Mapping[str, Any] | None = None) -> list[RecordedPoint]:
        """The series of a metric; `where` names attributes that they are to have.

        Raises `ValueError` for a metric or an attribute that does not exist: a typing error would be a 0 for ever.
        """
        recorded = list(self._points())
        series = [point for point in recorded if point.metric == metric]
        _refuse_unknown("metric", metric, {each.name for each in names.METRICS}, {each.metric for each in recorded})
        known = set(next((each.attributes for each in names.METRICS if each.name == metric), ()))
        known |= {name for point in series for name in point.attributes}
        for attribute in (where or {}).keys() - known:
            _refuse_unknown(f"attribute of {metric}", attribute, known, {*read_settings(self._settings).metric_baggage})
        wanted = (where or {}).items()
        return [point for point in series if wanted <= dict(point.attributes).items()]

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


def _refuse_unknown(kind: str, name: str, known: set[str], recorded: set[str]) -> None:
    """Raises `ValueError` with the nearest names where `name` is neither known nor recorded."""
    if name in known or name in recorded:
        return
    near = difflib.get_close_matches(name, sorted(known | recorded), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(sorted(known))}"
    raise ValueError(f"there is no {kind} {name!r}; {hint}")


def _call(span: ReadableSpan, ended: EndedCall | None) -> RecordedCall:
    attributes: Any = dict(span.attributes or {})
    tokens = {} if ended is None else ended.message.usage.tokens._asdict()
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
        error_code=attributes.get(names.ERROR_CODE),
        answer=attributes.get(names.ANSWER),
        refusal_category=attributes.get(names.REFUSAL_CATEGORY),
        tokens={kind: number for kind, number in tokens.items() if number is not None},
        attempts=() if ended is None else tuple(attempt.status for attempt in ended.attempts),
        duration=None if ended is None else ended.duration,
        time_to_first_chunk=None if ended is None else ended.time_to_first_chunk,
        time_to_first_text=None if ended is None else ended.time_to_first_text,
        longest_gap=None if ended is None else ended.longest_gap,
        retry_wait=None if ended is None else ended.retry_wait,
    )
