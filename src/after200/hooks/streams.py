# SPDX-License-Identifier: Apache-2.0
"""The events of a stream that the SDK parses, and what is raised out of it.

Two iterators stand in the way of the events: `Watched` sees each event as it was on the wire, before the SDK drops
what it does not know; `Events` sees what the SDK raises, and knows whether the application waits. Both are objects and
no generators: an async generator would be one more for the event loop to close. They keep no reference to the stream
that the application holds.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..call.errors import read_frame_error
from ..call.events import CHUNK, CHUNK_TYPE, KNOWN_NAMES, decode, read_event
from ..call.facts import Facts
from ..call.record import clock
from ..guard import guarded, report_fault
from .exceptions import correct
from .generators import ForwardsGenerator
from .reading import deliver
from .responses import DROPPED, find
from .running import RunningCall

_decoders: weakref.WeakKeyDictionary[Any, RunningCall] = weakref.WeakKeyDictionary()
"""The call whose frames a decoder of Amazon Bedrock's event streams decodes."""


# --- the wrappers, each with the signature that wrapt asks for ---


def stream(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `Stream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return observed(Events, events, instance) or events


def astream(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AsyncStream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return observed(AEvents, events, instance) or events


def iter_events(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `Stream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return watched(Watched, events, instance) or events


def aiter_events(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AsyncStream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return watched(AWatched, events, instance) or events


def close(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around the `close` of a stream or a raw response: the application is done with it."""
    close_stream(instance)
    return wrapped(*args, **kwargs)


def parse_frame(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AWSEventStreamDecoder._parse_message_from_event`."""
    read_frame(instance, args[0] if args else kwargs.get("event"))
    return wrapped(*args, **kwargs)


# --- what they do ---


@guarded
def observed(kind: Any, events: Any, stream: Any) -> Any:
    """Returns `events`, which `stream` hands to the application, as an iterator of `kind`."""
    return kind(events, stream.response)


@guarded
def watched(kind: Any, events: Any, stream: Any) -> Any:
    """Returns `events`, which `stream` is about to parse, as an iterator of `kind`.

    Returns None when nobody hands them to the application: the tap on the body reads them from the bytes.
    """
    running = find(stream.response)
    if running is None or running.reader is None:
        return None
    running.watched = True
    decoder = getattr(stream, "_decoder", None)
    if hasattr(decoder, "_parse_message_from_event"):
        _decoders[decoder] = running
    return kind(events, running)


@guarded
def close_stream(stream: Any) -> None:
    """The application closes `stream`."""
    response = getattr(stream, "response", None)
    running = find(getattr(stream, "http_response", None) if response is None else response)
    if running is not None:
        deliver(running, "close")


@guarded
def read_frame(decoder: Any, frame: Any) -> None:
    """Reads the error in a frame of Amazon Bedrock's while the frame is whole.

    The SDK raises a bare `ValueError` for it before 1.7, knows no type that botocore does not know, and never keeps
    `originalStatusCode`.
    """
    running = _decoders.get(decoder)
    if running is not None:
        error = read_frame_error(frame.headers, decode(frame.payload))
        if error is not None:
            running.call.events = True
            running.learn(Facts(error=error))


@guarded
def read(running: RunningCall, name: str | None, data: str) -> None:
    """Reads one event, any but the plain chunks that `Watched` counts by itself."""
    call = running.call
    call.events = True
    facts = read_event(name, data, call.end_rule, look_for_text=call.progress.first_text_at is None)
    running.odd_event = None
    if facts is None:
        return
    if facts.error is not None or name in KNOWN_NAMES:
        running.learn(facts)
    else:
        # Some versions of the SDK hand this event to the application and some drop it: `Events` will see.
        running.odd_event = facts


@guarded
def learn_odd_event(running: RunningCall) -> None:
    """The SDK handed the last event, of a name that it may not know, to the application."""
    if running.odd_event is not None:
        running.learn(running.odd_event)
        running.odd_event = None


# --- how the reading goes and ends ---


class _Reading:
    """What both twins of `Events` do at the beginning and at the end."""

    __slots__ = ("__weakref__", "_inner", "_next", "_response", "_running", "is_reading")

    def __init__(self, events: Any, response: Any) -> None:
        self._inner = events
        self._response = response
        self._running: RunningCall | None = None
        self.is_reading = False

    @guarded
    def _begin(self) -> None:
        """The application asks for the first event. Helpers of the SDK up to 0.42 drop a stream that never began."""
        response, self._response = self._response, None
        self._running = find(response)
        if self._running is not None:
            self._running.reader = weakref.ref(self)

    @guarded
    def _raised(self, exception: BaseException) -> bool:
        """The SDK raised `exception`. Returns whether it was corrected."""
        running, self._running = self._running, None
        if running is None:
            return False
        deliver(running, "raise", exception)
        return running.corrects_exceptions and bool(correct(running, exception))

    @guarded
    def _stopped(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            deliver(running, "stop")

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # Of an object whose making failed.
            running: RunningCall | None = object.__getattribute__(self, "_running")
            if running is not None:
                DROPPED.append((running, clock()))

    def __getattr__(self, attribute: str) -> Any:
        # What stands here in place of the SDK's generator has all that a generator has.
        return getattr(object.__getattribute__(self, "_inner"), attribute)


class Events(_Reading):
    """The events that the SDK hands to the application, as they are."""

    __slots__ = ()

    def __init__(self, events: Iterator[Any], response: Any) -> None:
        super().__init__(events, response)
        self._next = events.__next__

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Any:
        if self._response is not None:
            self._begin()
        self.is_reading = True
        try:
            event = self._next()
        except StopIteration:
            self._stopped()
            raise
        except BaseException as exception:
            if self._raised(exception):
                raise exception  # Python 3.10 remembers the class that an exception was raised with.
            raise
        finally:
            self.is_reading = False
        if self._running is not None and self._running.odd_event is not None:
            learn_odd_event(self._running)
        return event


class AEvents(ForwardsGenerator, _Reading):
    """The async twin of `Events`."""

    __slots__ = ()

    def __init__(self, events: AsyncIterator[Any], response: Any) -> None:
        super().__init__(events, response)
        self._next = events.__anext__

    def __aiter__(self) -> AEvents:
        return self

    async def __anext__(self) -> Any:
        if self._response is not None:
            self._begin()
        self.is_reading = True
        try:
            event = await self._next()
        except StopAsyncIteration:
            self._stopped()
            raise
        except BaseException as exception:
            if self._raised(exception):
                raise exception  # Python 3.10 remembers the class that an exception was raised with.
            raise
        finally:
            self.is_reading = False
        if self._running is not None and self._running.odd_event is not None:
            learn_odd_event(self._running)
        return event


# --- what goes by ---


class _Watching:
    """What both twins of `Watched` do with an event: a plain chunk costs as little as can be."""

    __slots__ = ("_counts", "_next", "_progress", "_running")

    def __init__(self, running: RunningCall) -> None:
        self._running = running
        self._progress = running.call.progress
        self._counts = running.recording is not None and not running.recording.wants_gaps


class Watched(_Watching):
    """The events of the wire, as they are, each read."""

    __slots__ = ()

    def __init__(self, events: Iterator[Any], running: RunningCall) -> None:
        super().__init__(running)
        self._next = events.__next__

    def __iter__(self) -> Watched:
        return self

    def __next__(self) -> Any:
        try:
            sse = self._next()
        except BaseException as exception:
            if not isinstance(exception, StopIteration):
                deliver(self._running, "raise", exception)
            raise
        progress = self._progress
        try:
            if self._counts and progress.first_text_at is not None and sse.event == CHUNK and CHUNK_TYPE in sse.data:
                now = clock()
                gap = now - progress.last_chunk_at
                if gap > progress.longest_gap:
                    progress.longest_gap = gap
                progress.last_chunk_at = now
                progress.chunks += 1
            else:
                read(self._running, sse.event, sse.data)
        except Exception:
            report_fault("after200.hooks.streams.Watched")
        return sse


class AWatched(ForwardsGenerator, _Watching):
    """The async twin of `Watched`."""

    __slots__ = ("_inner",)

    def __init__(self, events: AsyncIterator[Any], running: RunningCall) -> None:
        super().__init__(running)
        self._inner = events
        self._next = events.__anext__

    def __aiter__(self) -> AWatched:
        return self

    async def __anext__(self) -> Any:
        try:
            sse = await self._next()
        except BaseException as exception:
            if not isinstance(exception, StopAsyncIteration):
                deliver(self._running, "raise", exception)
            raise
        progress = self._progress
        try:
            if self._counts and progress.first_text_at is not None and sse.event == CHUNK and CHUNK_TYPE in sse.data:
                now = clock()
                gap = now - progress.last_chunk_at
                if gap > progress.longest_gap:
                    progress.longest_gap = gap
                progress.last_chunk_at = now
                progress.chunks += 1
            else:
                read(self._running, sse.event, sse.data)
        except Exception:
            report_fault("after200.hooks.streams.Watched")
        return sse
