# SPDX-License-Identifier: Apache-2.0
"""The connection fails: reset, cut in the middle of a chunk, stalled. Nobody says why."""

from __future__ import annotations

from ..scenarios import CLOSED, MID_STREAM, STOPPED, Scenario, scenario
from ..steps import Cut, HalfChunk, Reset, Stall, Status, Whole

_STATUS = (Status(),)
_HALF_BODY = (Whole(only=0.5),)
_NO_BODY = (Whole(only=0.0),)

SCENARIOS: tuple[Scenario, ...] = (
    scenario("reset_before_response", "a reset instead of an answer", (Reset(),)),
    scenario("reset_first_event", "a reset after the headers", (*_STATUS, Reset()), (*_NO_BODY, Reset())),
    scenario("reset_mid_stream", "a reset after some content", (*MID_STREAM, Reset()), (*_HALF_BODY, Reset())),
    scenario("reset_after_message_delta", "a reset after message_delta", (*CLOSED, Reset()), (*_HALF_BODY, Reset())),
    scenario("reset_after_message_stop", "a reset after message_stop", (*STOPPED, Reset()), (*_HALF_BODY, Reset())),
    scenario("half_chunk", "the connection closes in the middle of a chunk", (*MID_STREAM, HalfChunk(), Cut()), (*_HALF_BODY, Cut())),
    scenario("cut_before_response", "the connection closes without an answer", (Cut(),)),
    scenario("cut_mid_stream", "the connection closes between two chunks, the body not ended", (*MID_STREAM, Cut()), (*_HALF_BODY, Cut())),
    scenario("stall_before_response", "no answer at all, until the client leaves", (Stall(),)),
    scenario("stall_first_event", "nothing after the headers, until the client leaves", (*_STATUS, Stall()), (*_NO_BODY, Stall())),
    scenario("stall_mid_stream", "nothing more after some content, until the client leaves", (*MID_STREAM, Stall()), (*_HALF_BODY, Stall())),
)  # fmt: skip
