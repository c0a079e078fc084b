# SPDX-License-Identifier: Apache-2.0
"""What the totals of `usage` leave out or do not split; another model that answers; what was served.

Sources: `BetaUsage` and its parts in `anthropic.types.beta` of the SDK 2.14. The tokens of `compaction` entries are
billed and stand in no total.
"""

from __future__ import annotations

from .. import blocks
from ..replies import Fallback, Iteration, Reply, Usage
from ..scenarios import CLOSED, COMPLETED, WHOLE, Scenario, answered, scenario
from ..steps import Delay, End, Event, Healthy, Pace

TITLE = "Tokens that the totals hide, and other models that answer"
FALLBACK_MODEL = "claude-fallback-1"
_THOUGHT = (blocks.thinking(("A greeting", " is asked for.")),)
_SUMMARY = (blocks.compaction("The user said hello."),)
_FIRST_COMPACTION = Iteration("compaction", 180_000, 3_500, cache_read=20_000)
_ANSWER = Iteration("message", 23_000, 1_000)
_COMPACTED = Usage(23_000, 1_000, iterations=(_FIRST_COMPACTION, _ANSWER))
_TWICE = Usage(
    23_000,
    1_000,
    first_iterations=(_FIRST_COMPACTION,),
    iterations=(_FIRST_COMPACTION, Iteration("compaction", 160_000, 2_000, cache_creation=900), _ANSWER),
)
_DECLINED, _SERVED = Iteration("message", 412, 8), Iteration("fallback_message", 412, 60, model=FALLBACK_MODEL)
_BEGUN = (blocks.text(("First,", " mix")),)
_LOWER = Event(
    "message_delta",
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"input_tokens": 0, "output_tokens": 0},
    },
)


def _served(name: str, description: str, usage: Usage) -> Scenario:
    return answered(name, description, Reply(usage=usage))


SCENARIOS: tuple[Scenario, ...] = (
    _served(
        "cached",
        "usage with cache tokens: 8 input, 1416 written to the cache, 2227 read from it",
        Usage(input=8, output=7, cache_creation=1416, cache_read=2227),
    ),
    _served(
        "cached_by_ttl",
        "usage that splits what was written to the cache: 1000 for 5 minutes, 416 for an hour",
        Usage(input=8, output=7, cache_creation=1416, cache_read=2227, ttl_5m=1000, ttl_1h=416),
    ),
    _served(
        "cached_by_ttl_too_large",
        "usage whose split of the cache tokens is larger than their total",
        Usage(input=8, output=7, cache_creation=100, ttl_5m=1000, ttl_1h=416),
    ),
    scenario(
        "thinking_slow",
        "thinking, then text, 20 ms before every event; 40 of 52 output tokens were spent on thinking",
        (Pace(0.02), *COMPLETED),
        (Delay(0.1), *WHOLE),
        reply=Reply(before=_THOUGHT, usage=Usage(output=52, thinking=40)),
    ),
    answered(
        "compaction",
        "the context is compacted first: 203,500 billed tokens that no total holds",
        Reply(before=_SUMMARY, usage=_COMPACTED),
    ),
    answered(
        "compaction_twice",
        "the context is compacted twice; message_start tells of the first time, message_delta of both",
        Reply(before=_SUMMARY, usage=_TWICE),
    ),
    scenario(
        "usage_goes_back",
        "a second message_delta that says 0 input and 0 output tokens, as a gateway adds it",
        (*CLOSED, _LOWER, Healthy("stop"), End()),
        WHOLE,
    ),
    answered(
        "fallback",
        "the model begins and declines, and another one goes on in the same call",
        Reply(
            before=_BEGUN,
            usage=Usage(412, 60, iterations=(_DECLINED, _SERVED)),
            fallback=Fallback(FALLBACK_MODEL, "cyber"),
        ),
    ),
    answered(
        "fallback_from_the_start",
        "another model answers than the one asked for, and no content block says so",
        Reply(usage=Usage(412, 60, iterations=(_SERVED,)), fallback=Fallback(FALLBACK_MODEL, hop=False)),
    ),
    answered(
        "fallback_refused",
        "the model begins and declines, the other one declines too: stop_reason refusal",
        Reply(
            (),
            before=_BEGUN,
            stop_reason="refusal",
            stop_details={"type": "refusal", "category": "cyber", "explanation": None},
            usage=Usage(412, 0, iterations=(_DECLINED, Iteration("message", 412, 0, model=FALLBACK_MODEL))),
            fallback=Fallback(FALLBACK_MODEL, "cyber"),
        ),
    ),
    _served("service_tier_priority", "served by the priority tier", Usage(service_tier="priority")),
    _served("service_tier_batch", "served by the batch tier", Usage(service_tier="batch")),
    _served("speed_fast", "served fast", Usage(speed="fast")),
    _served("speed_standard", "served at the standard speed, whatever was asked for", Usage(speed="standard")),
)
