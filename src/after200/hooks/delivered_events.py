# SPDX-License-Identifier: Apache-2.0
"""The events that the SDK hands to the application, in an iterator that sees how the reading of a stream ends.

The iterators are objects and no generators. A generator would keep each event alive until the application asks for the
next one, and an async generator would be one more for the event loop to close. They keep no reference to the stream
that the application holds.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..call.record import clock
from ..guard import guarded
from .exceptions import correct
from .foreign import Foreign
from .generators import ForwardsAsyncGenerator, ForwardsGenerator
from .reading import deliver
from .responses import DROPPED, find
from .running import Reader, RunningCall


@guarded
def begin(response: Foreign, reader: Reader) -> RunningCall | None:
    """The application asks for the first event of `response`, and `reader` hands it over from here on.

    Helpers of the SDK up to 0.42 drop a stream of the same response that never began.
    """
    running = find(response)
    if running is not None:
        running.reader = weakref.ref(reader)
    return running


@guarded
def learn_odd_event(running: RunningCall) -> None:
    """The SDK handed the last event, of a name that it may not know, to the application."""
    if running.odd_event is not None:
        running.learn(running.odd_event)
        running.odd_event = None


@guarded
def raised(running: RunningCall, exception: BaseException) -> bool:
    """The SDK raised `exception`. Returns whether it was corrected."""
    deliver(running, "raise", exception)
    return running.corrects_exceptions and bool(correct(running, exception))


class DeliveredEvents(ForwardsGenerator):
    """The events that the SDK hands to the application, as they are."""

    __slots__ = ("__weakref__", "_inner", "_next", "_response", "_running", "is_reading")

    def __init__(self, events: Iterator[Any], response: Foreign) -> None:
        self._running: RunningCall | None = None
        self._inner = events
        self._next = events.__next__
        self._response = response
        self.is_reading = False

    def __iter__(self) -> DeliveredEvents:
        return self

    def __next__(self) -> Foreign:
        if self._response is not None:
            response, self._response = self._response, None
            self._running = begin(response, self)
            del response
        self.is_reading = True
        try:
            event = self._next()
        except BaseException as exception:
            running, self._running = self._running, None
            if running is not None:
                if isinstance(exception, StopIteration):
                    deliver(running, "stop")
                elif raised(running, exception):
                    raise exception  # Python 3.10 remembers the class that an exception was raised with.
            raise
        finally:
            self.is_reading = False
        if self._running is not None and self._running.odd_event is not None:
            learn_odd_event(self._running)
        return event

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # Of an object whose making failed.
            if self._running is not None:
                DROPPED.append((self._running, clock()))


class ADeliveredEvents(ForwardsAsyncGenerator):
    """The async twin of `DeliveredEvents`."""

    __slots__ = ("__weakref__", "_inner", "_next", "_response", "_running", "is_reading")

    def __init__(self, events: AsyncIterator[Any], response: Foreign) -> None:
        self._running: RunningCall | None = None
        self._inner = events
        self._next = events.__anext__
        self._response = response
        self.is_reading = False

    def __aiter__(self) -> ADeliveredEvents:
        return self

    async def __anext__(self) -> Foreign:
        if self._response is not None:
            response, self._response = self._response, None
            self._running = begin(response, self)
            del response
        self.is_reading = True
        try:
            event = await self._next()
        except BaseException as exception:
            running, self._running = self._running, None
            if running is not None:
                if isinstance(exception, StopAsyncIteration):
                    deliver(running, "stop")
                elif raised(running, exception):
                    raise exception  # Python 3.10 remembers the class that an exception was raised with.
            raise
        finally:
            self.is_reading = False
        if self._running is not None and self._running.odd_event is not None:
            learn_odd_event(self._running)
        return event

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # Of an object whose making failed.
            if self._running is not None:
                DROPPED.append((self._running, clock()))
