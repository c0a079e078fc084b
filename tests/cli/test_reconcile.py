# SPDX-License-Identifier: Apache-2.0
"""The demo's arithmetic: what a server's log makes one expect, and that no difference goes unseen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from after200.cli.reconcile import Account, Ending, differences, expected_account, expected_ending
from after200.faults.log import Served

from ..support.served import COMPLETED

NO_STOP = ("message_start", "content_block_delta")
OVERLOADED = replace(COMPLETED, events_sent=(*NO_STOP, "error"), failure="overloaded_error")
HTTP_529 = replace(COMPLETED, events_sent=(), failure="overloaded_error", wire_status=529)
WHOLE_BODY = replace(COMPLETED, streaming=False, events_sent=())

ENDINGS = {
    "completed": (COMPLETED, Ending("completed", None, 200, 200)),
    "whole body": (WHOLE_BODY, Ending("completed", None, 200, 200)),
    "left": (replace(OVERLOADED, request_id="req_left"), Ending("closed", None, 200, 200)),
    "overloaded": (OVERLOADED, Ending("failed", "overloaded_error", 529, 200)),
    "HTTP 529": (HTTP_529, Ending("failed", "overloaded_error", 529, 529)),
    "HTTP 503": (replace(HTTP_529, wire_status=503), Ending("failed", "overloaded_error", 503, 503)),
    "reset": (
        replace(COMPLETED, events_sent=NO_STOP, finished="reset"),
        Ending("failed", "connection_error", None, 200),
    ),
    "whole body cut": (replace(WHOLE_BODY, finished="cut"), Ending("failed", "connection_error", None, None)),
    "stall": (
        replace(COMPLETED, events_sent=NO_STOP, finished="stalled"),
        Ending("failed", "client_timeout_error", None, 200),
    ),
    "truncated": (replace(COMPLETED, events_sent=NO_STOP), Ending("truncated", "stream_truncated", None, 200)),
    "malformed": (
        replace(COMPLETED, scenario="not_json_mid_stream", events_sent=NO_STOP),
        Ending("failed", "stream_malformed", None, 200),
    ),
    "half a body": (
        replace(WHOLE_BODY, scenario="end_without_message_stop"),
        Ending("failed", "stream_malformed", None, 200),
    ),
}


@pytest.mark.parametrize(("served", "ending"), ENDINGS.values(), ids=ENDINGS)
def test_the_log_says_how_a_call_ended(served: Served, ending: Ending) -> None:
    assert ending == expected_ending(served, {"req_left"})


def test_attempts_that_were_retried_are_no_calls() -> None:
    log = [HTTP_529, replace(HTTP_529, attempt=1), replace(COMPLETED, attempt=2), OVERLOADED]
    account = expected_account(log, set(), retries=2)
    completed, overloaded = Ending("completed", None, 200, 200), Ending("failed", "overloaded_error", 529, 200)
    assert Account({completed: 1, overloaded: 1}, {529: 2, 200: 2}, {completed: 1, overloaded: 1}) == account


def test_the_last_attempt_that_the_sdk_makes_is_the_call() -> None:
    log = [replace(HTTP_529, attempt=attempt) for attempt in range(3)]
    account = expected_account(log, set(), retries=2)
    assert {Ending("failed", "overloaded_error", 529, 529): 1} == account.calls
    assert {529: 3} == account.attempts


GOOD, BAD = Ending("completed", None, 200, 200), Ending("failed", "overloaded_error", 529, 200)
ACCOUNT = Account(Counter({GOOD: 3, BAD: 1}), Counter({200: 4}), Counter({GOOD: 3, BAD: 1}))
UNCORRECTED = BAD._replace(status=200)

WRONG = {
    "one call too few": (
        ACCOUNT._replace(calls=Counter({GOOD: 2, BAD: 1})),
        [
            "calls in after200.calls: 3 recorded, 4 expected",
            "after200.calls: completed, status 200, wire status 200: 2 recorded, 3 expected",
        ],
    ),
    "a status not corrected": (
        ACCOUNT._replace(calls=Counter({GOOD: 3, UNCORRECTED: 1})),
        [
            "after200.calls: failed, overloaded_error, status 200, wire status 200: 1 recorded, 0 expected",
            "after200.calls: failed, overloaded_error, status 529, wire status 200: 0 recorded, 1 expected",
        ],
    ),
    "an attempt too many": (
        ACCOUNT._replace(attempts=Counter({200: 5})),
        ["after200.attempts: status 200: 5 recorded, 4 expected"],
    ),
    "a span missing": (
        ACCOUNT._replace(spans=Counter({GOOD: 3})),
        ["spans: failed, overloaded_error, status 529, wire status 200: 0 recorded, 1 expected"],
    ),
    "a stream left open": (ACCOUNT._replace(open_streams=1), ["after200.streams.open: 1 recorded, 0 expected"]),
}


@pytest.mark.parametrize(("recorded", "lines"), WRONG.values(), ids=WRONG)
def test_every_difference_is_named(recorded: Account, lines: list[str]) -> None:
    assert lines == differences(4, ACCOUNT, recorded)


def test_equal_accounts_do_not_differ() -> None:
    assert [] == differences(4, ACCOUNT, ACCOUNT)


def test_a_server_that_saw_fewer_calls_than_were_made_is_a_difference() -> None:
    assert "calls in the fault server's log: 4 recorded, 5 expected" in differences(5, ACCOUNT, ACCOUNT)
