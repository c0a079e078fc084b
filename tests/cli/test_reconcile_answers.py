# SPDX-License-Identifier: Apache-2.0
"""What a server's log makes one expect of answers, tools, tokens, waits and limits; no difference goes unseen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from after200.cli.answered import Answer, Answered, Limit, Tokens, Tool
from after200.cli.reconcile import answer_differences, expected_answered
from after200.faults import truth
from after200.faults.log import Served

from ..support.served import COMPLETED

MODEL = COMPLETED.model
TOLD = truth.Truth(
    answer="complete",
    stop_reason="end_turn",
    tokens=(truth.Tokens("input", "", 12), truth.Tokens("output", "", 7)),
    tokens_at_start=(truth.Tokens("input", "", 12),),
    server_tools=(truth.ServerTool("web_search", None),),
)
GOOD = replace(
    COMPLETED,
    scenario="web_search",
    started=100.0,
    ended=101.0,
    content=TOLD,
    headers={"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "40"},
)
REFUSED = replace(GOOD, content=replace(TOLD, answer="refused", stop_reason="refusal", refusal_category="cyber"))
OVERLOADED = replace(GOOD, events_sent=("message_start", "error"), failure="overloaded_error")
WAITED = replace(
    GOOD,
    events_sent=(),
    failure="rate_limit_error",
    wire_status=429,
    headers={"retry-after": "2"},
    content=truth.Truth(),
)
BROKEN_OFF = replace(GOOD, streaming=False, finished="cut", events_sent=())
COMPLETE, INPUT, OUTPUT, SEARCHED = (
    Answer("complete", "end_turn"),
    Tokens("input", ""),
    Tokens("output", ""),
    Tool("web_search", ""),
)
LIMIT = Limit(MODEL, "requests", 0.2, 50)

TOLD_BY = {
    "a good call": (GOOD, {COMPLETE: 1}, {SEARCHED: 1}, {INPUT: 12, OUTPUT: 7}),
    "a refusal": (REFUSED, {Answer("refused", "cyber"): 1}, {SEARCHED: 1}, {INPUT: 12, OUTPUT: 7}),
    "another model": (
        replace(GOOD, content=replace(TOLD, fallback=True)),
        {Answer("complete", "end_turn", True): 1},
        {SEARCHED: 1},
        {INPUT: 12, OUTPUT: 7},
    ),
    "a call that fails in the middle": (OVERLOADED, {}, {SEARCHED: 1}, {INPUT: 12, OUTPUT: 7}),
    "a call that is left": (replace(GOOD, request_id="req_left"), {}, {SEARCHED: 1}, {INPUT: 12}),
    "a whole body that breaks off": (replace(BROKEN_OFF, attempt=2), {}, {}, {}),
    "an attempt that is retried": (WAITED, {}, {}, {}),
}


@pytest.mark.parametrize(("served", "answers", "tools", "tokens"), TOLD_BY.values(), ids=TOLD_BY)
def test_the_log_says_what_was_told(served: Served, answers: Any, tools: Any, tokens: Any) -> None:
    found = expected_answered([served], {"req_left"}, 2)
    assert (answers, tools, tokens) == (found.answers, found.tools, found.tokens)


LOG = [GOOD, WAITED]
RIGHT = Answered(
    Counter({COMPLETE: 1}), Counter({SEARCHED: 1}), Counter({INPUT: 12, OUTPUT: 7}), {"rate_limited": 2.1}, [LIMIT]
)
WRONG = {
    "an answer of another kind": (
        replace(RIGHT, answers=Counter({Answer("refused", "cyber"): 1})),
        [
            "after200.answers: complete, end_turn: 0 recorded, 1 expected",
            "after200.answers: refused, cyber: 1 recorded, 0 expected",
        ],
    ),
    "a tool that is missing": (
        replace(RIGHT, tools=Counter()),
        ["after200.server_tool.calls: web_search without an error: 0 recorded, 1 expected"],
    ),
    "a token too many": (
        replace(RIGHT, tokens=Counter({INPUT: 13, OUTPUT: 7})),
        ["after200.tokens: input: 13 recorded, 12 expected"],
    ),
    "a wait that is shorter than was asked for": (
        replace(RIGHT, waits={"rate_limited": 0.002}),
        ["after200.retry.wait: rate_limited: 0.00 s recorded, 1.98 to 32.00 s expected"],
    ),
    "a wait for another failure": (
        replace(RIGHT, waits={"overloaded": 2.0}),
        [
            "after200.retry.wait: overloaded: 2.00 s recorded, 0.00 to 0.00 s expected",
            "after200.retry.wait: rate_limited: 0.00 s recorded, 1.98 to 32.00 s expected",
        ],
    ),
    "a limit that is used more": (
        replace(RIGHT, limits=[LIMIT._replace(used=0.25)]),
        [f"after200.rate_limit.utilization: {MODEL} requests: 0.2500 recorded, 0.2000 to 0.2000 expected"],
    ),
    "a limit of another size": (
        replace(RIGHT, limits=[LIMIT._replace(limit=51)]),
        [f"after200.rate_limit.limit: {MODEL} requests: 51 recorded, 50 expected"],
    ),
    "no limit": (
        replace(RIGHT, limits=[]),
        [f"after200.rate_limit.utilization: {MODEL} requests: nothing recorded, 0.2000 to 0.2000 expected"],
    ),
}


@pytest.mark.parametrize(("recorded", "lines"), WRONG.values(), ids=WRONG)
def test_every_difference_is_named(recorded: Answered, lines: list[str]) -> None:
    assert lines == answer_differences(LOG, set(), 2, recorded)


def test_what_was_told_does_not_differ() -> None:
    assert [] == answer_differences(LOG, set(), 2, RIGHT)


def test_a_share_that_was_used_earlier_than_a_minute_ago_does_not_count() -> None:
    used_up = dict(GOOD.headers) | {"anthropic-ratelimit-requests-remaining": "0"}
    earlier = replace(GOOD, started=20.0, ended=21.0, headers=used_up)
    assert [] == answer_differences([earlier, WAITED, GOOD], set(), 2, _twice(RIGHT))
    just_before = replace(earlier, started=60.0)
    [line] = answer_differences([just_before, WAITED, GOOD], set(), 2, _twice(RIGHT))
    assert line.endswith("0.2000 recorded, 1.0000 to 1.0000 expected")


def _twice(answered: Answered) -> Answered:
    counts = (answered.answers, answered.tools, answered.tokens)
    return Answered(*(each + each for each in counts), answered.waits, answered.limits)
