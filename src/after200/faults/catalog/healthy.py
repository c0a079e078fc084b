# SPDX-License-Identifier: Apache-2.0
"""Calls that end as they should."""

from __future__ import annotations

from dataclasses import replace

from ..scenarios import COMPLETED, WHOLE, Reply, Scenario, Usage, scenario, sequence
from ..steps import Delay, Pace, Status

_SLOW = (Pace(0.02), *COMPLETED)
_GZIP = Status(headers={"content-encoding": "gzip"})

_COMPLETED = scenario("completed", "a stream that ends with message_stop", COMPLETED, WHOLE)
_REFUSAL = Reply(words=("I", " can't", " help", " with", " that."), stop_reason="refusal")
_REFERRED = replace(_REFUSAL, fallback_credit_token="fct_01")
_DECLINED = scenario(
    "refusal", "the model declines: a normal end with stop_reason refusal", COMPLETED, WHOLE, reply=_REFUSAL
)

SCENARIOS: tuple[Scenario, ...] = (
    _COMPLETED,
    scenario("completed_slow", "the same with 20 ms before every event", _SLOW, (Delay(0.1), *WHOLE)),
    scenario(
        "long",
        "the same with 2,000 text deltas",
        COMPLETED,
        WHOLE,
        reply=Reply(words=tuple(f" {number}" for number in range(2000)), usage=Usage(output=2000)),
    ),
    _DECLINED,
    sequence(
        "refusal_then_completed",
        "a refusal, then completed, as a fallback to another model finds it",
        scenario("", "", COMPLETED, WHOLE, reply=_REFERRED),
        _COMPLETED,
    ),
    scenario(
        "max_tokens",
        "the answer is cut at the limit the caller set: a normal end with stop_reason max_tokens",
        COMPLETED,
        WHOLE,
        reply=Reply(stop_reason="max_tokens"),
    ),
    scenario(
        "cached",
        "usage with cache tokens: 8 input, 1416 written to the cache, 2227 read from it",
        COMPLETED,
        WHOLE,
        reply=Reply(usage=Usage(input=8, output=7, cache_creation=1416, cache_read=2227)),
    ),
    scenario(
        "tool_use",
        "calls the first tool offered; completes once the tool's result is in the messages",
        COMPLETED,
        WHOLE,
        reply=Reply(tool=True),
    ),
    scenario("thinking", "a thinking block before the text", COMPLETED, WHOLE, reply=Reply(thinking=True)),
    scenario(
        "gzip_completed",
        "a stream that ends with message_stop, compressed",
        (_GZIP, *COMPLETED[1:]),
        WHOLE,
    ),
)
