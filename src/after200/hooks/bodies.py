# SPDX-License-Identifier: Apache-2.0
"""The body of a response, tapped: who reads it, who closes it, and that it has been dropped.

The tap takes the place of `response.stream`, as the SDK's own tracing does. A stream that the SDK parses is watched
where its events appear (`streams.py`); then the tap lets the bytes pass as they are, and only tells of the closing.
Bytes that the application reads for itself are looked into here.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from ..call.bodies import BodyReader, reader_for
from ..call.record import Call
from ..guard import guarded
from .current import aclose, asending, sending
from .endings import drop, finish

calls: Final[weakref.WeakKeyDictionary[Any, Call]] = weakref.WeakKeyDictionary()
"""The HTTP response of every call whose body has yet to end. Streams come and go, the response stays the same."""


def follow_body(call: Call, response: Any) -> None:
    """Ends `call` when the body of `response` ends, in whichever way the application deals with it."""
    calls[response] = call
    finalizer = weakref.finalize(response, drop, call)
    call.release = finalizer.detach
    tap = tap_class(type(response.stream))
    if tap is not None:
        response.stream = tap(response.stream, call, response.headers)


class Tap:
    """A body that reports how it is read. It has every attribute of the body that it stands for."""

    # The SDK asks the body of each response for this, at each event.
    stream_observer: Any = None

    def __init__(self, body: Any, call: Call, headers: Any) -> None:
        self._after200_body = body
        self._after200_call = call
        self._after200_headers = headers
        observer = getattr(body, "stream_observer", None)
        if observer is not None:
            self.stream_observer = observer

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._after200_body, attribute)


class SyncTap(Tap):
    def __iter__(self) -> Iterator[bytes]:
        body: Iterator[bytes] = iter(self._after200_body)
        chunks = tapped(self, body, sending, read_raw)
        return body if chunks is None else chunks

    def close(self) -> None:
        closing(self._after200_call, "gi_running")
        self._after200_body.close()


class AsyncTap(Tap):
    def __aiter__(self) -> AsyncIterator[bytes]:
        body: AsyncIterator[bytes] = aiter(self._after200_body)
        chunks = tapped(self, body, asending, aread_raw)
        return body if chunks is None else chunks

    async def aclose(self) -> None:
        closing(self._after200_call, "ag_running")
        await self._after200_body.aclose()


@guarded
def tapped(tap: Tap, body: Any, sending: Any, read_raw: Any) -> Any:
    """`body` as it is to be read: looked into, unless its events are watched where they appear."""
    call: Call = tap._after200_call
    if call.sends_more:
        body = sending(body, call)
    if call.watched or call.raw_reader is not None or call.ended:
        return body
    call.raw_reader = RawReader(call, tap._after200_headers)
    chunks = read_raw(body, call, call.raw_reader)
    call.reader = call.reader or weakref.ref(chunks)
    return chunks


@guarded
def closing(call: Call, running: str) -> None:
    """The body is being closed: by the application, unless whoever reads it is at its end just now."""
    if call.ended:
        return
    reader = call.reader() if call.reader is not None else None
    if reader is not None and getattr(reader, running, False):
        return
    # An event loop that ends closes all generators at once, and the SDK's may come before the one around it.
    loop_ends = reader is not None and call.raw_reader is None and sys.exc_info()[0] is GeneratorExit
    if loop_ends or is_dropped(call):
        drop(call)
    else:
        finish(call, "closed")


def is_dropped(call: Call) -> bool:
    """Whether the generator that gives the application its events is gone, or just being finalized."""
    return bool(call.watched) and call.reader is not None and call.reader() is None


# --- bytes that the application reads for itself ---


def read_raw(chunks: Iterator[bytes], call: Call, reader: RawReader) -> Iterator[bytes]:
    """`chunks` as they are, looked into."""
    try:
        for chunk in chunks:
            reader.feed(chunk)
            yield chunk
    except GeneratorExit:
        # The application let go of this iterator, not of the response: it may close that yet.
        raise
    except BaseException as exception:
        finish(call, "raised", exception)
        raise
    reader.finish()
    finish(call, "read")


async def aread_raw(chunks: AsyncIterator[bytes], call: Call, reader: RawReader) -> AsyncIterator[bytes]:
    """`chunks` as they are, looked into."""
    try:
        async for chunk in chunks:
            reader.feed(chunk)
            yield chunk
    except GeneratorExit:
        await aclose(chunks)
        raise
    except BaseException as exception:
        finish(call, "raised", exception)
        raise
    reader.finish()
    finish(call, "read")


class RawReader:
    """Bytes off the wire, into the reader for what they are. Content that cannot be decoded is not looked into."""

    def __init__(self, call: Call, headers: Any) -> None:
        self._call = call
        self._reader: BodyReader | None = None
        self._decoder: Any = None
        self._finished = False
        self._start(headers)

    @guarded
    def _start(self, headers: Any) -> None:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            decoder = content_decoders(headers).get(encoding)
            if decoder is None:
                return
            self._decoder = decoder()
        self._reader = reader_for(self._call, headers.get("content-type", ""))

    @guarded
    def feed(self, chunk: bytes) -> None:
        # Put back only at the end: a reader that raised is out of step with the body.
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.feed(chunk if self._decoder is None else joined(self._decoder.decode(chunk)))
            self._reader = reader

    @guarded
    def finish(self) -> None:
        """The body is at its end. Told again, says nothing new."""
        if self._finished:
            return
        self._finished = True
        if self._reader is None:
            # Nothing is known of what went by, so nothing is held against it.
            self._call.stopped()
            return
        if self._decoder is not None:
            self._reader.feed(joined(self._decoder.flush()))
        self._reader.finish()


def joined(decoded: Any) -> bytes:
    """What a content decoder gave: bytes, or an iterator over them (httpx2)."""
    return decoded if isinstance(decoded, bytes) else b"".join(decoded)


# --- what a response is ---


_tap_classes: dict[type, type[Tap] | None] = {}


def tap_class(body_class: type) -> type[Tap] | None:
    """The tap that passes wherever the HTTP client checks that a body is one of its sync or async ones."""
    if body_class not in _tap_classes:
        kinds = {cls.__name__: cls for cls in body_class.__mro__ if cls.__module__.startswith("httpx")}
        bases: list[type] = []
        if "SyncByteStream" in kinds:
            bases += [SyncTap, kinds["SyncByteStream"]]
        if "AsyncByteStream" in kinds:
            bases += [AsyncTap, kinds["AsyncByteStream"]]
        bases.sort(key=lambda base: not issubclass(base, Tap))
        _tap_classes[body_class] = type("Tap", tuple(bases), {}) if bases else None
    return _tap_classes[body_class]


def content_decoders(headers: Any) -> Any:
    """The content encodings that the HTTP client whose headers these are can decode."""
    client = type(headers).__module__.partition(".")[0]
    return getattr(sys.modules.get(f"{client}._decoders"), "SUPPORTED_DECODERS", {})
