# SPDX-License-Identifier: Apache-2.0
"""A call while it runs, and its record: attempts, chunks and the one end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from after200.call import record
from after200.call.record import Attempt, Call, EndedCall, Verdict

from .calls import new_call


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(record, "clock", clock)
    return clock


def chunks_at(call: Call, clock: Clock, *times: float) -> None:
    for clock.now in times:
        call.chunk()


def ended(call: Call, outcome: str, *, body_over: bool) -> EndedCall:
    found = call.end(Verdict(outcome), body_over=body_over)
    assert found is not None
    return found


def test_the_longest_gap_is_the_longest_between_two_chunks(clock: Clock) -> None:
    call = new_call()
    chunks_at(call, clock, 101.0, 102.0, 105.0, 106.0)
    found = ended(call, "closed", body_over=False)
    assert (4, 3.0, 1.0, 6.0) == (found.chunks, found.longest_gap, found.time_to_first_chunk, found.duration)


def test_the_wait_for_an_end_that_the_wire_made_is_a_gap_too(clock: Clock) -> None:
    call = new_call()
    chunks_at(call, clock, 101.0, 102.0)
    clock.now = 110.0
    assert 8.0 == ended(call, "failed", body_over=True).longest_gap


def test_the_time_that_the_application_took_is_no_gap(clock: Clock) -> None:
    call = new_call()
    chunks_at(call, clock, 101.0, 102.0)
    clock.now = 500.0
    assert 1.0 == ended(call, "closed", body_over=False).longest_gap


def test_one_chunk_has_no_gap_until_the_stream_is_over(clock: Clock) -> None:
    left, over = new_call(), new_call()
    for call in (left, over):
        chunks_at(call, clock, 101.0)
    clock.now = 103.0
    assert None is ended(left, "closed", body_over=False).longest_gap
    assert 2.0 == ended(over, "truncated", body_over=True).longest_gap


def test_without_a_chunk_there_is_no_gap_and_no_first_chunk(clock: Clock) -> None:
    call = new_call()
    clock.now = 103.0
    found = ended(call, "truncated", body_over=True)
    assert (0, None, None, 3.0) == (found.chunks, found.longest_gap, found.time_to_first_chunk, found.duration)


def test_a_stream_left_after_its_end_event_took_until_that(clock: Clock) -> None:
    call = new_call()
    chunks_at(call, clock, 101.0, 102.0)
    clock.now = 104.0
    call.stopped()
    clock.now = 900.0
    call.stopped()
    found = ended(call, "completed", body_over=False)
    assert (4.0, 2.0) == (found.duration, found.longest_gap)


def test_each_gap_is_told_as_it_comes_when_asked_for(clock: Clock) -> None:
    call, gaps = new_call(), []
    call.on_gap = lambda _, gap: gaps.append(gap)
    chunks_at(call, clock, 101.0, 102.0, 105.0)
    assert [1.0, 3.0] == gaps


def test_a_call_ends_once() -> None:
    call = new_call()
    assert not call.ended
    assert "completed" == ended(call, "completed", body_over=True).verdict.outcome
    assert call.ended
    assert None is call.end(Verdict("closed"), body_over=False)


def test_of_many_threads_one_ends_the_call() -> None:
    for _ in range(50):
        call, start = new_call(), threading.Barrier(4)
        ends: list[EndedCall | None] = []

        def end(call: Call = call, start: threading.Barrier = start, ends: list[EndedCall | None] = ends) -> None:
            start.wait(10)
            ends.append(call.end(Verdict("closed"), body_over=False))

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert 1 == sum(found is not None for found in ends)


def test_an_attempt_that_is_answered_twice_is_one_and_keeps_the_type_it_is_told_of() -> None:
    call = new_call(wire=None)
    call.sending()
    call.answered(529, "529")
    call.answered(529, "overloaded_error")
    call.answered(529)
    assert [Attempt(529, "overloaded_error")] == call.attempts


def test_each_attempt_is_one_whatever_became_of_it() -> None:
    call = new_call(wire=None)
    call.sending()
    call.lost("connection_error")
    call.lost("client_timeout_error")
    call.sending()
    call.sending()
    call.answered(200)
    assert [Attempt(None, "connection_error"), Attempt(None, None), Attempt(200, None)] == call.attempts
    assert 2 == ended(call, "completed", body_over=True).resend_count


def test_an_answer_to_nothing_is_no_attempt() -> None:
    call = new_call(wire=None)
    call.answered(200)
    call.lost("connection_error")
    assert [] == call.attempts
    assert 0 == ended(call, "failed", body_over=True).resend_count
