# SPDX-License-Identifier: Apache-2.0
"""What happens in the time that is drawn: which jobs call which models, how often, with which faults."""

from __future__ import annotations

from dataclasses import dataclass, field

ANSWERS = {
    "cached": 0.12,
    "cached_by_ttl": 0.04,
    "thinking": 0.06,
    "tool_use": 0.04,
    "web_search": 0.04,
    "web_fetch": 0.03,
    "code_execution": 0.03,
    "service_tier_priority": 0.06,
    "compaction": 0.003,
    "slow": 0.02,
}
"""What is right, and differs from call to call."""
CALM = {
    **ANSWERS,
    "http_529": 0.01,
    "max_tokens": 0.008,
    "refusal_cyber": 0.002,
    "pause_turn": 0.004,
    "fallback": 0.004,
}
STORM = {
    **ANSWERS,
    "overloaded": 0.16,
    "overloaded_error_first_event": 0.04,
    "api_error": 0.03,
    "rate_limited": 0.025,
    "truncated": 0.04,
    "reset": 0.012,
    "malformed": 0.008,
    "enforced_spend_limit_reached_mid_stream": 0.006,
    "http_529_always": 0.01,
    "http_429_retry_after_then_completed": 0.03,
    "http_500_then_completed": 0.01,
    "http_400": 0.004,
    "max_tokens": 0.03,
    "refusal_cyber": 0.015,
    "refusal_bio": 0.008,
    "refusal_without_category": 0.005,
    "fallback": 0.02,
    "empty": 0.004,
    "web_search_failed": 0.02,
    "code_execution_failed": 0.008,
    "mcp_failed": 0.006,
}
LIMITS = {"requests": 1600, "input_tokens": 4_000_000, "output_tokens": 60_000}
"""What the fault server names as the limits of a minute; an episode takes less, so they run down all the time."""


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
    at_once: int = 12
    """So many calls may go on when a step ends; with 0, each step has its calls."""
    without_sdk: tuple[str, ...] = ()
    """Models that are reached through `requests`, not through the SDK."""

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
    step=30,
    evaluated=30,
    jobs={
        "chat": {"claude-opus-5": 5, "claude-sonnet-5": 7},
        "support-bot": {"claude-haiku-4-5": 5},
        "research-agent": {"claude-fable-5": 2.4, "claude-mythos-5": 2},
    },
    phases=(Phase(25, CALM), Phase(15, STORM), Phase(20, CALM)),
    without_sdk=("claude-mythos-5",),
)
CALM_DAY = Episode(
    name="day",
    start=START,
    step=240,
    evaluated=240,
    jobs={"chat": {"claude-opus-5": 1, "claude-sonnet-5": 1.4}},
    phases=(Phase(24 * 60, CALM),),
)
SOME_DAYS = Episode(
    name="days",
    start=START,
    step=240,
    evaluated=240,
    jobs={"chat": {"claude-opus-5": 1.0, "claude-sonnet-5": 1.5}},
    phases=(Phase(73 * 60, CALM), Phase(150, STORM), Phase(2 * 60, CALM)),
)
"""Long enough for a verdict on the budget of a month."""
FAMILIES, VERSIONS = ("opus", "sonnet", "haiku", "fable", "mythos"), ("4-5", "4-8", "5", "5-1")
MODELS = [f"{family}-{version}" for family in FAMILIES for version in VERSIONS]
FORTY_MODELS = Episode(
    name="forty",
    start=START,
    step=30,
    evaluated=30,
    jobs={
        "gateway": {f"claude-{model}": 0.6 for model in MODELS},
        "batch": {f"us.anthropic.claude-{model}-20261029-v1:0": 0.6 for model in MODELS},
    },
    phases=(Phase(10, CALM), Phase(10, STORM), Phase(5, CALM)),
)
"""Many models, half of them with the ids of Bedrock."""
TRICKLE = Episode(
    name="trickle",
    start=START,
    step=60,
    evaluated=60,
    jobs={"nightly-report": {"claude-opus-5": 0.5}},
    phases=(Phase(60, CALM), Phase(40, {**CALM, "overloaded": 0.3, "truncated": 0.1}), Phase(80, CALM)),
    at_once=0,
)
"""A call every two minutes."""
EPISODES = {episode.name: episode for episode in (STORM_EPISODE, CALM_DAY, SOME_DAYS, FORTY_MODELS, TRICKLE)}
