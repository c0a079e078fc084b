# SPDX-License-Identifier: Apache-2.0
"""What completed calls hid, as the metrics of after200 say it: answers, server tools, tokens, waits, rate limits.

A receiver goes in, an `Answered` comes out. The demo compares it with the fault server's log, `watch` shows it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from after200 import names
from after200.cli.otlp import Attributes, Point


class Answer(NamedTuple):
    """What a completed call was answered.

    `kind` is one of `names.ANSWERS`. `reason` is the category of a refusal, else the stop reason, empty when there is
    none. `fallback` says whether another model than the one asked for gave the answer.
    """

    kind: str
    reason: str
    fallback: bool = False

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.kind, self.reason, "by another model" * self.fallback)))


class Tool(NamedTuple):
    """A result of a tool that ran at the provider; `error` is the code of its error, empty when it worked."""

    name: str
    error: str

    def __str__(self) -> str:
        return f"{self.name} {self.error or 'without an error'}"


class Tokens(NamedTuple):
    """Tokens of one of `names.TOKEN_TYPES` and one of `names.TOKEN_DETAILS`; no detail for the rest of the type."""

    type: str
    detail: str

    def __str__(self) -> str:
        return f"{self.type} {self.detail}".strip()


class Limit(NamedTuple):
    """A rate limit: the highest share that was used in the last minute, and the limit, in requests or tokens."""

    model: str
    kind: str
    used: float
    limit: float | None


@dataclass
class Answered:
    """Counts of what calls were answered.

    Attributes:
        answers: completed calls by what they were answered.
        tools: results of server tools.
        tokens: billed tokens.
        waits: the seconds that the SDK waited before it sent requests again, by the failure that caused it.
        limits: the rate limits that responses named in the last minute.
    """

    answers: Counter[Answer] = field(default_factory=Counter)
    tools: Counter[Tool] = field(default_factory=Counter)
    tokens: Counter[Tokens] = field(default_factory=Counter)
    waits: dict[str, float] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)

    @property
    def complete(self) -> int:
        """How many calls were answered with what the application asked for."""
        return sum(number for answer, number in self.answers.items() if answer.kind == "complete")

    def as_json(self) -> dict[str, Any]:
        """Returns the counts in values that JSON has."""
        return {
            "answers": [
                {"answer": kind, "reason": why or None, "fallback": fallback, "calls": calls}
                for (kind, why, fallback), calls in self.answers.items()
            ],
            "server_tools": [
                {"tool": name, "error": code or None, "calls": calls} for (name, code), calls in self.tools.items()
            ],
            "tokens": [
                {"type": kind, "detail": detail or None, "tokens": number}
                for (kind, detail), number in self.tokens.items()
            ],
            "waits": {failure: round(seconds, 3) for failure, seconds in self.waits.items()},
            "rate_limits": [limit._asdict() for limit in self.limits],
        }


class HasPoints(Protocol):
    """A receiver, or a part of what it has."""

    def points(self, metric: str) -> list[Point]:
        """Returns a metric's series as they stand."""


def read_answered(receiver: HasPoints, is_present: Callable[[Point], bool] = lambda point: True) -> Answered:
    """Returns what the receiver has; a rate limit counts only from points that are `is_present`."""
    waits: defaultdict[str, float] = defaultdict(float)
    for point in receiver.points(names.RETRY_WAIT.name):
        waits[text(point.attributes, names.FAILURE)] += point.value
    return Answered(
        count(receiver.points(names.ANSWERS_RECEIVED.name), _answer),
        count(receiver.points(names.SERVER_TOOL_CALLS.name), _tool),
        count(receiver.points(names.TOKENS.name), _tokens),
        dict(waits),
        _limits(receiver, is_present),
    )


def count(points: Iterable[Point], key: Callable[[Attributes], Any]) -> Counter[Any]:
    """Adds the values of points up by what `key` makes of their attributes; without those that add up to 0."""
    found: Counter[Any] = Counter()
    for point in points:
        found[key(point.attributes)] += int(point.value)
    return +found


def text(attributes: Mapping[str, object], name: str) -> str:
    """Returns an attribute as text, empty when it is absent."""
    value = attributes.get(name)
    return "" if value is None else str(value)


def _answer(attributes: Attributes) -> Answer:
    reason = text(attributes, names.REFUSAL_CATEGORY) or text(attributes, names.STOP_REASON)
    return Answer(text(attributes, names.ANSWER), reason, bool(attributes.get(names.FALLBACK)))


def _tool(attributes: Attributes) -> Tool:
    return Tool(text(attributes, names.TOOL_NAME), text(attributes, names.ERROR_TYPE))


def _tokens(attributes: Attributes) -> Tokens:
    return Tokens(text(attributes, names.TOKEN_TYPE), text(attributes, names.TOKEN_DETAIL))


def _limits(receiver: HasPoints, is_present: Callable[[Point], bool]) -> list[Limit]:
    """Over several processes, the highest is right: each knows of its own responses only."""
    used, limits = (
        _highest(filter(is_present, receiver.points(metric.name)))
        for metric in (names.RATE_LIMIT_UTILIZATION, names.RATE_LIMIT_LIMIT)
    )
    return [Limit(*key, used[key], limits.get(key)) for key in sorted(used)]


def _highest(points: Iterable[Point]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for point in points:
        key = text(point.attributes, names.REQUEST_MODEL), text(point.attributes, names.RATE_LIMIT_KIND)
        found[key] = max(found.get(key, 0.0), point.value)
    return found
