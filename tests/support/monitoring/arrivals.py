# SPDX-License-Identifier: Apache-2.0
"""Calls that arrive at random: a stretch of time comes in, the counters that Prometheus would scrape come out.

Real calls come as a Poisson process; calls that come evenly hide what chance does. Everything is seeded.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

STEP: Final = 15
"""How often the counters are scraped and the rules evaluated, in s."""
MODEL: Final = {"gen_ai_provider_name": "anthropic", "gen_ai_request_model": "claude-sonnet-4-5"}


@dataclass(frozen=True)
class Kind:
    """One way to fail: the labels of its counter, and whether the instrumentation creates the counter at zero."""

    failure: str
    error_type: str
    status: str = ""
    wire: str = "200"
    phase: str = "mid_stream"
    outcome: str = "failed"
    at_zero: bool = True

    def labels(self) -> dict[str, str]:
        corrected = {"http_response_status_code": self.status} if self.status else {}
        wire = {"after200_wire_status_code": self.wire} if self.wire else {}
        names = {"after200_failure": self.failure, "error_type": self.error_type, "after200_phase": self.phase}
        return {"after200_outcome": self.outcome, **names, **corrected, **wire}


def visible(failure: str, error_type: str, status: str) -> Kind:
    """A failure that HTTP shows; `status` is empty where there was no response."""
    return Kind(failure, error_type, status, status, "request", at_zero=False)


KINDS: Final = {
    "hidden overload": Kind("overloaded", "overloaded_error", "529"),
    "529": visible("overloaded", "overloaded_error", "529"),
    "429": visible("rate_limited", "rate_limit_error", "429"),
    "500": visible("server_error", "api_error", "500"),
    "refused connection": visible("connection", "connection_error", ""),
    "timeout": visible("timeout", "client_timeout_error", ""),
    "truncated": Kind("truncated", "stream_truncated", outcome="truncated"),
    "401": visible("denied", "authentication_error", "401"),
    "404": visible("invalid_request", "not_found_error", "404"),
}
COMPLETED: Final = {
    "after200_outcome": "completed",
    "http_response_status_code": "200",
    "after200_wire_status_code": "200",
}


@dataclass(frozen=True)
class Phase:
    """So many seconds with this many calls a minute, of which this share fails."""

    seconds: float
    rate: float
    share: float


@dataclass(frozen=True)
class Traffic:
    """The calls of one job: its phases one after the other, how it fails, over how many pods it is spread."""

    job: str
    phases: tuple[Phase, ...]
    kind: str = "hidden overload"
    pods: int = 1
    seed: int = 0
    evenly: bool = False
    """Calls come one after the other at equal distances, as from a cron job, beginning anywhere in the first."""

    def begin_of(self, phase: int) -> float:
        """When a phase begins, in s."""
        return sum(one.seconds for one in self.phases[:phase])

    @property
    def steps(self) -> int:
        return int(self.begin_of(len(self.phases)) // STEP)

    def calls(self) -> list[tuple[float, bool]]:
        """When each call ends, in s, and whether it fails."""
        chance, begin, found = self._random(), 0.0, []
        for phase in self.phases:
            now = begin + (chance.random() * 60 / phase.rate if self.evenly and phase.rate else 0)
            while phase.rate:
                if not self.evenly:
                    now += chance.expovariate(phase.rate / 60)
                if now >= begin + phase.seconds:
                    break
                found.append((now, chance.random() < phase.share))
                now += 60 / phase.rate if self.evenly else 0
            begin += phase.seconds
        return found

    def _random(self) -> random.Random:
        return random.Random(f"{self.job} {self.seed}")

    def series(self) -> dict[str, str]:
        """The counters, as promtool writes them."""
        chance, kind = self._random(), KINDS[self.kind]
        counts: dict[tuple[int, bool], list[int]] = {}
        for when, failed in self.calls():
            key = (chance.randrange(self.pods), failed)
            counts.setdefault(key, [0] * (self.steps + 1))[min(self.steps, int(when // STEP) + 1)] += 1
        if kind.at_zero:
            for pod in range(self.pods):
                counts.setdefault((pod, True), [0] * (self.steps + 1))
        return {
            self.name_of(pod, kind.labels() if failed else COMPLETED): written(list(accumulate(steps)), kind, failed)
            for (pod, failed), steps in counts.items()
        }

    def name_of(self, pod: int, labels: dict[str, str]) -> str:
        call = {"job": self.job, "instance": f"pod-{pod}", **MODEL, "gen_ai_operation_name": "chat", **labels}
        return "after200_calls_total{" + ",".join(f'{name}="{value}"' for name, value in call.items()) + "}"


def written(values: list[int], kind: Kind, failed: bool) -> str:
    """A counter's values; one that is not created at zero begins with its first call."""
    late = next((n for n, value in enumerate(values) if value), len(values)) if failed and not kind.at_zero else 0
    return " ".join(["_"] * late + [str(value) for value in values[late:]])


def outage(job: str, rate: float, share: float, minutes: float = 10, **more: object) -> Traffic:
    """An hour with 0.2 % of failures, then an outage, then half an hour in which all is well again."""
    calm, storm, after = Phase(3600, rate, 0.002), Phase(minutes * 60, rate, share), Phase(1800, rate, 0.002)
    return replace(Traffic(job, (calm, storm, after)), **more)  # type: ignore[arg-type]


def shifted(traffic: Traffic, seconds: float) -> Traffic:
    """The same with its first phase longer by so many seconds: where between two scrapes an outage begins."""
    first, *others = traffic.phases
    return replace(traffic, phases=(replace(first, seconds=first.seconds + seconds), *others))
