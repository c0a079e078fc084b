# SPDX-License-Identifier: Apache-2.0
"""The tap on the content of a response of aiohttp, which every way of reading the response goes through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from ...following.feeds import BodyFeed, make_feed
from ...following.reading import deliver
from ...following.responses import follow
from ...following.running import RunningCall
from ...guard import guarded
from .exchange import Headers
from .protocols import AiohttpResponse, StreamReader

_Read = TypeVar("_Read")
_Piece = TypeVar("_Piece", bound="bytes | tuple[bytes, bool]")


class Content:
    """The content of a response: every read is reported. In all else it is the `StreamReader` that it stands for.

    Closing or releasing a response sets an exception on its `content`: that is how both are seen.
    """

    __slots__ = ("__weakref__", "_body", "_feed", "_running")
    _body: StreamReader
    _feed: BodyFeed
    _running: RunningCall

    def __init__(self, body: StreamReader, running: RunningCall, feed: BodyFeed) -> None:
        for attribute, own in (("_body", body), ("_running", running), ("_feed", feed)):
            object.__setattr__(self, attribute, own)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the content: somebody may ask for it."""
        return type(self._body)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._body, attribute)

    def __setattr__(self, attribute: str, value: object) -> None:
        setattr(self._body, attribute, value)

    def __repr__(self) -> str:
        return repr(self._body)

    # aiohttp's own iterators, over the reads of the content itself.

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Pieces(type(self._body).__aiter__(self._body), self)

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        return Pieces(type(self._body).iter_chunked(self._body, n), self)

    def iter_any(self) -> AsyncIterator[bytes]:
        return Pieces(type(self._body).iter_any(self._body), self)

    def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        return Pieces(type(self._body).iter_chunks(self._body), self)

    async def read(self, n: int = -1) -> bytes:
        data = await self._watched(self._body.read(n))
        self._saw(data, is_end=n < 0 or (n > 0 and not data))
        return data

    async def readany(self) -> bytes:
        data = await self._watched(self._body.readany())
        self._saw(data, is_end=not data)
        return data

    async def readline(self, **keywords: object) -> bytes:
        # As `_watched`, without a coroutine more: this is how a stream is read by lines.
        self._feed.is_waiting = True
        try:
            data = await self._body.readline(**keywords)
        except BaseException as exception:
            self._raised(exception)
            raise
        self._feed.is_waiting = False
        if not data:
            self._saw(data, is_end=True)
        elif self._running.ended is None:
            self._feed.feed(data)
        return data

    async def readuntil(self, *args: object, **keywords: object) -> bytes:
        data = await self._watched(self._body.readuntil(*args, **keywords))
        self._saw(data, is_end=not data)
        return data

    async def readchunk(self) -> tuple[bytes, bool]:
        chunk = await self._watched(self._body.readchunk())
        self._saw(chunk[0], is_end=chunk == (b"", False))
        return chunk

    async def readexactly(self, n: int) -> bytes:
        data = await self._watched(self._body.readexactly(n))
        self._saw(data, is_end=False)
        return data

    def read_nowait(self, n: int = -1) -> bytes:
        data = self._body.read_nowait(n)
        self._saw(data, is_end=not data and n != 0 and self._body.at_eof())
        return data

    def set_exception(self, *args: object) -> object:
        """The application closes or releases the response: what it has read is all that it wants."""
        self._left()
        return self._body.set_exception(*args)

    async def _watched(self, reading: Awaitable[_Read]) -> _Read:
        self._feed.is_waiting = True
        try:
            result = await reading
        except BaseException as exception:
            self._raised(exception)
            raise
        self._feed.is_waiting = False
        return result

    def _saw(self, data: bytes, *, is_end: bool) -> None:
        if self._running.ended is None:
            if data:
                self._feed.feed(data)
            if is_end:
                deliver(self._running, "stop")

    @guarded
    def _left(self) -> None:
        deliver(self._running, "stop" if self._body.at_eof() else "close")

    @guarded
    def _raised(self, exception: BaseException) -> None:
        if type(exception).__name__ == "IncompleteReadError":
            # The body has fewer bytes than the application asked for, which gets those that there are.
            self._saw(exception.partial, is_end=True)  # type: ignore[attr-defined]
        elif type(exception) is not RuntimeError:  # Somebody else is reading, or nobody can.
            deliver(self._running, "raise", exception)


class Pieces(Generic[_Piece]):
    """An iterator of aiohttp over the content: each piece is reported.

    aiohttp's own iterator calls `read_func` for each piece. This one does so in its place, because each coroutine more
    takes longer than everything else that is done for a piece.
    """

    __slots__ = ("_content", "_feed", "_inner", "_next", "_running")

    def __init__(self, inner: AsyncIterator[_Piece], content: Content) -> None:
        self._inner = inner
        self._next: Callable[[], Awaitable[_Piece]] = getattr(inner, "read_func", inner.__anext__)
        self._content = content
        self._feed = content._feed
        self._running = content._running

    # No `__getattr__`: with one, Python takes three times as long for each attribute of its own.

    @property
    def read_func(self) -> object:
        """What aiohttp's iterator calls for each piece."""
        return self._inner.read_func  # type: ignore[attr-defined]

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the iterator: somebody may ask for it."""
        return type(self._inner)

    def __aiter__(self) -> Pieces[_Piece]:
        return self

    async def __anext__(self) -> _Piece:
        feed = self._feed
        feed.is_waiting = True
        try:
            piece = await self._next()
        except StopAsyncIteration:
            self._content._saw(b"", is_end=True)
            raise
        except BaseException as exception:
            self._content._raised(exception)
            raise
        feed.is_waiting = False
        if not piece:
            self._content._saw(b"", is_end=True)
            raise StopAsyncIteration
        data = piece if isinstance(piece, bytes) else piece[0]
        if data and self._running.ended is None:
            feed.feed(data)
        return piece


def follow_content(running: RunningCall, response: AiohttpResponse, headers: Headers, decoded: bool) -> None:
    """Ends `running` when the content of `response` ends, in whichever way the application deals with it."""
    feed = make_feed(running, headers, decoded=decoded)
    follow(response, running)
    response.content = Content(response.content, running, feed)
