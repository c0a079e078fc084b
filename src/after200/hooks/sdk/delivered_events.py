# SPDX-License-Identifier: Apache-2.0
"""The events that the SDK hands to the application, in an iterator that sees how the reading of a stream ends.

The iterators keep no reference to the stream that the application holds, and none to an event that it has.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import AsyncIterator, Iterator

from ...following.dropped import drop
from ...following.generators import ForwardsAsyncGenerator
from ...following.reading import deliver
from ...following.responses import find
from ...guard import guarded, guarded_in_finalizer
from .calls import SDKCall
from .exceptions import correct


@guarded
def learn_odd_event(running: SDKCall) -> None:
    """The SDK handed the last event, of a name that it may not know, to the application."""
    if running.odd_event is not None:
        running.learn(running.odd_event)
        running.odd_event = None


class Reading:
    """How the reading of one stream's events goes, and what a sign of its end does."""

    __slots__ = ("__weakref__", "_response", "_running", "is_reading")

    def __init__(self, response: object) -> None:
        self._response: object = response
        self._running: SDKCall | None = None
        self.is_reading = False
        """Whether the application waits for the next event."""

    @guarded
    def begin(self) -> SDKCall | None:
        """The application asks for the first event. Returns the call that the response answers, if any.

        Not done when the iterator is made: helpers of the SDK up to 0.42 drop a stream that never began.
        """
        response, self._response = self._response, None
        running = find(response)
        if isinstance(running, SDKCall):
            self._running = running
            running.reader = weakref.ref(self)
        return self._running

    @guarded
    def stopped(self) -> None:
        """The events are at their end."""
        running, self._running = self._running, None
        if running is not None:
            deliver(running, "stop")

    @guarded
    def raised(self, exception: BaseException) -> bool:
        """The SDK raised `exception`. Returns whether it was corrected."""
        running, self._running = self._running, None
        if running is None:
            return False
        deliver(running, "raise", exception)
        return running.corrects_exceptions and bool(correct(running, exception))

    @guarded_in_finalizer
    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # Of an object whose making failed.
            if self._running is not None:
                drop(self._running)


def delivered_events(events: Iterator[object], reading: Reading) -> Iterator[object]:
    """Yields `events`, which the SDK hands to the application, as they are."""
    running = reading.begin()
    if running is None:
        yield from events
        return
    reading.is_reading = True
    try:
        for event in events:
            reading.is_reading = False
            if running.odd_event is not None:
                learn_odd_event(running)
            yield (event, event := None)[0]  # No variable keeps the event alive while the application has it.
            reading.is_reading = True
    except GeneratorExit:
        raise
    except BaseException as exception:
        if reading.raised(exception):
            raise exception  # Python 3.10 remembers the class that an exception was raised with.
        raise
    else:
        reading.stopped()


class ADeliveredEvents(ForwardsAsyncGenerator):
    """The async twin of `delivered_events`. Not an async generator, which the event loop would close by itself."""

    __slots__ = ("_has_begun", "_inner", "_reading", "_running")

    def __init__(self, events: AsyncIterator[object], reading: Reading) -> None:
        self._inner = events
        self._reading = reading
        self._has_begun = False
        self._running: SDKCall | None = None

    def __aiter__(self) -> ADeliveredEvents:
        return self

    async def __anext__(self) -> object:
        reading = self._reading
        if not self._has_begun:
            self._has_begun = True
            self._running = reading.begin()
        reading.is_reading = True
        try:
            # On the stack of this frame, where `async for` has it, the generator keeps its place in the collector's
            # order: of a stream in a cycle, the loop must close the outer generators first, as without this iterator.
            inner = self._inner
            _, event = inner, await inner.__anext__()
        except StopAsyncIteration:
            reading.stopped()
            raise
        except BaseException as exception:
            if reading.raised(exception):
                raise exception  # Python 3.10 remembers the class that an exception was raised with.
            raise
        finally:
            reading.is_reading = False
        running = self._running
        if running is not None and running.odd_event is not None:
            learn_odd_event(running)
        return event
