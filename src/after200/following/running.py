# SPDX-License-Identifier: Apache-2.0
"""A call that runs: its facts, what is recorded of it, and its one end."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from ..call.ended import EndedCall, ended
from ..call.exceptions import Raised
from ..call.facts import Facts
from ..call.observer import CallRecording
from ..call.record import Call, clock
from ..call.verdict import BodyEnd, judge
from ..guard import guarded
from ..locks import Claim, take, this_process
from .attempts import Attempts


class Reader(Protocol):
    """Who hands the events of a body to the application."""

    is_reading: bool
    """Whether the application is waiting for the next event just now."""


class Feed(Protocol):
    """Parses the bytes of one body while the application reads them."""

    is_waiting: bool
    """Whether somebody waits for the next bytes, who reads bytes and no events."""

    def stop(self) -> None:
        """The rest of the bytes is not needed."""

    def finish(self) -> Iterable[Facts]:
        """Returns what the end of the body says; nothing the second time."""

    def leave(self) -> Iterable[Facts]:
        """Returns what the application has read of an event that is not complete, which it leaves."""


class Ending(NamedTuple):
    """How a call ends."""

    how: BodyEnd
    """How the reading of its body ended, or its request, when there is no body."""

    raised: Raised | None = None
    """What was raised, where `how` is `raised` or `rejected`."""

    was_reading: bool = False
    """Whether the application was waiting for the wire when it closed the body."""

    at: float | None = None
    """The time of `clock` when it ended; None for now."""

    @property
    def by_the_wire(self) -> bool:
        """Whether the time since the last chunk was spent waiting for the wire."""
        return self.how in ("read", "rejected", "raised") or self.was_reading


class RunningCall:
    """One call from its beginning to its end, with what must be remembered of it besides its facts."""

    __slots__ = (
        "__weakref__",
        "_claim",
        "_publication",
        "attempts",
        "call",
        "ended",
        "ended_at",
        "events_are_parsed",
        "feed",
        "process",
        "reader",
        "recording",
        "response",
    )

    def __init__(self, call: Call) -> None:
        self.call = call
        self.attempts = Attempts(call)
        self.recording: CallRecording | None = None
        """What is recorded of the call; None before its beginning and after its end."""
        self.process = this_process.token
        self.reader: weakref.ref[Reader] | None = None
        """Who hands events to the application; None before it asks for the first."""
        self.response: weakref.ref[object] | None = None
        """The response whose body ends the call; None before there is one."""
        self.events_are_parsed = False
        """Whether a library parses the events of the body where the door sees them, so that the bytes need not be."""
        self.feed: Feed | None = None
        """What parses the bytes of the body; None before the application reads the first."""
        self.ended: EndedCall | None = None
        self.ended_at = 0.0
        self._claim: Claim = [None]
        self._publication: Claim = [None]

    # --- what the response says ---

    def begin_stream(self) -> None:
        """The application has a stream to read."""
        self.call.streaming = True
        self.call.progress.last_chunk_at = clock()
        if self.recording is not None:
            self.recording.stream_began(self.call)

    def see_event(self) -> None:
        """A library parsed an event of the body, so nobody needs its bytes any more."""
        if not self.call.events:
            self.call.events = True
            if self.feed is not None:
                self.feed.stop()

    def learn(self, facts: Facts) -> None:
        """Adds what an event or a body said."""
        recording = self.recording
        gap = self.call.learn(facts, clock())
        if recording is not None:
            if gap is not None and recording.records_chunk_gaps:
                recording.gap(self.call, gap)
            if facts.inner_error is not None:
                recording.inner_error(self.call, facts.inner_error)

    # --- the end ---

    @guarded
    def end(self, ending: Ending) -> None:
        """Ends the call, unless it has ended: it is judged, and its record is handed to who records it."""
        if self.settle(ending):
            self.publish()

    def settle(self, ending: Ending) -> bool:
        """Judges the call. Returns False when that has been done before. `publish` has to follow, once it may."""
        # In a forked process, the parent ends the calls that it began.
        if self.process is not this_process.token or not take(self._claim):
            return False
        self._finish_feed(ending.how)
        verdict = judge(self.call, ending.how, ending.raised)
        self.attempts.end_wait()
        self.ended_at = clock() if ending.at is None else ending.at
        self.ended = ended(self.call, verdict, self.ended_at, by_the_wire=ending.by_the_wire)
        return True

    @guarded
    def _finish_feed(self, how: BodyEnd) -> None:
        if self.feed is None or how == "raised":
            return
        for facts in self.feed.finish() if how in ("read", "rejected") else self.feed.leave():
            self.learn(facts)

    def publish(self) -> None:
        """Hands the record of the call, which has been judged, to whoever records it, once."""
        # Another thread may be judging the call just now; then it will publish it.
        if self.ended is None or not take(self._publication):
            return
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.end(self.ended, max(clock() - self.ended_at, 0.0))
        self.feed = None

    @property
    def is_open(self) -> bool:
        """Whether the call has not been published, and this process is the one to do it."""
        return bool(self._publication) and self.process is this_process.token

    @property
    def failed(self) -> bool:
        """Whether the call has ended with an error."""
        return self.ended is not None and self.ended.verdict.error_type is not None
