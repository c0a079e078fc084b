# SPDX-License-Identifier: Apache-2.0
"""`Incident`: everything that a report says, as plain values. Counts of series go in; all times are seconds since 1970.

What a number means is decided here, once, for Markdown, HTML and JSON.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from after200.cli.endings import Ending, Totals, totals
from after200.monitoring.policy import Policy

_POLICY: Final = Policy()
"""The numbers by which the alerts judge; a report judges by the same, as they are without settings."""

Whose = str
PROVIDER, NETWORK, LIMITS, OURS = "the provider", "the connection", "the limits of the account", "the caller"

WHOSE: Final[dict[str, Whose]] = {
    "overloaded": PROVIDER,
    "server_error": PROVIDER,
    "truncated": PROVIDER,
    "timeout": PROVIDER,
    "other": PROVIDER,
    "connection": NETWORK,
    "malformed": NETWORK,
    "rate_limited": LIMITS,
    "billing": OURS,
    "denied": OURS,
    "invalid_request": OURS,
}
"""Where the cause of each of `names.FAILURES` lies. One that came over a gateway or a proxy may lie there."""

OWN_TIMEOUT: Final = "client_timeout_error"
"""The error type of a call that the caller's own time limit ended."""

BAD_CALLS: Final = 3
"""A step is bad from so many failed calls on, or when half of its calls failed."""

CALM_S: Final = 300.0
"""Two bad periods belong together when less than so many seconds lie between them."""


class Step(NamedTuple):
    """The calls that ended in one step of the window, which begins at `time`."""

    time: float
    ended: Totals
    failures: Mapping[str, int]
    """Failed calls by `error.type`."""


class Failed(NamedTuple):
    """Calls that failed in the same way. Statuses as in `Ending`; the code is the provider's."""

    failure: str
    error_type: str
    code: str
    status: int | None
    wire_status: int | None
    whose: Whose
    calls: int


class OfModel(NamedTuple):
    """The calls of one model of one provider."""

    provider: str
    model: str
    ended: Totals


class Entry(NamedTuple):
    """The calls that have a value in the baggage entry `Incident.by`; the value is "" where they have no such entry."""

    value: str
    ended: Totals


class Period(NamedTuple):
    """A time in which calls failed, with the evidence: how many of how many."""

    begin: float
    end: float
    failed: int
    calls: int


def is_evident(period: Period) -> bool:
    """Returns whether so many of its calls failed that it is not chance, as the alerts judge it; or more than half."""
    sure = period.failed - _POLICY.evidence * math.sqrt(period.failed)
    over_half = period.failed >= BAD_CALLS and period.failed > _POLICY.down_critical * period.calls
    return over_half or sure > _POLICY.hidden_critical * period.calls


class Wait(NamedTuple):
    """How long users waited for something: the median and the 95th percentile in seconds."""

    what: str
    model: str
    median: float
    p95: float


class Limit(NamedTuple):
    """The highest share of a rate limit that was used, when, and the limit where it is known."""

    model: str
    kind: str
    used: float
    time: float | None
    limit: float | None


class Alert(NamedTuple):
    """An alert that fired; `end` is None when it still fired at the end of the window."""

    name: str
    severity: str
    model: str
    begin: float
    end: float | None


class Request(NamedTuple):
    """A failed call, as the provider's support asks for it."""

    time: float
    model: str
    error_type: str
    request_id: str


@dataclass
class Incident:
    """What happened in a window of time.

    Attributes:
        begin, end, step: the window and its steps; `step` is 0 where there are no steps.
        source: where the numbers come from.
        notes: sentences about what is missing, and what that means for the numbers.
        calls: calls by how they ended; `attempts`: HTTP requests by wire status, "" without a response.
        by, entries: the entry of `metric_baggage` that was asked for, such as tenant.id, and the calls by its value.
        retry_waits: the seconds that the SDK waited before it sent requests again, by the failure that caused it.
        tokens: billed tokens; `wasted_tokens`: those of them that were billed for calls that failed.
    """

    begin: float
    end: float
    step: float
    source: str
    notes: list[str] = field(default_factory=list)
    calls: Counter[Ending] = field(default_factory=Counter)
    models: list[OfModel] = field(default_factory=list)
    by: str = ""
    entries: list[Entry] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    retry_waits: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    wasted_tokens: Counter[str] = field(default_factory=Counter)
    waits: list[Wait] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def ended(self) -> Totals:
        """All calls, summed up."""
        return totals(self.calls)

    @property
    def periods(self) -> list[Period]:
        """The times in which more calls failed than chance explains, those that lie close together as one."""
        found: list[Period] = []
        for each in self.steps:
            failed = each.ended.hidden + each.ended.failed
            if failed == 0 or (failed < BAD_CALLS and failed < each.ended.calls * 0.5):
                continue
            if failed < _POLICY.hidden_critical * each.ended.calls:
                continue
            until = each.time + self.step
            if found and each.time - found[-1].end < CALM_S:
                found[-1] = found[-1]._replace(end=until)
            else:
                found.append(Period(each.time, until, 0, 0))
        return list(filter(is_evident, map(self._with_counts, found)))

    @property
    def failures_outside(self) -> int:
        """How many calls failed outside of `periods`."""
        every = sum(each.ended.hidden + each.ended.failed for each in self.steps)
        return every - sum(each.failed for each in self.periods)

    def _with_counts(self, period: Period) -> Period:
        within = [each.ended for each in self.steps if period.begin <= each.time < period.end]
        failed = sum(ended.hidden + ended.failed for ended in within)
        return period._replace(failed=failed, calls=sum(ended.calls for ended in within))

    def by_whose(self) -> Counter[Whose]:
        """Returns the failed calls by where their cause lies."""
        found: Counter[Whose] = Counter()
        for each in self.failed:
            found[each.whose] += each.calls
        return found

    def as_json(self) -> dict[str, Any]:
        """Returns everything in values that JSON has."""
        return {
            "begin": self.begin,
            "end": self.end,
            "step": self.step,
            "source": self.source,
            "notes": self.notes,
            **self.ended._asdict(),
            "periods": [each._asdict() for each in self.periods],
            "whose": dict(self.by_whose()),
            "models": [{"provider": a, "model": b, **ended._asdict()} for a, b, ended in self.models],
            "by": self.by,
            "entries": [{"value": value, **ended._asdict()} for value, ended in self.entries],
            "failed_calls": [each._asdict() for each in self.failed],
            "steps": [{"time": a, **ended._asdict(), "error_types": dict(b)} for a, ended, b in self.steps],
            "attempts": dict(self.attempts),
            "retry_waits": self.retry_waits,
            "answers": dict(self.answers),
            "tokens": dict(self.tokens),
            "wasted_tokens": dict(self.wasted_tokens),
            "waits": [each._asdict() for each in self.waits],
            "rate_limits": [each._asdict() for each in self.limits],
            "alerts": [each._asdict() for each in self.alerts],
            "requests": [each._asdict() for each in self.requests],
        }
