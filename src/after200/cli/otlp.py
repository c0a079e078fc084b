# SPDX-License-Identifier: Apache-2.0
"""OTLP protobuf requests to plain Python values, and the state of each metric series from what came so far.

In come decoded export requests, out go `Span`, `Point` and `LogRecord`. Cumulative points replace one another, delta
points add up, so `Point.value` means the same whatever temporality the exporter has. No sockets and no threads here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Value = str | bool | int | float | bytes | list["Value"] | dict[str, "Value"] | None
Attributes = dict[str, Value]

TEMPORALITIES: dict[int, str] = {
    AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE: "cumulative",
    AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA: "delta",
}


@dataclass(frozen=True)
class SpanEvent:
    """An event of a span."""

    name: str
    attributes: Attributes


@dataclass(frozen=True)
class Span:
    """One span; ids in hex, `parent_id` empty for a root, times in nanoseconds since the epoch."""

    name: str
    kind: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    status: str
    description: str
    attributes: Attributes
    events: tuple[SpanEvent, ...]
    resource: Attributes

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return (self.end - self.start) / 1e9


@dataclass(frozen=True)
class Point:
    """One series of a metric as it stands.

    `value` is the number of a counter or gauge and the sum of a histogram; `count` and `buckets` belong to histograms.
    """

    metric: str
    kind: str
    unit: str
    scope: str
    temporality: str
    attributes: Attributes
    value: float
    resource: Attributes
    time: int
    count: int | None = None
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()
    exemplars: tuple[str, ...] = ()
    """Trace ids, in hex."""

    def plus(self, later: Point) -> Point:
        """This point and a later delta, added up."""
        count = None if self.count is None else self.count + (later.count or 0)
        buckets = tuple(map(sum, zip(self.buckets, later.buckets, strict=True))) if self.buckets else later.buckets
        return replace(later, value=self.value + later.value, count=count, buckets=buckets)


@dataclass(frozen=True)
class LogRecord:
    """One log record; ids in hex, empty where it stands in no span."""

    event_name: str
    severity: str
    body: Value
    scope: str
    trace_id: str
    span_id: str
    attributes: Attributes
    resource: Attributes


@dataclass
class Telemetry:
    """Everything that came: spans and logs in order, and for each series its state."""

    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    points: dict[object, Point] = field(default_factory=dict)

    def add_spans(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of a request."""
        self.spans.extend(read_spans(request))

    def add_logs(self, request: ExportLogsServiceRequest) -> None:
        """Keep the log records of a request."""
        self.logs.extend(read_logs(request))

    def add_points(self, request: ExportMetricsServiceRequest) -> None:
        """Bring the series of a request up to date."""
        for started, point in read_points(request):
            # A process that starts anew is a series of its own: without its start time, its counts would get lost.
            key = (point.metric, point.scope, _frozen(point.attributes), _frozen(point.resource), started)
            known = self.points.get(key)
            if known is None:
                self.points[key] = point
            elif point.temporality == "delta":
                self.points[key] = known.plus(point)
            elif point.time >= known.time:
                self.points[key] = point


def read_spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """The spans of an export request."""
    for resource_spans in request.resource_spans:
        resource = read_attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield Span(
                    name=span.name,
                    kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    scope=scope_spans.scope.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    status=Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
                    description=span.status.message,
                    attributes=read_attributes(span.attributes),
                    events=tuple(SpanEvent(event.name, read_attributes(event.attributes)) for event in span.events),
                    resource=resource,
                )


def read_logs(request: ExportLogsServiceRequest) -> Iterator[LogRecord]:
    """The log records of an export request."""
    for resource_logs in request.resource_logs:
        resource = read_attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                yield LogRecord(
                    event_name=record.event_name,
                    severity=record.severity_text,
                    body=read_value(record.body),
                    scope=scope_logs.scope.name,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    attributes=read_attributes(record.attributes),
                    resource=resource,
                )


def read_points(request: ExportMetricsServiceRequest) -> Iterator[tuple[int, Point]]:
    """The points of an export request, each with its series' start (0 for deltas: theirs is that of an interval)."""
    for resource_metrics in request.resource_metrics:
        resource = read_attributes(resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                yield from _points_of(metric, scope_metrics.scope.name, resource)


def _points_of(metric: Metric, scope: str, resource: Attributes) -> Iterator[tuple[int, Point]]:
    kind = metric.WhichOneof("data")
    if kind not in ("sum", "gauge", "histogram"):  # nobody in this house exports summaries or exponential histograms
        return
    series = getattr(metric, kind)
    temporality = TEMPORALITIES.get(getattr(series, "aggregation_temporality", 0), "")
    data: NumberDataPoint | HistogramDataPoint
    for data in series.data_points:
        point = Point(
            metric=metric.name,
            kind=kind,
            unit=metric.unit,
            scope=scope,
            temporality=temporality,
            attributes=read_attributes(data.attributes),
            value=_number(data) if isinstance(data, NumberDataPoint) else data.sum,
            resource=resource,
            time=data.time_unix_nano,
            exemplars=tuple(exemplar.trace_id.hex() for exemplar in data.exemplars),
        )
        if isinstance(data, HistogramDataPoint):
            point = replace(
                point, count=data.count, bounds=tuple(data.explicit_bounds), buckets=tuple(data.bucket_counts)
            )
        yield (0 if temporality == "delta" else data.start_time_unix_nano), point


def _number(point: NumberDataPoint) -> float:
    return point.as_int if point.WhichOneof("value") == "as_int" else point.as_double


def read_attributes(pairs: Iterable[KeyValue]) -> Attributes:
    """OTLP key-value pairs as a dictionary."""
    return {pair.key: read_value(pair.value) for pair in pairs}


def read_value(value: AnyValue) -> Value:
    """An OTLP value as the Python value it stands for; None when it is empty."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [read_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return read_attributes(value.kvlist_value.values)
    plain: Value = getattr(value, kind)
    return plain


def _frozen(attributes: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    # repr, since values can be lists, and True must not be taken for 1.
    return tuple(sorted((name, repr(value)) for name, value in attributes.items()))
