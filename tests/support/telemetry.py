# SPDX-License-Identifier: Apache-2.0
"""A real OpenTelemetry SDK that keeps everything in memory, and the ways in which tests look at it.

A series is written as one text, `metric{attribute=value, ...}`, so that what is there and what should be there can be
compared as two dictionaries, and a difference reads like one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from after200.testing import RecordedTelemetry


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


class Telemetry(RecordedTelemetry):
    """What a user's test has, with everything that was recorded in a form that can be compared whole."""

    def __init__(self, temporality: str = "cumulative") -> None:
        self._is_delta = temporality == "delta"
        super().__init__()
        self._open = OpenSpans()
        self.tracer_provider.add_span_processor(self._open)

    def _metric_reader(self) -> InMemoryMetricReader:
        delta = dict.fromkeys((Counter, Histogram, ObservableCounter), AggregationTemporality.DELTA)
        return InMemoryMetricReader(delta if self._is_delta else None)  # type: ignore[arg-type]

    @contextmanager
    def instrumented(self, **settings: Any) -> Iterator[None]:
        """The SDK instrumented with these providers. Spans are the package's own unless `settings` say otherwise."""
        self._settings = {"skip_dep_check": True, "spans": "own", **settings}
        with self:
            yield

    def _end_dropped(self) -> None:
        if not self._is_delta:  # A collection would take away what the test is to see.
            super()._end_dropped()

    @property
    def open_spans(self) -> list[str]:
        """The names of the spans that have not ended."""
        self._end_dropped()
        return list(self._open.names.values())

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
        finished: tuple[Any, ...] = self._logs.get_finished_logs()
        return finished

    def metrics_data(self) -> Any:
        """What an exporter of metrics is given."""
        return self._reader.get_metrics_data()

    def data_points(self) -> Iterator[tuple[Any, Any]]:
        """Every metric with each of its points, as the OpenTelemetry SDK holds them."""
        return self._data_points()

    def all_points(self) -> dict[str, Any]:
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
