# SPDX-License-Identifier: Apache-2.0
"""What a receiver has of after200 → one `Summary`: counts from the metrics, the last failures from spans and logs.

Counters of processes that have ended go on counting, so a service that restarts loses nothing. What describes the
present (open streams, rate limits) counts only as long as its process exports.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from after200 import names
from after200.cli.answered import Answered, count, read_answered, text
from after200.cli.endings import Ending, Totals, ending_of, totals
from after200.cli.otlp import LogRecord, Point, Span, Value
from after200.cli.receiver import Receiver
from after200.cli.refused import Refusal

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


class Failure(NamedTuple):
    """One failed call; `time` is its end, in seconds since the epoch."""

    time: float
    service: str
    model: str
    failure: str
    ending: Ending
    request_id: str
    client: str = ""
    """The HTTP library that made the call; empty for the SDK."""


@dataclass
class Summary:
    """Everything that is shown.

    Attributes:
        models: the calls by service and model.
        calls: all calls by how they ended.
        clients: the calls by what made them: the name of an HTTP library, empty for the SDK.
        answered: what calls were answered; rate limits only of processes that are present.
        attempts: HTTP requests by the status of the response, empty when there was none.
        failures: the last failed calls, the newest first.
        refused: why the last requests were refused, and how many for that reason.
        refused_now: the same of those who still send: a sender that was mended is not among them for long.
    """

    models: list[Model] = field(default_factory=list)
    calls: Counter[Ending] = field(default_factory=Counter)
    clients: dict[str, Totals] = field(default_factory=dict)
    answered: Answered = field(default_factory=Answered)
    attempts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    refused: Counter[Refusal] = field(default_factory=Counter)
    refused_now: Counter[Refusal] = field(default_factory=Counter)

    @property
    def services(self) -> list[str]:
        """The services that sent something, by name."""
        return sorted({model.service for model in self.models} | {failure.service for failure in self.failures})


class Only(NamedTuple):
    """A service and a model that somebody has chosen to look at."""

    service: str
    model: str

    def has(self, entry: Span | LogRecord | Point) -> bool:
        """Returns whether `entry` is of this service and this model."""
        return (_service(entry), text(entry.attributes, names.REQUEST_MODEL)) == self


class Part:
    """The points of a receiver, those of one service and model where `only` is given."""

    def __init__(self, receiver: Receiver, only: Only | None) -> None:
        self._receiver = receiver
        self._only = only

    def points(self, metric: str, where: Mapping[str, Value] | None = None) -> list[Point]:
        """As `Receiver.points`."""
        found = self._receiver.points(metric, where)
        return found if self._only is None else list(filter(self._only.has, found))


def summarize(receiver: Receiver, only: Only | None = None) -> Summary:
    """Returns what the receiver has, as it now stands. With `only`, all but `models` is of that service's model."""
    part = Part(receiver, only)
    failures = _failures(receiver)
    return Summary(
        models=_models(receiver),
        calls=count(part.points(names.CALLS.name), ending_of),
        clients=_clients(part),
        answered=read_answered(part, _is_present),
        attempts=count(part.points(names.ATTEMPTS.name), lambda each: text(each, names.WIRE_STATUS)),
        failures=failures if only is None else [each for each in failures if (each.service, each.model) == only],
        refused=Counter(receiver.refused),
        refused_now=Counter(receiver.refused_within(PATIENCE_UNKNOWN_S)),
    )


def _models(receiver: Receiver) -> list[Model]:
    calls: defaultdict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in receiver.points(names.CALLS.name):
        calls[_service(point), text(point.attributes, names.REQUEST_MODEL)].append(point)
    open_streams: Counter[tuple[str, str]] = Counter()
    for point in filter(_is_present, receiver.points(names.STREAMS_OPEN.name)):
        open_streams[_service(point), text(point.attributes, names.REQUEST_MODEL)] += int(point.value)
    return [
        Model(*key, totals(count(calls[key], ending_of)), open_streams[key])
        for key in sorted(calls.keys() | (+open_streams).keys())
    ]


def _clients(part: Part) -> dict[str, Totals]:
    points: defaultdict[str, list[Point]] = defaultdict(list)
    for point in part.points(names.CALLS.name):
        points[text(point.attributes, names.CLIENT)].append(point)
    return {client: totals(count(points[client], ending_of)) for client in sorted(points)}


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
            text(attributes, names.REQUEST_MODEL) or (known.model if known else ""),
            text(attributes, names.FAILURE),
            ending_of({names.OUTCOME: "failed", **attributes}),
            text(attributes, names.ANTHROPIC_REQUEST_ID) or (known.request_id if known else ""),
            text(attributes, names.CLIENT) or (known.client if known else ""),
        )
    return sorted(found.values(), reverse=True)


def _is_present(point: Point) -> bool:
    patience = PATIENCE_UNKNOWN_S if point.interval is None else point.interval * PATIENCE_INTERVALS
    return time.monotonic() - point.arrived <= max(patience, PATIENCE_LEAST_S)


def _service(entry: Span | LogRecord | Point) -> str:
    return text(entry.resource, "service.name") or "unknown_service"
