# SPDX-License-Identifier: Apache-2.0
"""The message of a completed call → `after200.answer`: whether it is usable. Section 5 of the contract."""

from __future__ import annotations

from typing import Final

from ..names import Answer
from .facts import Message

ANSWER_BY_STOP_REASON: Final[dict[str, Answer]] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "tool_use": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
    "pause_turn": "paused",
}
"""The stop reasons that the Claude API documents → the answer; any other, and none, is `other`."""


def answer_of(message: Message) -> Answer:
    """Returns what a completed call was answered, by its message."""
    if message.guarded:
        return "guarded"
    if message.stop_reason == "end_turn" and not message.blocks:
        return "empty"
    return ANSWER_BY_STOP_REASON.get(message.stop_reason or "", "other")
