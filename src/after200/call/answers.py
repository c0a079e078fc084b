# SPDX-License-Identifier: Apache-2.0
"""The message of a completed call → `after200.answer`: whether it is usable. Section 5 of the contract."""

from __future__ import annotations

from typing import Final

from ..names import Answer
from .record import Call

ANSWER_BY_STOP_REASON: Final[dict[str, Answer]] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "tool_use": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
    "content_filtered": "refused",
    "pause_turn": "paused",
}
"""The stop reasons that the Claude API and Converse document → the answer; any other, and none, is `other`."""


def answer_of(call: Call) -> Answer:
    """Returns what `call`, which has completed, was answered."""
    message = call.message
    if message.guarded:
        return "guarded"
    if message.stop_reason == "end_turn" and not call.has_content:
        return "empty"
    return ANSWER_BY_STOP_REASON.get(message.stop_reason or "", "other")
