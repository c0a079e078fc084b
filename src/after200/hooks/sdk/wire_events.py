# SPDX-License-Identifier: Apache-2.0
"""The events of a stream as they were on the wire, in an iterator that reads each.

The SDK drops some of them afterwards: those without a name, and those whose name it does not know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from ...call.events import CHUNK, CHUNK_TYPE, ERROR_FIELD, KNOWN_NAMES, read_event
from ...call.record import clock
from ...following.generators import ForwardsAsyncGenerator
from ...following.reading import deliver
from ...guard import guarded, report_fault
from .calls import SDKCall
from .objects import Event, PlainEvent

# A plain chunk, one that needs no decoding, is counted where it passes and costs as little as can be: both twins do so
# in the same words, and read the fields under the SDK's properties.


@guarded
def read(running: SDKCall, sse: Event) -> type[Event] | None:
    """Reads `sse`, any event but the plain chunks. Returns the class of the events that may be plain from here on."""
    running.see_event()
    call, name, data = running.call, sse.event, sse.data
    facts = read_event(name, data, call.end_rule, look_for_text=call.progress.first_text_at is None)
    running.odd_event = None
    if facts is not None and facts.error is None and name not in KNOWN_NAMES:
        # Some versions of the SDK hand this event to the application and some drop it: `delivered_events` will see.
        running.odd_event = facts
        return None
    if facts is not None:
        running.learn(facts)
    return type(sse) if may_be_plain(running) and hasattr(sse, "_event") and hasattr(sse, "_data") else None


def may_be_plain(running: SDKCall) -> bool:
    """Returns whether a chunk can do without decoding: the first text is known, and not each gap is recorded."""
    recording = running.recording
    return (
        running.call.progress.first_text_at is not None and recording is not None and not recording.records_chunk_gaps
    )


@guarded
def raised(running: SDKCall, exception: BaseException) -> None:
    """The SDK raised `exception` while it read the next event.

    Once the body is at its end, the SDK decodes what has come of an event that is not complete. Where that is no text,
    the body was cut inside a character.
    """
    response = None if running.response is None else running.response()
    was_cut = isinstance(exception, UnicodeDecodeError) and getattr(response, "is_closed", False)
    deliver(running, "stop" if was_cut else "raise", exception)


def wire_events(events: Iterator[PlainEvent], running: SDKCall) -> Iterator[PlainEvent]:
    """Yields `events`, which the SDK is about to parse, as they are, each read."""
    progress = running.call.progress
    plain: type[Event] | None = None
    try:
        for sse in events:
            try:
                if (
                    type(sse) is plain
                    and sse._event == CHUNK
                    and CHUNK_TYPE in (data := sse._data)
                    and ERROR_FIELD not in data
                ):
                    now = clock()
                    if now - progress.last_chunk_at > progress.longest_gap:
                        progress.longest_gap = now - progress.last_chunk_at
                    progress.last_chunk_at = now
                    progress.chunks += 1
                else:
                    plain = read(running, sse)
            except Exception:
                report_fault("after200.hooks.sdk.wire_events")
            yield sse
            del sse  # An event is not kept alive until the next one comes.
    except GeneratorExit:
        raise
    except BaseException as exception:
        raised(running, exception)
        raise


class AWireEvents(ForwardsAsyncGenerator):
    """The async twin of `wire_events`. Not an async generator, which the event loop would close by itself."""

    __slots__ = ("_inner", "_plain", "_progress", "_running")

    def __init__(self, events: AsyncIterator[PlainEvent], running: SDKCall) -> None:
        self._inner = events
        self._running = running
        self._progress = running.call.progress
        self._plain: type[Event] | None = None

    def __aiter__(self) -> AWireEvents:
        return self

    async def __anext__(self) -> PlainEvent:
        try:
            inner: AsyncIterator[PlainEvent] = self._inner  # On the stack: see `delivered_events`.
            _, sse = inner, await inner.__anext__()
        except BaseException as exception:
            if not isinstance(exception, StopAsyncIteration):
                raised(self._running, exception)
            raise
        try:
            if (
                type(sse) is self._plain
                and sse._event == CHUNK
                and CHUNK_TYPE in (data := sse._data)
                and ERROR_FIELD not in data
            ):
                progress, now = self._progress, clock()
                if now - progress.last_chunk_at > progress.longest_gap:
                    progress.longest_gap = now - progress.last_chunk_at
                progress.last_chunk_at = now
                progress.chunks += 1
            else:
                self._plain = read(self._running, sse)
        except Exception:
            report_fault("after200.hooks.sdk.wire_events")
        return sse
