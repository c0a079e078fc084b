# SPDX-License-Identifier: Apache-2.0
"""The tap on the body of a response: it reads the bytes along where nobody else sees the events, and tells of closing.

The tap takes the place of `response.stream`, as the SDK's own tracing does. Of a stream that the SDK parses
(`streams.py`) it reads only the beginning, until the first event came: a body in which no event ever comes is judged
by its bytes. Of a body that the application reads as bytes or lines, it reads everything.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from itertools import chain
from typing import Any

from ..call.bodies import BodyReader, reader_for
from ..call.documents import Document
from ..call.facts import UNDECODABLE, Facts
from ..guard import guarded
from .current import AGeneratorSending, ASending, Sending
from .foreign import Foreign
from .generators import ForwardsAsyncGenerator
from .reading import deliver
from .responses import follow
from .running import RunningCall


def follow_body(running: RunningCall, response: Foreign) -> None:
    """Ends `running` when the body of `response` ends, in whichever way the application deals with it."""
    follow(response, running)
    response.stream = Tap(response.stream, running, response.headers)


class Tap:
    """A body that reports how it is read. In all else it is the body that it stands for.

    Not a proxy of wrapt's: the SDK asks the body of each response for `stream_observer` at each event, most bodies have
    none, and there a proxy takes longer to say so than everything else that is done for an event.
    """

    stream_observer: Foreign = None

    def __init__(self, body: Foreign, running: RunningCall, headers: Foreign) -> None:
        self._body = body
        self._running = running
        self._headers = headers
        observer = getattr(body, "stream_observer", None)
        if observer is not None:
            self.stream_observer = observer

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the body: the HTTP client asks for it."""
        return type(self._body)

    def __getattr__(self, attribute: str) -> Foreign:
        return getattr(self.__dict__["_body"], attribute)

    def __iter__(self) -> Iterator[bytes]:
        chunks: Iterator[bytes] = iter(self._body)
        return tapped(self, chunks, Sending, read_along) or chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: AsyncIterator[bytes] = aiter(self._body)
        if isinstance(chunks, AsyncGenerator):
            return tapped(self, chunks, AGeneratorSending, AGeneratorChunks) or chunks
        return tapped(self, chunks, ASending, AChunks) or chunks

    def close(self) -> None:
        deliver(self._running, "body_closed")
        self._body.close()

    async def aclose(self) -> None:
        deliver(self._running, "body_closed")
        await self._body.aclose()


@guarded
def tapped(tap: Tap, chunks: Foreign, sending: Foreign, reading: Foreign) -> Foreign:
    """Returns the chunks of the body as `sending` and `reading` iterate over them, where there is a reason for it."""
    running: RunningCall = tap._running
    if running.sends_more:
        chunks = sending(chunks, running)
    if running.body is not None or running.ended is not None:
        return chunks
    watch = Watch(running, tap._headers)
    running.body = watch
    return reading(chunks, running, watch)


