# SPDX-License-Identifier: Apache-2.0
"""Wraps the body of a response of httpx: parses its bytes when no event iterator does, and reports its end.

The tap takes the place of `response.stream`, as the SDK's own tracing does. Of a stream that the SDK parses it reads
only the beginning, until the first event came: a body in which no event ever comes is judged by its bytes. Of a body
that the application reads as bytes or lines, it reads everything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

from ..guard import guarded
from .current import AGeneratorSending, ASending, Sending
from .feeds import BodyFeed, make_feed
from .generators import ForwardsAsyncGenerator
from .protocols import Headers, StreamedResponse
from .reading import deliver
from .responses import follow
from .running import RunningCall

Chunks = TypeVar("Chunks", Iterator[bytes], AsyncIterator[bytes])


def follow_body(running: RunningCall, response: StreamedResponse, *, sends_more: bool = False) -> None:
    """Ends `running` when the body of `response` ends, in whichever way the application deals with it.

    `sends_more`: whether further requests may be sent for this call while its body is read.
    """
    response.stream = Tap(response.stream, running, response.headers, sends_more=sends_more)
    follow(response, running)


class Tap:
    """A body that reports how it is read. In all else it is the body that it stands for.

    Not a proxy of wrapt's: the SDK asks the body of each response for `stream_observer` at each event, most bodies have
    none, and there a proxy takes longer to say so than everything else that is done for an event.
    """

    stream_observer: object = None

    def __init__(self, body: Any, running: RunningCall, headers: Headers, *, sends_more: bool) -> None:
        self._body = body
        self._running = running
        self._headers = headers
        self._sends_more = sends_more
        observer = getattr(body, "stream_observer", None)
        if observer is not None:
            self.stream_observer = observer

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the body: the HTTP client asks for it."""
        return type(self._body)

    def __getattr__(self, attribute: str) -> object:
        return getattr(self.__dict__["_body"], attribute)

    def __iter__(self) -> Iterator[bytes]:
        chunks: Iterator[bytes] = iter(self._body)
        return wrap_chunks(self, chunks, Sending, read_along) or chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: AsyncIterator[bytes] = aiter(self._body)
        if isinstance(chunks, AsyncGenerator):
            return wrap_chunks(self, chunks, AGeneratorSending, AGeneratorChunks) or chunks
        return wrap_chunks(self, chunks, ASending, AChunks) or chunks

    def close(self) -> None:
        deliver(self._running, "body_closed")
        self._body.close()

    async def aclose(self) -> None:
        deliver(self._running, "body_closed")
        await self._body.aclose()


@guarded
def wrap_chunks(
    tap: Tap,
    chunks: Chunks,
    sending: Callable[[Chunks, RunningCall], Chunks],
    reading: Callable[[Chunks, RunningCall, BodyFeed], Chunks],
) -> Chunks:
    """Returns the chunks, wrapped by `sending` if requests may be sent for them, and by `reading` if not parsed yet."""
    running = tap._running
    if tap._sends_more:
        chunks = sending(chunks, running)
    if running.feed is not None or running.ended is not None:
        return chunks
    return reading(chunks, running, make_feed(running, tap._headers))


@guarded
def deliver_end_of_chunks(running: RunningCall, exception: BaseException) -> None:
    """Reading the next chunk raised `exception`: the body is at its end, or broke."""
    if not isinstance(exception, StopIteration | StopAsyncIteration):
        deliver(running, "raise", exception)
    elif not running.events_are_parsed:
        deliver(running, "stop")


def read_along(chunks: Iterator[bytes], running: RunningCall, feed: BodyFeed) -> Iterator[bytes]:
    """Yields the chunks unchanged, and parses them until `feed` needs no more."""
    if running.call.client is not None:
        return _read_all_along(chunks, running, feed)
    return chain.from_iterable(_read_along(chunks, running, feed))


def _read_along(chunks: Iterator[bytes], running: RunningCall, feed: BodyFeed) -> Iterator[Iterable[bytes]]:
    while not feed.is_done:
        feed.is_waiting = not running.events_are_parsed
        try:
            chunk = next(chunks)
        except BaseException as exception:
            deliver_end_of_chunks(running, exception)
            if isinstance(exception, StopIteration):
                return
            raise
        feed.is_waiting = False
        feed.feed(chunk)
        yield (chunk,)
    yield chunks  # What is left comes from the body itself, without a step of ours.


def _read_all_along(chunks: Iterator[bytes], running: RunningCall, feed: BodyFeed) -> Iterator[bytes]:
    """Yields the chunks of a body whose events no library parses: all are fed, so none needs a tuple around it."""
    feed_chunk = feed.feed
    while True:
        feed.is_waiting = True
        try:
            chunk = next(chunks)
        except BaseException as exception:
            deliver_end_of_chunks(running, exception)
            if isinstance(exception, StopIteration):
                return
            raise
        feed.is_waiting = False
        feed_chunk(chunk)
        yield chunk


class AChunks:
    """The async twin of `read_along`."""

    __slots__ = ("_feed", "_inner", "_running")

    def __init__(self, chunks: AsyncIterator[bytes], running: RunningCall, feed: BodyFeed) -> None:
        self._inner = chunks
        self._running = running
        self._feed = feed

    def __aiter__(self) -> AChunks:
        return self

    async def __anext__(self) -> bytes:
        # On the stack of this frame, where `async for` has it, the generator keeps its place in the collector's order:
        # of a stream in a cycle, the loop must close the outer generators first, as without this iterator.
        inner, feed = self._inner, self._feed
        if feed.is_done:
            _, chunk = inner, await inner.__anext__()
            return chunk
        feed.is_waiting = not self._running.events_are_parsed
        try:
            _, chunk = inner, await inner.__anext__()
        except BaseException as exception:
            deliver_end_of_chunks(self._running, exception)
            raise
        feed.is_waiting = False
        feed.feed(chunk)
        return chunk


class AGeneratorChunks(ForwardsAsyncGenerator, AChunks):
    """Chunks that come from an async generator."""

    __slots__ = ()
