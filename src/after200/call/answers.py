# SPDX-License-Identifier: Apache-2.0
"""The message of a completed call → `after200.answer`: whether it is usable. Section 5 of the contract."""

from __future__ import annotations

from ..names import ANSWER_BY_STOP_REASON, Answer
from .record import Call


def answer_of(call: Call) -> Answer:
    """Returns what `call`, which has completed, was answered."""
    message = call.message
    if message.guarded:
        return "guarded"
    if message.stop_reason == "end_turn" and not call.has_content:
        return "empty"
    return ANSWER_BY_STOP_REASON.get(message.stop_reason or "", "other")
