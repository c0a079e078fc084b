# SPDX-License-Identifier: Apache-2.0
"""Calls that end as they should, with an answer that says all that it had to say."""

from __future__ import annotations

from .. import blocks
from ..replies import Reply, Usage
from ..scenarios import COMPLETED, WHOLE, Scenario, answered, scenario
from ..steps import Delay, Event, Pace, Play, Status, Whole

TITLE = "Calls that end as they should"
_SLOW = (Pace(0.02), *COMPLETED)
_THINKING = (blocks.thinking(("A greeting is asked for.",)),)
_DONE: Play = (*COMPLETED[:-1], Event(None, b"[DONE]"), COMPLETED[-1])

SCENARIOS: tuple[Scenario, ...] = (
    answered("completed", "a stream that ends with message_stop", Reply()),
    scenario("completed_slow", "a stream that completes, with 20 ms before every event", _SLOW, (Delay(0.1), *WHOLE)),
    answered(
        "long",
        "a stream that completes, with 2,000 text deltas",
        Reply(words=tuple(f" {number}" for number in range(2000)), usage=Usage(output=2000)),
    ),
    answered("large_message", "an answer of 1.2 MB", Reply(words=(" word" * 800,) * 300, usage=Usage(output=240_000))),
    answered(
        "tool_use",
        "calls the first tool offered; completes once the tool's result is in the messages",
        Reply(tool=True),
    ),
    answered(
        "stop_sequence", "the model writes a stop sequence", Reply(stop_reason="stop_sequence", stop_sequence="END")
    ),
    answered("thinking", "a thinking block before the text", Reply(before=_THINKING)),
    scenario(
        "gzip_completed",
        "an answer that completes, compressed",
        (Status(gzip="sound"), *COMPLETED[1:]),
        (Whole(gzip="sound"),),
    ),
    scenario("done_after_message_stop", "data: [DONE] after message_stop, as some gateways add it", _DONE, WHOLE),
)
