# SPDX-License-Identifier: Apache-2.0
"""How the reading of a body ends: what the table of `following/reading.py` says of each sign, and their delivery."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from typing import Any, get_args

import pytest

from after200.following.reading import (
    OF_THE_SDK,
    REFINED,
    TABLE,
    InFlight,
    Sign,
    State,
    decide,
    deliver,
    in_flight,
    state_of,
)
from after200.following.running import RunningCall

from .calls import exception_of, new_call

STATES: tuple[State, ...] = get_args(State)
SIGNS: tuple[Sign, ...] = get_args(Sign)
ERROR = ConnectionResetError("reset")
CANCELLED = asyncio.CancelledError()
EXIT = GeneratorExit()
TRIO_CANCELLED = exception_of("trio", "Cancelled", BaseException)()
DELIVERED: set[Sign] = {"stop", "raise", "close", "body_closed", *OF_THE_SDK}
IN_FLIGHT = [None, ERROR, CANCELLED, KeyboardInterrupt(), EXIT]


def test_the_table_has_an_end_for_every_sign_in_every_state() -> None:
    assert {*itertools.product(SIGNS, STATES)} == {(sign, state) for sign, row in TABLE.items() for state in row}


def test_what_is_in_flight_makes_another_sign_of_a_sign_that_is_delivered() -> None:
    delivered = {sign for sign, _ in REFINED}
    assert delivered.isdisjoint(REFINED.values())
    assert {*SIGNS} == DELIVERED | {*REFINED.values()}
    assert delivered < DELIVERED


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (None, "nothing"),
        (ERROR, "error"),
        (EXIT, "exit"),
        (CANCELLED, "interrupt"),
        (TRIO_CANCELLED, "interrupt"),
        (KeyboardInterrupt(), "interrupt"),
        (SystemExit(), "interrupt"),
    ],
)
def test_an_exception_in_flight_is_an_error_an_exit_or_an_interrupt(
    exception: BaseException | None, kind: InFlight
) -> None:
    assert kind == in_flight(exception)


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        ("stop", "read read read read"),
        ("raise", "raised raised raised raised"),
        ("close", "closed closed closed dropped"),
        # While a read is under way, the SDK and its HTTP client close the body too.
        ("body_closed", "closed wait closed dropped"),
        ("sdk_read", "read read read dropped"),
        ("sdk_failed", "raised raised raised raised"),
        ("sdk_closed", "closed closed closed dropped"),
    ],
)
def test_without_an_exception_the_state_decides(sign: Sign, expected: str) -> None:
    assert expected == " ".join(decide(state, sign, None) for state in STATES)


# --- exceptions in flight ---


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sign", ["raise", "sdk_failed"])
def test_what_was_raised_ended_the_body_and_a_generator_s_exit_is_a_drop(sign: Sign, state: State) -> None:
    for exception in (ERROR, CANCELLED, KeyboardInterrupt()):
        assert "raised" == decide(state, sign, exception)
    # A coroutine that was waiting for the next event was dropped.
    assert "dropped" == decide(state, sign, EXIT)


@pytest.mark.parametrize("sign", ["body_closed", "sdk_closed"])
def test_an_event_loop_that_ends_closes_a_generator_that_the_application_left_open(sign: Sign) -> None:
    assert "dropped" == decide("paused", sign, EXIT)


@pytest.mark.parametrize("exception", [CANCELLED, KeyboardInterrupt(), SystemExit(), TRIO_CANCELLED])
def test_the_sdk_closes_the_body_for_a_cancellation_or_an_interrupt_that_came_out_of_a_read(
    exception: BaseException,
) -> None:
    assert "raised" == decide("reading", "sdk_closed", exception)


@pytest.mark.parametrize("exception", IN_FLIGHT)
@pytest.mark.parametrize(
    ("sign", "state"),
    [
        # A task that is cancelled elsewhere ends its stream as `closed`: rule 2 of the contract.
        ("close", "unread"),
        ("close", "reading"),
        ("close", "paused"),
        ("body_closed", "unread"),
        ("sdk_closed", "unread"),
    ],
)
def test_a_stream_that_is_closed_while_something_is_handled_elsewhere_is_closed(
    sign: Sign, state: State, exception: BaseException | None
) -> None:
    assert "closed" == decide(state, sign, exception)


@pytest.mark.parametrize("exception", [None, ERROR, CANCELLED, KeyboardInterrupt()])
@pytest.mark.parametrize("sign", ["body_closed", "sdk_closed"])
def test_a_stream_that_is_left_by_an_exception_between_two_events_is_closed(
    sign: Sign, exception: BaseException | None
) -> None:
    assert "closed" == decide("paused", sign, exception)


@pytest.mark.parametrize("exception", IN_FLIGHT)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sign", ["stop", "sdk_read"])
def test_a_body_that_was_read_was_read_whatever_is_handled_elsewhere(
    sign: Sign, state: State, exception: BaseException | None
) -> None:
    assert TABLE[sign][state] == decide(state, sign, exception)


@pytest.mark.parametrize("exception", IN_FLIGHT)
def test_while_a_read_is_under_way_a_closed_body_says_nothing(exception: BaseException | None) -> None:
    assert "wait" == decide("reading", "body_closed", exception)


@pytest.mark.parametrize("exception", [None, ERROR])
def test_an_sdk_that_closes_during_a_read_without_an_interruption_closes(exception: BaseException | None) -> None:
    assert "closed" == decide("reading", "sdk_closed", exception)


def test_an_http_client_that_leaves_its_generators_during_a_read_could_not_decode_the_bytes() -> None:
    assert "undecodable" == decide("reading", "sdk_closed", EXIT)


@pytest.mark.parametrize("exception", IN_FLIGHT)
@pytest.mark.parametrize("sign", ["close", "body_closed", "sdk_closed", "sdk_read"])
def test_who_is_gone_has_dropped_the_stream(sign: Sign, exception: BaseException | None) -> None:
    assert "dropped" == decide("gone", sign, exception)


# --- the state ---


class Reader:
    """Hands events to the application."""

    def __init__(self, *, is_reading: bool) -> None:
        self.is_reading = is_reading


def running_call() -> RunningCall:
    return RunningCall(new_call())


def test_the_state_is_how_far_the_reader_is() -> None:
    running = running_call()
    assert "unread" == state_of(running)
    reader: Any = Reader(is_reading=True)
    running.reader = weakref.ref(reader)
    assert "reading" == state_of(running)
    reader.is_reading = False
    assert "paused" == state_of(running)
    del reader
    assert "gone" == state_of(running)


class Response:
    """Stands for the HTTP response."""


@pytest.mark.parametrize("is_reading", [None, True, False])
def test_whose_response_is_gone_is_gone_however_far_its_reader_was(is_reading: bool | None) -> None:
    running, response = running_call(), Response()
    reader: Any = None if is_reading is None else Reader(is_reading=is_reading)
    running.reader = None if reader is None else weakref.ref(reader)
    running.response = weakref.ref(response)
    assert {None: "unread", True: "reading", False: "paused"}[is_reading] == state_of(running)
    del response
    assert "gone" == state_of(running)


# --- delivery ---


@pytest.mark.parametrize(
    ("sign", "exception", "outcome"),
    [
        ("stop", None, "truncated"),
        ("raise", ERROR, "failed"),
        ("raise", CANCELLED, "cancelled"),
        ("close", None, "closed"),
        ("body_closed", None, "closed"),
        ("sdk_closed", None, "closed"),
    ],
)
def test_a_sign_ends_the_call(sign: Sign, exception: BaseException | None, outcome: str) -> None:
    running = running_call()
    deliver(running, sign, exception)
    assert running.ended is not None
    assert outcome == running.ended.verdict.outcome


def test_an_exception_that_is_being_handled_is_taken_where_none_is_named() -> None:
    running = running_call()
    try:
        raise ERROR
    except ConnectionResetError:
        deliver(running, "sdk_failed")
    assert running.ended is not None
    assert "connection_error" == running.ended.verdict.error_type


def test_an_exception_that_is_handled_elsewhere_does_not_fail_a_stream_that_is_closed() -> None:
    running = running_call()
    try:
        raise ERROR
    except ConnectionResetError:
        deliver(running, "close")
    assert running.ended is not None
    assert ("closed", None) == (running.ended.verdict.outcome, running.ended.verdict.error_type)


def test_a_body_that_is_closed_during_a_read_ends_with_the_next_sign() -> None:
    running = running_call()
    reader: Any = Reader(is_reading=True)
    running.reader = weakref.ref(reader)
    deliver(running, "body_closed")
    assert None is running.ended
    deliver(running, "raise", ERROR)
    assert running.ended is not None
    assert "failed" == running.ended.verdict.outcome


@pytest.mark.parametrize("later", SIGNS)
def test_the_first_sign_that_ends_a_call_ends_it(later: Sign) -> None:
    running = running_call()
    deliver(running, "close")
    first = running.ended
    deliver(running, later, ERROR)
    assert first is running.ended
