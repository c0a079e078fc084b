# SPDX-License-Identifier: Apache-2.0
"""What a receiver has of after200 → one `Summary`: counts from the metrics, the last failures from spans and logs.

Counters of processes that have ended go on counting, so a service that restarts loses nothing. What describes the
present (open streams, rate limits) counts only as long as its process exports.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from after200 import names
from after200.cli.endings import Ending, Totals, ending_of, totals
from after200.cli.otlp import Attributes, LogRecord, Point, Span
from after200.cli.receiver import Receiver

Key = TypeVar("Key")

PATIENCE_INTERVALS = 2.5
"""A process is gone when it has not exported for so many of its intervals."""

PATIENCE_LEAST_S, PATIENCE_UNKNOWN_S = 5.0, 150.0
"""The least time without an export after which a process is gone, and that time while its interval is not known."""


def is_relevant(entry: Span | LogRecord | Point) -> bool:
    """Returns whether `watch` uses what came: metrics of after200, and what is recorded of failed calls."""
    if isinstance(entry, Point):
        return entry.metric.startswith("after200.")
    if isinstance(entry, Span):
        return names.OUTCOME in entry.attributes and names.ERROR_TYPE in entry.attributes
    return entry.event_name == names.EXCEPTION_EVENT


class Model(NamedTuple):
    """The calls of one service to one model that have ended, and how many of its streams have not."""

    service: str
    model: str
    ended: Totals
    open: int


class Limit(NamedTuple):
    """A rate limit: the highest share that was used in the last minute, and the limit, in requests or tokens."""

    model: str
    kind: str
    used: float
    limit: float | None


class Failure(NamedTuple):
    """One failed call; `time` is its end, in seconds since the epoch."""

    time: float
    service: str
    model: str
    failure: str
    ending: Ending
    request_id: str


@dataclass
class Summary:
    """Everything that is shown.

    Attributes:
        models: the calls by service and model.
        calls: all calls by how they ended.
        answers: completed calls by what they were answered, and why: the category of a refusal, else the stop reason.
        tools: results of server tools by the name of the tool, and the code of the error, empty when there was none.
        attempts: HTTP requests by the status of the response, empty when there was none.
        waits: seconds of waiting between attempts, by the failure that caused it.
        limits: the rate limits that responses named in the last minute.
        failures: the last failed calls, the newest first.
    """

    models: list[Model] = field(default_factory=list)
    calls: Counter[Ending] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    tools: Counter[tuple[str, str]] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    waits: dict[str, float] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def services(self) -> list[str]:
        """The services that sent something, by name."""
        return sorted({model.service for model in self.models} | {failure.service for failure in self.failures})


def summarize(receiver: Receiver) -> Summary:
    """Returns what the receiver has, as it now stands."""
    waits: defaultdict[str, float] = defaultdict(float)
    for point in receiver.points(names.RETRY_WAIT.name):
        waits[_text(point.attributes, names.FAILURE)] += point.value
    return Summary(
        models=_models(receiver),
        calls=_count(receiver.points(names.CALLS.name), ending_of),
        answers=_count(receiver.points(names.ANSWERS_RECEIVED.name), _answer),
        tools=_count(receiver.points(names.SERVER_TOOL_CALLS.name), _tool),
        attempts=_count(receiver.points(names.ATTEMPTS.name), lambda each: _text(each, names.WIRE_STATUS)),
        waits=dict(sorted(waits.items())),
        limits=_limits(receiver),
        failures=_failures(receiver),
    )


def _models(receiver: Receiver) -> list[Model]:
    calls: defaultdict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in receiver.points(names.CALLS.name):
        calls[_service(point), _text(point.attributes, names.REQUEST_MODEL)].append(point)
    open_streams: Counter[tuple[str, str]] = Counter()
    for point in filter(_is_present, receiver.points(names.STREAMS_OPEN.name)):
        open_streams[_service(point), _text(point.attributes, names.REQUEST_MODEL)] += int(point.value)
    return [
        Model(*key, totals(_count(calls[key], ending_of)), open_streams[key])
        for key in sorted(calls.keys() | (+open_streams).keys())
    ]


def _count(points: Iterable[Point], key: Callable[[Attributes], Key]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for point in points:
        found[key(point.attributes)] += int(point.value)
    return +found


def _answer(attributes: Attributes) -> tuple[str, str]:
    reason = _text(attributes, names.REFUSAL_CATEGORY) or _text(attributes, names.STOP_REASON)
    return _text(attributes, names.ANSWER), reason


def _tool(attributes: Attributes) -> tuple[str, str]:
    return _text(attributes, names.TOOL_NAME), _text(attributes, names.ERROR_TYPE)


def _limits(receiver: Receiver) -> list[Limit]:
    """Over several processes, the highest is right: each knows of its own responses only."""
    used, limits = (
        {
            key: max(point.value for point in points)
            for key, points in _by_limit(filter(_is_present, receiver.points(metric.name))).items()
        }
        for metric in (names.RATE_LIMIT_UTILIZATION, names.RATE_LIMIT_LIMIT)
    )
    return [Limit(*key, used[key], limits.get(key)) for key in sorted(used)]


def _by_limit(points: Iterable[Point]) -> dict[tuple[str, str], list[Point]]:
    found: defaultdict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        attributes = point.attributes
        found[_text(attributes, names.REQUEST_MODEL), _text(attributes, names.RATE_LIMIT_KIND)].append(point)
    return found


def _failures(receiver: Receiver) -> list[Failure]:
    """The span and the log record of a call are one failure. Spans can be sampled, and log records turned off."""
    found: dict[tuple[str, str], Failure] = {}
    entries: list[Span | LogRecord] = [*receiver.logs, *receiver.spans]
    for entry in entries:
        attributes, ended = entry.attributes, entry.end if isinstance(entry, Span) else entry.time
        key = (entry.trace_id, entry.span_id) if entry.span_id else ("", str(id(entry)))
        known = found.get(key)
        found[key] = Failure(
            ended / 1e9,
            _service(entry),
            _text(attributes, names.REQUEST_MODEL) or (known.model if known else ""),
            _text(attributes, names.FAILURE),
            ending_of({names.OUTCOME: "failed", **attributes}),
            _text(attributes, names.ANTHROPIC_REQUEST_ID) or (known.request_id if known else ""),
        )
    return sorted(found.values(), reverse=True)


def _is_present(point: Point) -> bool:
    patience = PATIENCE_UNKNOWN_S if point.interval is None else point.interval * PATIENCE_INTERVALS
    return time.monotonic() - point.arrived <= max(patience, PATIENCE_LEAST_S)


def _service(entry: Span | LogRecord | Point) -> str:
    return _text(entry.resource, "service.name") or "unknown_service"


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name)
    return "" if value is None else str(value)
