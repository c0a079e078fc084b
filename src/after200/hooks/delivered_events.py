# SPDX-License-Identifier: Apache-2.0
"""The events that the SDK hands to the application, in an iterator that sees how the reading of a stream ends.

The sync one is a generator. The async one is an object, because an async generator would be one more for the event loop
to close. Neither keeps a reference to the stream that the application holds.
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
from .generators import ForwardsGenerator
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


class Waiting:
    """Whether the application waits for the next event of a sync stream. Lives as long as its generator runs."""

    is_reading = True


def delivered_events(events: Iterator[Any], response: Foreign) -> Iterator[Foreign]:
    """Yields `events`, which the SDK hands to the application, as they are."""
    waiting = Waiting()
    running = begin(response, waiting)
    del response
    if running is None:
        yield from events
        return
    try:
        for event in events:
            waiting.is_reading = False
            if running.odd_event is not None:
                learn_odd_event(running)
            yield event
            event = None  # An event is not kept alive until the next one comes.
            waiting.is_reading = True
    except GeneratorExit:
        del waiting  # Whoever closes the body now finds that the reader is gone.
        DROPPED.append((running, clock()))
        raise
    except BaseException as exception:
        if raised(running, exception):
            raise exception  # Python 3.10 remembers the class that an exception was raised with.
        raise
    deliver(running, "stop")


class ADeliveredEvents(ForwardsGenerator):
    """The async twin of `delivered_events`."""

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
