# SPDX-License-Identifier: Apache-2.0
"""A call that runs: its facts, what is recorded of it, and how it comes to its one end."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from typing import Any, Protocol

from ..call import statuses
from ..call.ended import EndedCall, Verdict, ended
from ..call.exceptions import read_exception
from ..call.facts import Facts
from ..call.observer import CallRecording
from ..call.record import Attempt, Call, Wait, clock
from ..call.verdict import BodyEnd, judge
from ..guard import guarded
from ..locks import Claim, take


class Reader(Protocol):
    """Who hands the events of a body to the application."""

    is_reading: bool
    """Whether the application is waiting for the next event just now."""


class BodyWatch(Protocol):
    """Who reads along the bytes of a body."""

    def stop(self) -> None:
        """No further byte matters."""

    def finish(self) -> Iterable[Facts]:
        """Returns what the end of the body says. Says nothing the second time."""


class RunningCall:
    """One call from its beginning to its end, with what the hooks must remember of it besides its facts."""

    __slots__ = (
        "__weakref__",
        "_attempt_ended_at",
        "_claim",
        "_is_waiting_for_answer",
        "_publication",
        "_waits_since",
        "body",
        "call",
        "corrects_exceptions",
        "ended",
        "ended_at",
        "odd_event",
        "process",
        "reader",
        "recording",
        "response",
        "sends_more",
        "watched",
        "whole_response",
    )

    def __init__(self, call: Call, *, corrects_exceptions: bool, sends_more: bool) -> None:
        self.call = call
        self.recording: CallRecording | None = None
        """What is recorded of the call; None before its beginning and after its end."""
        self.corrects_exceptions = corrects_exceptions
        self.sends_more = sends_more
        """Whether a middleware of the SDK may send further requests for this call while its body is read."""
        self.process = os.getpid()
        self.reader: weakref.ref[Reader] | None = None
        """Who hands events to the application; None before it asks for the first."""
        self.response: weakref.ref[Any] | None = None
        """The HTTP response whose body ends the call; None before there is one."""
        self.watched = False
        """Whether the events of the body are watched where the SDK parses them."""
        self.body: BodyWatch | None = None
        self.odd_event: Facts | None = None
        """What the last event said, if it has a name that some versions of the SDK drop."""
        self.whole_response: Any = None
        """The HTTP response of a call that does not stream, until the request returns."""
        self.ended: EndedCall | None = None
        self.ended_at = 0.0
        self._claim: Claim = [None]
        self._publication: Claim = [None]
        self._is_waiting_for_answer = False
        self._attempt_ended_at = 0.0
        self._waits_since: float | None = None

    # --- attempts ---

    def attempt_begins(self, model: str | None) -> None:
        """An HTTP request that asks for `model` is about to be sent. One that is still unanswered was lost."""
        self.attempt_lost(None)
        self._wait_ends()
        self._is_waiting_for_answer = True
        if model is not None:
            self.call.sent_model = model

    def attempt_lost(self, error_type: str | None) -> None:
        """The open request will not be answered, because of `error_type` where that is known."""
        failure = None if error_type is None else statuses.failure_of(error_type)
        self._attempt_ends(Attempt(None, error_type, failure))

    def attempt_answered(self, status: int) -> None:
        """The open request was answered with `status`."""
        failure = statuses.failure_of_status(status)
        self._attempt_ends(Attempt(status, None if failure is None else str(status), failure))

    def _attempt_ends(self, attempt: Attempt) -> None:
        if self._is_waiting_for_answer:
            self._is_waiting_for_answer = False
            self._attempt_ended_at = clock()
            self.call.attempts.append(attempt)

    @property
    def is_waiting_for_answer(self) -> bool:
        """Whether a request is open."""
        return self._is_waiting_for_answer

    def wait_begins(self) -> None:
        """The SDK is about to wait before it sends the next request."""
        if self.call.attempts:
            self._waits_since = self._attempt_ended_at

    def _wait_ends(self) -> None:
        if self._waits_since is not None:
            seconds = max(clock() - self._waits_since, 0.0)
            self.call.waits.append(Wait(seconds, self.call.attempts[-1].failure))
            self._waits_since = None

    # --- the body ---

    def stream_begins(self) -> None:
        """The application has a stream to read."""
        self.call.streaming = True
        self.call.progress.last_chunk_at = clock()
        if self.recording is not None:
            self.recording.stream_began(self.call)

    def event_came(self) -> None:
        """The SDK parsed an event of the body, so nobody needs its bytes any more."""
        if not self.call.events:
            self.call.events = True
            if self.body is not None:
                self.body.stop()

    def learn(self, facts: Facts) -> None:
        """Adds what an event or a body said."""
        recording = self.recording
        gap = self.call.learn(facts, clock())
        if recording is not None:
            if gap is not None and recording.wants_gaps:
                recording.gap(self.call, gap)
            if facts.inner_error is not None:
                recording.inner_error(self.call, facts.inner_error)

    # --- the end ---

    @guarded
    def end(self, how: BodyEnd, exception: BaseException | None = None, *, was_reading: bool = False) -> None:
        """Ends the call, unless it has ended.

        Args:
            how: how the reading of its body ended.
            exception: what was raised, with `raised`.
            was_reading: whether the application was waiting for the wire when it closed the body.
        """
        if self.settle(how, exception, was_reading=was_reading):
            self.publish()

    @guarded
    def end_with(self, verdict: Verdict) -> None:
        """Ends the call with a verdict that is already made, unless it has ended."""
        if self._take():
            self._keep(verdict, clock(), by_the_wire=True)
            self.publish()

    def settle(
        self,
        how: BodyEnd,
        exception: BaseException | None = None,
        *,
        was_reading: bool = False,
        at: float | None = None,
    ) -> bool:
        """Judges the call, as of the time `at`. Returns False when that has been done before."""
        if not self._take():
            return False
        if how == "read":
            self._finish_body()
        raised = None if exception is None else read_exception(exception)
        by_the_wire = how in ("read", "raised") or was_reading
        self._keep(judge(self.call, how, raised), clock() if at is None else at, by_the_wire=by_the_wire)
        return True

    @guarded
    def _finish_body(self) -> None:
        for facts in () if self.body is None else self.body.finish():
            self.learn(facts)

    def _take(self) -> bool:
        """Returns whether the caller is the one who ends this call. In a forked process, the parent ends it."""
        return self.process == os.getpid() and take(self._claim)

    def _keep(self, verdict: Verdict, at: float, *, by_the_wire: bool) -> None:
        self._wait_ends()
        self.ended_at = at
        self.ended = ended(self.call, verdict, at, by_the_wire=by_the_wire)

    def complete_sdk_span(self) -> None:
        """Writes what the call came to on the SDK's own span, which the SDK is about to end."""
        if self.ended is not None and self.recording is not None:
            self.recording.complete_span(self.ended)

    def publish(self) -> None:
        """Hands the record of the call, which has been judged, to whoever records it, once."""
        # Another thread may be judging the call just now; then it will publish it.
        if self.ended is None or not take(self._publication):
            return
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.end(self.ended, max(clock() - self.ended_at, 0.0))
        self.whole_response = self.body = self.odd_event = None

    @property
    def is_open(self) -> bool:
        """Whether the call has not been published, and this process is the one to do it."""
        return bool(self._publication) and self.process == os.getpid()

    @property
    def failed(self) -> bool:
        """Whether the call has ended with an error."""
        return self.ended is not None and self.ended.verdict.error_type is not None
