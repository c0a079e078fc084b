# SPDX-License-Identifier: Apache-2.0
"""The table of answers in section 5 of the contract, written out a second time."""

from __future__ import annotations

from typing import get_args

import pytest

from after200 import names
from after200.call.answers import answer_of
from after200.call.facts import Facts, Message

from .calls import new_call

ANSWERS = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "tool_use": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
    "pause_turn": "paused",
    "a_reason_of_tomorrow": "other",
    "END_TURN": "other",
    None: "other",
}


def answered(message: Message, *, content: bool) -> str:
    return answer_of(new_call(learned=[Facts(message=message, content=content)]))


@pytest.mark.parametrize(("stop_reason", "expected"), ANSWERS.items())
def test_the_stop_reason_says_what_the_call_was_answered(stop_reason: str | None, expected: str) -> None:
    assert expected == answered(Message(stop_reason=stop_reason), content=True)


@pytest.mark.parametrize(("stop_reason", "expected"), [*ANSWERS.items()][1:])
def test_only_an_end_turn_without_content_is_empty(stop_reason: str | None, expected: str) -> None:
    assert expected == answered(Message(stop_reason=stop_reason), content=False)


def test_an_end_turn_where_no_block_has_content_is_empty() -> None:
    assert "empty" == answered(Message(stop_reason="end_turn"), content=False)


@pytest.mark.parametrize("stop_reason", ANSWERS)
@pytest.mark.parametrize("content", [True, False])
def test_where_a_guardrail_stepped_in_the_stop_reason_says_nothing(stop_reason: str | None, content: bool) -> None:
    assert "guarded" == answered(Message(stop_reason=stop_reason, guarded=True), content=content)


def test_every_answer_can_be_given() -> None:
    assert {*get_args(names.Answer)} == {*ANSWERS.values(), "empty", "guarded"}
