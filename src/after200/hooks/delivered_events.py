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
from .running import RunningCall


@guarded
def learn_odd_event(running: RunningCall) -> None:
    """The SDK handed the last event, of a name that it may not know, to the application."""
    if running.odd_event is not None:
        running.learn(running.odd_event)
        running.odd_event = None


class _Reading:
    """What both twins do at the beginning and at the end."""

    __slots__ = ("__weakref__", "_inner", "_next", "_response", "_running", "is_reading")

    def __init__(self, events: Foreign, following: Foreign, response: Foreign) -> None:
        self._running: RunningCall | None = None
        self._inner = events
        self._next = following
        self._response = response
        self.is_reading = False

    @guarded
    def _begin(self) -> None:
        """The application asks for the first event. Helpers of the SDK up to 0.42 drop a stream that never began."""
        response, self._response = self._response, None
        self._running = find(response)
        if self._running is not None:
            self._running.reader = weakref.ref(self)

    @guarded
    def _stopped(self) -> None:
        """The events are at their end."""
        running, self._running = self._running, None
        if running is not None:
            deliver(running, "stop")

    @guarded
    def _raised(self, exception: BaseException) -> bool:
        """The SDK raised `exception`. Returns whether it was corrected."""
        running, self._running = self._running, None
        if running is None:
            return False
        deliver(running, "raise", exception)
        return running.corrects_exceptions and bool(correct(running, exception))

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # Of an object whose making failed.
            if self._running is not None:
                DROPPED.append((self._running, clock()))


class DeliveredEvents(ForwardsGenerator, _Reading):
    """The events that the SDK hands to the application, as they are."""

    __slots__ = ()

    def __init__(self, events: Iterator[Any], response: Foreign) -> None:
        super().__init__(events, events.__next__, response)

    def __iter__(self) -> DeliveredEvents:
        return self

    def __next__(self) -> Foreign:
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


class ADeliveredEvents(ForwardsAsyncGenerator, _Reading):
    """The async twin of `DeliveredEvents`."""

    __slots__ = ()

    def __init__(self, events: AsyncIterator[Any], response: Foreign) -> None:
        super().__init__(events, events.__anext__, response)

    def __aiter__(self) -> ADeliveredEvents:
        return self

    async def __anext__(self) -> Foreign:
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
