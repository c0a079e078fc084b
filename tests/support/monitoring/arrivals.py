# SPDX-License-Identifier: Apache-2.0
"""Calls that arrive at random: a stretch of time comes in, the counters that Prometheus would scrape come out.

Real calls come as a Poisson process; calls that come evenly hide what chance does. Everything is seeded.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import accumulate, cycle
from typing import Any, Final

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
    """The calls of one job: its phases one after the other, how it fails, over which pods it is spread."""

    job: str
    phases: tuple[Phase, ...]
    kind: str = "hidden overload"
    also: str = ""
    """How every other failing call fails, where not all fail alike."""
    pods: int = 1
    seed: int = 0
    evenly: bool = False
    """Calls come one after the other at equal distances, as from a cron job, beginning anywhere in the first."""
    lives: tuple[tuple[float, float], ...] = ()
    """When each pod begins and ends, in s; empty where all of them live all the time."""
    exported: int = STEP
    """How often the application exports, in s: the counters stand still in between."""
    gap: tuple[float, float] = (0, 0)
    """Within this time, in s, every scrape fails."""

    def begin_of(self, phase: int) -> float:
        """When a phase begins, in s; the end of the last one for the number of phases."""
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
        """The counters, and what says which processes there are, as promtool writes them."""
        chance, steps = self._random(), self.steps
        kinds = [KINDS[name] for name in (self.kind, self.also) if name]
        in_turn = cycle(kinds)
        lives = self.lives or ((0.0, math.inf),) * self.pods
        counts: dict[tuple[int, Kind | None], list[int]] = {
            (pod, kind): [0] * (steps + 1) for pod in range(len(lives)) for kind in kinds if kind.at_zero
        }
        for when, failed in self.calls():
            pod = chance.choice([pod for pod, (begin, end) in enumerate(lives) if begin <= when < end])
            export = (int(when // self.exported) + 1) * self.exported // STEP
            kind = next(in_turn) if failed else None
            counts.setdefault((pod, kind), [0] * (steps + 1))[min(steps, export)] += 1
        series = {}
        for (pod, kind), calls in counts.items():
            born_at_zero = kind is None or kind.at_zero
            name = self._name(pod, COMPLETED if kind is None else kind.labels())
            series[name] = self._scraped(list(accumulate(calls)), lives[pod], born_at_zero)
        for pod, life in enumerate(lives):
            python = f'job="{self.job}",instance="pod-{pod}",telemetry_sdk_language="python"'
            series[f"target_info{{{python}}}"] = self._scraped([1] * (steps + 1), life, born_at_zero=True)
        return series

    def _name(self, pod: int, labels: dict[str, str]) -> str:
        call = {"job": self.job, "instance": f"pod-{pod}", **MODEL, "gen_ai_operation_name": "chat", **labels}
        return "after200_calls_total{" + ",".join(f'{name}="{value}"' for name, value in call.items()) + "}"

    def _scraped(self, values: list[int], life: tuple[float, float], born_at_zero: bool) -> str:
        """The samples of a counter: none before it exists, none while scrapes fail, none after its pod has gone."""
        samples, there = [], False
        for step, value in enumerate(values):
            now = step * STEP
            scraped = life[0] <= now < life[1] and not self.gap[0] <= now < self.gap[1] and (born_at_zero or value)
            samples.append(str(value) if scraped else "stale" if there else "_")
            there = bool(scraped)
        return " ".join(samples)


def outage(job: str, rate: float, share: float, minutes: float = 10, calm: float = 3600, **more: Any) -> Traffic:
    """0.2 % of failures for so many seconds, then an outage, then half an hour in which all is well again.

    Where between two scrapes the outage begins is random, too.
    """
    calm += random.Random(f"{job} begins").random() * STEP
    phases = (Phase(calm, rate, 0.002), Phase(minutes * 60, rate, share), Phase(1800, rate, 0.002))
    return Traffic(job, phases, **more)


def rolling_deploy(pods: int, begin: float, pause: float) -> tuple[tuple[float, float], ...]:
    """So many pods, each of which is replaced by a new one: the first at `begin`, the next `pause` seconds later."""
    ends = [begin + pod * pause for pod in range(pods)]
    return (*((0.0, end) for end in ends), *((end, math.inf) for end in ends))


def stretches_with_an_outage(seed: int, days: float = 3) -> list[Traffic]:
    """Ten stretches of so many days, with one outage in each: a month of calls, for three days each.

    How many calls come, which share of them fails when, how, and for how long, is random.
    """
    chance, stretches = random.Random(f"month {seed}"), []
    for n in range(10):
        rate, usual, share = (
            chance.choice((20, 60, 120)),
            chance.choice((0.002, 0.005, 0.01)),
            chance.choice((0.3, 0.6, 1)),
        )
        minutes, whole = chance.randint(6, 40), days * 86400
        begin = chance.uniform(0.05, 0.9) * whole
        phases = (Phase(begin, rate, usual), Phase(60 * minutes, rate, share))
        rest = Phase(whole - begin - 60 * minutes, rate, usual)
        kind = chance.choice(list(KINDS))
        stretches.append(
            Traffic(f"{n}: {kind}, {share:.0%} of {rate} for {minutes} min", (*phases, rest), kind, seed=seed)
        )
    return stretches
