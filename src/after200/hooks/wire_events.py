# SPDX-License-Identifier: Apache-2.0
"""The events of a stream as they were on the wire, in an iterator that reads each.

The SDK drops some of them afterwards: those without a name, and those whose name it does not know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..call.events import CHUNK, CHUNK_TYPE, ERROR_FIELD, KNOWN_NAMES, read_event
from ..call.record import clock
from ..guard import guarded, report_fault
from .foreign import Foreign
from .generators import ForwardsGenerator
from .reading import deliver
from .running import RunningCall


@guarded
def read(running: RunningCall, name: str | None, data: str) -> None:
    """Reads one event, any but the plain chunks that `WireEvents` counts by itself."""
    call = running.call
    call.events = True
    facts = read_event(name, data, call.end_rule, look_for_text=call.progress.first_text_at is None)
    running.odd_event = None
    if facts is None:
        return
    if facts.error is not None or name in KNOWN_NAMES:
        running.learn(facts)
    else:
        # Some versions of the SDK hand this event to the application and some drop it: `DeliveredEvents` will see.
        running.odd_event = facts


class _Watching:
    """What both twins of `WireEvents` do with an event: a plain chunk costs as little as can be."""

    __slots__ = ("_counts", "_next", "_progress", "_running")

    def __init__(self, running: RunningCall) -> None:
        self._running = running
        self._progress = running.call.progress
        self._counts = running.recording is not None and not running.recording.wants_gaps


class WireEvents(_Watching):
    """The events of the wire, as they are, each read."""

    __slots__ = ()

    def __init__(self, events: Iterator[Any], running: RunningCall) -> None:
        super().__init__(running)
        self._next = events.__next__

    def __iter__(self) -> WireEvents:
        return self

    def __next__(self) -> Foreign:
        try:
            sse = self._next()
        except BaseException as exception:
            if not isinstance(exception, StopIteration):
                deliver(self._running, "raise", exception)
            raise
        progress = self._progress
        try:
            data = sse.data
            if (
                self._counts
                and progress.first_text_at is not None
                and sse.event == CHUNK
                and CHUNK_TYPE in data
                and ERROR_FIELD not in data
            ):
                now = clock()
                gap = now - progress.last_chunk_at
                if gap > progress.longest_gap:
                    progress.longest_gap = gap
                progress.last_chunk_at = now
                progress.chunks += 1
            else:
                read(self._running, sse.event, data)
        except Exception:
            report_fault("after200.hooks.wire_events")
        return sse


class AWireEvents(ForwardsGenerator, _Watching):
    """The async twin of `WireEvents`."""

    __slots__ = ("_inner",)

    def __init__(self, events: AsyncIterator[Any], running: RunningCall) -> None:
        super().__init__(running)
        self._inner = events
        self._next = events.__anext__

    def __aiter__(self) -> AWireEvents:
        return self

    async def __anext__(self) -> Foreign:
        try:
            sse = await self._next()
        except BaseException as exception:
            if not isinstance(exception, StopAsyncIteration):
                deliver(self._running, "raise", exception)
            raise
        progress = self._progress
        try:
            data = sse.data
            if (
                self._counts
                and progress.first_text_at is not None
                and sse.event == CHUNK
                and CHUNK_TYPE in data
                and ERROR_FIELD not in data
            ):
                now = clock()
                gap = now - progress.last_chunk_at
                if gap > progress.longest_gap:
                    progress.longest_gap = gap
                progress.last_chunk_at = now
                progress.chunks += 1
            else:
                read(self._running, sse.event, data)
        except Exception:
            report_fault("after200.hooks.wire_events")
        return sse
