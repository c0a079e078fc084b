# SPDX-License-Identifier: Apache-2.0
"""The connection fails: reset, cut in the middle of a chunk, stalled. Nobody says why."""

from __future__ import annotations

from ..scenarios import CLOSED, MID_STREAM, STOPPED, Scenario, scenario
from ..steps import Cut, HalfChunk, Play, Reset, Stall, Status, Step, Whole

TITLE = "The connection fails"
_STATUS: Play = (Status(),)
_NO_BODY: Play = (Whole(only=0.0),)
_HALF_BODY: Play = (Whole(only=0.5),)


def _broken(name: str, description: str, before: Play, *fault: Step, whole: Play = _HALF_BODY) -> Scenario:
    """The fault after `before`; in an answer that is not streamed, after `whole`."""
    return scenario(name, description, (*before, *fault), (*whole, fault[-1]))


SCENARIOS: tuple[Scenario, ...] = (
    scenario("reset_before_response", "a reset instead of an answer", (Reset(),)),
    _broken("reset_first_event", "a reset after the headers", _STATUS, Reset(), whole=_NO_BODY),
    _broken("reset_mid_stream", "a reset after some content", MID_STREAM, Reset()),
    _broken("reset_after_message_delta", "a reset after message_delta", CLOSED, Reset()),
    _broken("reset_after_message_stop", "a reset after message_stop", STOPPED, Reset()),
    _broken("half_chunk", "the connection closes in the middle of a chunk", MID_STREAM, HalfChunk(), Cut()),
    scenario("cut_before_response", "the connection closes without an answer", (Cut(),)),
    _broken("cut_mid_stream", "the connection closes between two chunks, the body not ended", MID_STREAM, Cut()),
    scenario("stall_before_response", "no answer at all, until the client leaves", (Stall(),)),
    _broken(
        "stall_first_event", "nothing after the headers, until the client leaves", _STATUS, Stall(), whole=_NO_BODY
    ),
    _broken("stall_mid_stream", "nothing more after some content, until the client leaves", MID_STREAM, Stall()),
)
