# SPDX-License-Identifier: Apache-2.0
"""A call that runs: its attempts, its waits, what is told of it, and its one end."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from after200.call.ended import EndedCall
from after200.call.exceptions import read_exception
from after200.call.facts import Facts, ProviderError
from after200.call.record import Attempt, Wait
from after200.following import attempts as attempts_module
from after200.following import running as running_module
from after200.following.reading import write_sdk_span
from after200.following.running import Ending, RunningCall

from ..support.patience import PATIENCE_S
from .calls import new_call


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Recording:
    """Keeps what it is told."""

    def __init__(self, *, records_chunk_gaps: bool = False) -> None:
        self.records_chunk_gaps = records_chunk_gaps
        self.told: list[tuple[Any, ...]] = []

    def stream_began(self, call: object) -> None:
        self.told.append(("stream_began",))

    def gap(self, call: object, seconds: float) -> None:
        self.told.append(("gap", seconds))

    def inner_error(self, call: object, error: ProviderError) -> None:
        self.told.append(("inner_error", error))

    def write_sdk_span(self, call: EndedCall) -> None:
        self.told.append(("write_sdk_span", call.verdict.outcome))

    def end(self, call: EndedCall, ended_ago: float) -> None:
        self.told.append(("end", call.verdict.outcome, ended_ago))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (attempts_module, running_module):
        monkeypatch.setattr(module, "clock", clock)
    return clock


def running_call(recording: Recording | None = None) -> RunningCall:
    running = RunningCall(new_call())
    running.recording = recording  # type: ignore[assignment]
    running.call.started_at = 100.0
    return running


# --- attempts ---


def test_each_attempt_is_one_whatever_became_of_it() -> None:
    running = running_call()
    running.attempts.begin(None)
    running.attempts.lose("connection_error")
    running.attempts.begin(None)
    running.attempts.begin(None)  # The one before was lost, and nobody said why.
    running.attempts.answer(529)
    running.attempts.begin(None)
    running.attempts.answer(200)
    expected = [
        Attempt(None, "connection_error", "connection"),
        Attempt(None),
        Attempt(529, "529", "overloaded"),
        Attempt(200),
    ]
    assert expected == running.call.attempts


def test_an_attempt_ends_once() -> None:
    running = running_call()
    running.attempts.begin(None)
    assert running.attempts.is_open
    running.attempts.answer(429)
    running.attempts.answer(200)
    running.attempts.lose("client_timeout_error")
    assert not running.attempts.is_open
    assert [Attempt(429, "429", "rate_limited")] == running.call.attempts


def test_an_answer_to_nothing_is_no_attempt() -> None:
    running = running_call()
    running.attempts.answer(200)
    running.attempts.lose("connection_error")
    assert [] == running.call.attempts


def test_the_model_of_the_last_attempt_is_the_one_that_was_sent() -> None:
    running = running_call()
    for model in ("claude-asked", "claude-hop", None):
        running.attempts.begin(model)
    assert ("claude-asked", "claude-hop") == (running.call.model, running.call.sent_model)


# --- waits ---


def test_a_wait_is_from_the_end_of_an_attempt_to_the_sending_of_the_next(clock: Clock) -> None:
    running = running_call()
    running.attempts.begin(None)
    clock.now = 101.0
    running.attempts.answer(529)
    clock.now = 101.25
    running.attempts.begin_wait()
    clock.now = 103.0
    running.attempts.begin(None)
    clock.now = 110.0
    running.attempts.lose("connection_error")
    running.attempts.begin_wait()
    clock.now = 114.0
    running.attempts.begin(None)
    clock.now = 120.0
    running.attempts.answer(200)
    running.end(Ending("closed"))
    assert [Wait(2.0, "overloaded"), Wait(4.0, "connection")] == running.call.waits


def test_a_call_that_is_given_up_while_it_waits_has_waited_until_then(clock: Clock) -> None:
    running = running_call()
    running.attempts.begin(None)
    running.attempts.answer(429)
    running.attempts.begin_wait()
    clock.now = 107.0
    running.end(Ending("raised", read_exception(KeyboardInterrupt())))
    assert running.ended is not None
    assert ((Wait(7.0, "rate_limited"),), "cancelled") == (running.ended.waits, running.ended.verdict.outcome)


def test_without_an_attempt_nothing_waits(clock: Clock) -> None:
    running = running_call()
    running.attempts.begin_wait()
    clock.now = 107.0
    running.end(Ending("closed"))
    assert [] == running.call.waits


# --- what is told ---


def test_gaps_are_told_only_to_who_wants_them(clock: Clock) -> None:
    for records_chunk_gaps, expected in [(True, [("stream_began",), ("gap", 2.0)]), (False, [("stream_began",)])]:
        recording = Recording(records_chunk_gaps=records_chunk_gaps)
        running = running_call(recording)
        running.begin_stream()
        for clock.now in (101.0, 103.0):
            running.learn(Facts(chunk=True))
        assert expected == recording.told


def test_an_error_of_something_else_than_the_call_is_told_at_once() -> None:
    recording = Recording()
    error = ProviderError("overloaded_error", "m")
    running_call(recording).learn(Facts(inner_error=error))
    assert [("inner_error", error)] == recording.told


# --- the end ---


def test_a_call_ends_once_and_its_record_is_handed_over_once(clock: Clock) -> None:
    recording = Recording()
    running = running_call(recording)
    clock.now = 104.0
    running.end(Ending("closed"))
    running.end(Ending("read"))
    running.publish()
    assert [("end", "closed", 0.0)] == recording.told
    assert running.ended is not None
    assert 4.0 == running.ended.duration


def test_a_call_that_is_judged_before_it_is_published_ended_when_it_was_judged(clock: Clock) -> None:
    recording = Recording()
    running = running_call(recording)
    assert running.settle(Ending("dropped", at=102.0))
    assert not running.settle(Ending("read"))
    write_sdk_span(running)
    clock.now = 109.0
    running.publish()
    assert [("write_sdk_span", "abandoned"), ("end", "abandoned", 7.0)] == recording.told
    assert running.ended is not None
    assert 2.0 == running.ended.duration


@pytest.mark.parametrize(
    ("how", "exception", "was_reading", "expected"),
    [
        ("read", None, False, 9.0),
        ("raised", ConnectionResetError(), False, 9.0),
        ("closed", None, True, 9.0),
        ("closed", None, False, None),
        ("dropped", None, False, None),
    ],
)
def test_the_wait_for_the_wire_at_the_end_is_a_gap(
    how: Any, exception: BaseException | None, was_reading: bool, expected: float | None, clock: Clock
) -> None:
    running = running_call()
    running.begin_stream()
    clock.now = 101.0
    running.learn(Facts(chunk=True))
    clock.now = 110.0
    raised = None if exception is None else read_exception(exception)
    running.end(Ending(how, raised, was_reading=was_reading))
    assert running.ended is not None
    assert expected == running.ended.longest_gap


@pytest.mark.parametrize(("how", "expected"), [("read", "failed"), ("closed", "closed"), ("dropped", "abandoned")])
def test_the_end_of_a_body_says_something_only_when_the_body_was_read(how: Any, expected: str) -> None:
    class Parser:
        def finish(self) -> list[Facts]:
            return [Facts(is_malformed=True)]

    running = running_call()
    running.feed = Parser()
    running.end(Ending(how))
    assert running.ended is not None
    assert expected == running.ended.verdict.outcome
    assert (expected == "failed") is running.failed
    assert None is running.feed


def test_a_fault_at_the_end_of_a_body_does_not_keep_the_call_open(caplog: pytest.LogCaptureFixture) -> None:
    class Parser:
        def finish(self) -> list[Facts]:
            raise RuntimeError("a fault of ours")

    recording = Recording()
    running = running_call(recording)
    running.feed = Parser()
    running.end(Ending("read"))
    assert [("end", "truncated")] == [told[:2] for told in recording.told]


def test_of_many_threads_one_ends_the_call() -> None:
    for _ in range(50):
        recording = Recording()
        running, start = running_call(recording), threading.Barrier(4)

        def end(running: RunningCall = running, start: threading.Barrier = start) -> None:
            start.wait(PATIENCE_S)
            running.end(Ending("closed"))

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert ["end"] == [told[0] for told in recording.told]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork a process")
def test_in_a_forked_process_the_parent_ends_the_call() -> None:
    recording = Recording()
    running = running_call(recording)
    running.process = object()  # As a child sees a call that its parent began.
    running.end(Ending("closed"))
    assert (None, []) == (running.ended, recording.told)
