# SPDX-License-Identifier: Apache-2.0
"""The table of answers in section 5 of the contract, written out a second time."""

from __future__ import annotations

from typing import get_args

import pytest

from after200 import names
from after200.call.answers import answer_of
from after200.call.facts import Message

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


@pytest.mark.parametrize(("stop_reason", "expected"), ANSWERS.items())
def test_the_stop_reason_says_what_the_call_was_answered(stop_reason: str | None, expected: str) -> None:
    assert expected == answer_of(Message(stop_reason=stop_reason, blocks=1))


@pytest.mark.parametrize(("stop_reason", "expected"), [*ANSWERS.items()][1:])
def test_only_an_end_turn_without_a_block_is_empty(stop_reason: str | None, expected: str) -> None:
    assert expected == answer_of(Message(stop_reason=stop_reason))


def test_an_end_turn_without_one_content_block_is_empty() -> None:
    assert "empty" == answer_of(Message(stop_reason="end_turn"))


@pytest.mark.parametrize("stop_reason", ANSWERS)
@pytest.mark.parametrize("blocks", [0, 1])
def test_where_a_guardrail_stepped_in_the_stop_reason_says_nothing(stop_reason: str | None, blocks: int) -> None:
    assert "guarded" == answer_of(Message(stop_reason=stop_reason, blocks=blocks, guarded=True))


def test_every_answer_can_be_given() -> None:
    assert {*get_args(names.Answer)} == {*ANSWERS.values(), "empty", "guarded"}
