# SPDX-License-Identifier: Apache-2.0
"""What happens in the time that is drawn: which jobs call which models, how often, with which faults."""

from __future__ import annotations

from dataclasses import dataclass, field

CALM = {"http_529": 0.01, "truncated": 0.0005, "slow": 0.02, "max_tokens": 0.004, "cached": 0.25, "thinking": 0.08}
STORM = {
    "overloaded": 0.16,
    "overloaded_error_first_event": 0.04,
    "api_error": 0.03,
    "rate_limited": 0.025,
    "truncated": 0.04,
    "reset": 0.012,
    "error_unnamed": 0.01,
    "http_529_always": 0.01,
    "http_429": 0.04,
    "http_400": 0.004,
    "max_tokens": 0.03,
    "refusal": 0.03,
    "cached": 0.15,
    "thinking": 0.08,
    "slow": 0.05,
}


@dataclass(frozen=True)
class Phase:
    """A stretch of time with one mix of faults."""

    minutes: float
    mix: dict[str, float]


@dataclass(frozen=True)
class Episode:
    """Jobs, their models with the calls per step, and the phases one after the other. Times in s since 1970."""

    name: str
    start: int
    step: int
    """How often metrics are exported, in s."""
    evaluated: int
    """How often rules are evaluated, in s."""
    jobs: dict[str, dict[str, float]] = field(hash=False)
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> int:
        return int(sum(phase.minutes for phase in self.phases) * 60 / self.step)

    @property
    def end(self) -> int:
        return self.start + self.steps * self.step

    def mix_at(self, step: int) -> dict[str, float]:
        """The mix of faults in a step."""
        minutes = step * self.step / 60
        for phase in self.phases:
            minutes -= phase.minutes
            if minutes < 0:
                return phase.mix
        return self.phases[-1].mix


START = 1_795_600_800
"""2026-11-25 10:00:00 UTC. Nothing depends on the day."""

STORM_EPISODE = Episode(
    name="storm",
    start=START,
    step=15,
    evaluated=15,
    jobs={
        "chat": {"claude-opus-5": 2.5, "claude-sonnet-5": 3.5},
        "support-bot": {"claude-haiku-4-5": 2.5},
        "research-agent": {"claude-fable-5": 1.2, "claude-mythos-5": 1.0},
    },
    phases=(Phase(25, CALM), Phase(15, STORM), Phase(20, CALM)),
)
CALM_DAY = Episode(
    name="day",
    start=START,
    step=60,
    evaluated=240,
    jobs={"chat": {"claude-opus-5": 0.4, "claude-sonnet-5": 0.6}},
    phases=(Phase(24 * 60, CALM),),
)
EPISODES = {episode.name: episode for episode in (STORM_EPISODE, CALM_DAY)}
