# SPDX-License-Identifier: Apache-2.0
"""OTLP export requests, as protobuf messages → plain Python values, and the state of each series of a metric.

Cumulative points replace one another and delta points are added up, so `Point.value` means the same whatever
temporality an exporter has. No sockets and no threads here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as ProtoLogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags, Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Request = ExportTraceServiceRequest | ExportMetricsServiceRequest | ExportLogsServiceRequest
REQUESTS: dict[type[Request], tuple[str, str, str]] = {
    ExportTraceServiceRequest: ("/v1/traces", "spans", "spans"),
    ExportMetricsServiceRequest: ("/v1/metrics", "metrics", "metrics"),
    ExportLogsServiceRequest: ("/v1/logs", "logs", "log_records"),
}
"""Request of a signal → its path over HTTP, and what its fields call the signal and the entries."""

Value = str | bool | int | float | bytes | list["Value"] | dict[str, "Value"] | None
Attributes = dict[str, Value]

TEMPORALITIES: dict[int, str] = {
    AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE: "cumulative",
    AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA: "delta",
}


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
    resource: Attributes

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return (self.end - self.start) / 1e9


@dataclass(frozen=True)
class LogRecord:
    """One log record; ids in hex, empty where it stands in no span; `time` in nanoseconds since the epoch."""

    event_name: str
    severity: str
    body: Value
    scope: str
    trace_id: str
    span_id: str
    time: int
    attributes: Attributes
    resource: Attributes


@dataclass(frozen=True)
class Point:
    """One series of a metric as it stands.

    `kind` is "sum", "gauge", "histogram", "exponential_histogram" or "summary"; `temporality` is "cumulative", "delta"
    or empty. `value` is the number of a sum or gauge, and the sum of the values of the other kinds, whose number is
    `count`. `time` is in nanoseconds since the epoch; `exemplars` are trace ids in hex.
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
    exemplars: tuple[str, ...] = ()
    arrived: float = 0.0
    """When it came, in seconds of the monotonic clock."""

    interval: float | None = None
    """The seconds that passed since the point before it came; None for the first point of a series."""


Entry = Span | LogRecord | Point


class Telemetry:
    """Everything that came: spans and log records in their order, and the state of each series.

    `limit` is how many spans, and how many log records, are kept: all by default. `keep` decides what is kept at all.
    """

    def __init__(self, limit: int | None = None, keep: Callable[[Entry], bool] = lambda entry: True) -> None:
        self.spans: deque[Span] = deque(maxlen=limit)
        self.logs: deque[LogRecord] = deque(maxlen=limit)
        self.points: dict[object, Point] = {}
        self._keep = keep

    def add(self, request: Request) -> None:
        """Adds what an export request holds."""
        for resource, scope, entry in _entries(request):
            if isinstance(entry, Metric):
                for started, point in _points(entry, scope, resource):
                    if self._keep(point):
                        self._update(started, point)
            elif isinstance(entry, ProtoSpan):
                self.spans.extend(filter(self._keep, [_span(entry, scope, resource)]))
            else:
                self.logs.extend(filter(self._keep, [_log_record(entry, scope, resource)]))

    def _update(self, started: int, point: Point) -> None:
        # A process that starts anew begins new series. Without the start time, they would replace the old ones.
        key = (point.metric, point.scope, _frozen(point.attributes), _frozen(point.resource), started)
        known = self.points.get(key)
        if known is None:
            self.points[key] = point
        elif point.temporality == "delta" or point.time >= known.time:
            interval = point.arrived - known.arrived
            if point.temporality == "delta":
                count = None if point.count is None else point.count + (known.count or 0)
                point = replace(point, value=known.value + point.value, count=count)
            self.points[key] = replace(point, interval=interval)


def _entries(request: Request) -> Iterator[tuple[Attributes, str, ProtoSpan | ProtoLogRecord | Metric]]:
    """Yields the attributes of the resource, the name of the scope, and each span, log record or metric in them."""
    _, signal, entries = REQUESTS[type(request)]
    for of_resource in getattr(request, f"resource_{signal}"):
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in getattr(of_resource, f"scope_{signal}"):
            for entry in getattr(of_scope, entries):
                yield resource, of_scope.scope.name, entry


def _span(span: ProtoSpan, scope: str, resource: Attributes) -> Span:
    return Span(
        name=span.name,
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        scope=scope,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        status=Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        description=span.status.message,
        attributes=_attributes(span.attributes),
        resource=resource,
    )


def _log_record(record: ProtoLogRecord, scope: str, resource: Attributes) -> LogRecord:
    return LogRecord(
        event_name=record.event_name,
        severity=record.severity_text,
        body=_value(record.body),
        scope=scope,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        time=record.time_unix_nano or record.observed_time_unix_nano,
        attributes=_attributes(record.attributes),
        resource=resource,
    )


def _points(metric: Metric, scope: str, resource: Attributes) -> Iterator[tuple[int, Point]]:
    """Yields each point with the start of its series: 0 for deltas, which have the start of an interval."""
    kind = metric.WhichOneof("data")
    series: Any = getattr(metric, kind) if kind else None
    temporality = TEMPORALITIES.get(getattr(series, "aggregation_temporality", 0), "")
    for data in series.data_points if kind else ():
        if data.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
            continue
        is_number = kind in ("sum", "gauge")
        point = Point(
            metric=metric.name,
            kind=str(kind),
            unit=metric.unit,
            scope=scope,
            temporality=temporality,
            attributes=_attributes(data.attributes),
            value=getattr(data, data.WhichOneof("value") or "as_double") if is_number else data.sum,
            resource=resource,
            time=data.time_unix_nano,
            count=None if is_number else data.count,
            exemplars=tuple(exemplar.trace_id.hex() for exemplar in getattr(data, "exemplars", ())),
            arrived=time.monotonic(),
        )
        yield (0 if temporality == "delta" else data.start_time_unix_nano), point


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def _frozen(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    # repr, since values can be lists, and True must not be taken for 1.
    return tuple(sorted((name, repr(value)) for name, value in attributes.items()))