class Watch:
    """Reads the bytes of one body along: through its content encoding, into the reader for its media type."""

    def __init__(self, running: RunningCall, headers: Foreign) -> None:
        call = running.call
        self._running = running
        self.is_done = False
        """Whether no further byte matters: the events are watched elsewhere, and one came."""
        self._is_finished = False
        self._decoder: Foreign = None
        self._reader: BodyReader | Beginning | None = None
        encoding = headers["content-encoding"].strip().lower() if "content-encoding" in headers else "identity"
        if encoding not in ("", "identity"):
            decoder = content_decoders(headers).get(encoding)
            if decoder is None:
                return  # The HTTP client does not decode this encoding either.
            self._decoder = decoder()
        if running.watched:
            self._reader = Beginning(running)
        else:
            self._reader = reader_for(headers.get("content-type", ""), call.end_rule, stream=call.stream)

    def stop(self) -> None:
        """No further byte matters. What was kept of the beginning goes: a stream may stay open for long."""
        self.is_done = True
        self._reader = self._decoder = None

    @guarded
    def feed(self, chunk: bytes) -> None:
        """Reads the next piece of the body."""
        # Put back only at the end: a reader that raised is out of step with the body.
        reader, self._reader = self._reader, None
        if reader is None:
            return
        if self._decoder is not None:
            try:
                chunk = as_bytes(self._decoder.decode(chunk))
            except Exception:
                # The HTTP client, which decodes the same bytes, raises for them out of this very read.
                self._running.learn(UNDECODABLE)
                if not self._running.watched:
                    deliver(self._running, "stop")
                return
        for facts in reader.feed(chunk):
            self._running.learn(facts)
        if reader.events:
            self._running.call.events = True
        self._reader = reader

    def finish(self) -> Iterable[Facts]:
        """Yields what the end of the body says, the first time."""
        if self._is_finished:
            return
        self._is_finished = True
        if self._reader is None:
            if self._running.call.error is None and not self._running.watched:
                # Nothing is known of what went by, so nothing is held against it.
                yield Facts(stopped=True, is_answer=True)
            return
        if self._decoder is not None:
            yield from self._reader.feed(as_bytes(self._decoder.flush()))
        yield from self._reader.finish()


class Beginning:
    """Keeps the bytes of a stream that the SDK parses, until its first event comes: then `Watch.stop` drops it."""

    events = False

    def __init__(self, running: RunningCall) -> None:
        self._document = Document(running.call.end_rule, stream=True)

    def feed(self, data: bytes) -> Iterable[Facts]:
        self._document.add(data)
        return ()

    def finish(self) -> Iterable[Facts]:
        return self._document.judge()


@guarded
def chunks_ended(running: RunningCall, exception: BaseException) -> None:
    """Reading the next chunk raised `exception`: the body is at its end, or broke."""
    if not isinstance(exception, StopIteration | StopAsyncIteration):
        deliver(running, "raise", exception)
    elif not running.watched:
        deliver(running, "stop")


def read_along(chunks: Iterator[bytes], running: RunningCall, watch: Watch) -> Iterator[bytes]:
    """Returns the chunks of a body, as they are, read along as long as that is of use."""
    return chain.from_iterable(_read_along(chunks, running, watch))


def _read_along(chunks: Iterator[bytes], running: RunningCall, watch: Watch) -> Iterator[Iterable[bytes]]:
    while not watch.is_done:
        try:
            chunk = next(chunks)
        except BaseException as exception:
            chunks_ended(running, exception)
            if isinstance(exception, StopIteration):
                return
            raise
        watch.feed(chunk)
        yield (chunk,)
    yield chunks  # What is left comes from the body itself, without a step of ours.


class AChunks:
    """The async twin of `read_along`."""

    __slots__ = ("_inner", "_next", "_running", "_watch")

    def __init__(self, chunks: AsyncIterator[bytes], running: RunningCall, watch: Watch) -> None:
        self._inner = chunks
        self._next: Any = chunks.__anext__
        self._running = running
        self._watch = watch

    def __aiter__(self) -> AChunks:
        return self

    def __anext__(self) -> Foreign:
        return self._next() if self._watch.is_done else self._read()

    async def _read(self) -> bytes:
        try:
            chunk: bytes = await self._next()
        except BaseException as exception:
            chunks_ended(self._running, exception)
            raise
        self._watch.feed(chunk)
        return chunk


class AGeneratorChunks(ForwardsAsyncGenerator, AChunks):
    """Chunks that come from an async generator."""

    __slots__ = ()


def as_bytes(decoded: Foreign) -> bytes:
    """Returns what a content decoder gave as bytes: it gives bytes, or an iterator over them (httpx2)."""
    return decoded if isinstance(decoded, bytes) else b"".join(decoded)


def content_decoders(headers: Foreign) -> Foreign:
    """Returns the content encodings that the HTTP client whose headers these are can decode, each with its decoder."""
    client = type(headers).__module__.partition(".")[0]
    return getattr(sys.modules.get(f"{client}._decoders"), "SUPPORTED_DECODERS", {})
