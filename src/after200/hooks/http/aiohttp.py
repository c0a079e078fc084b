# SPDX-License-Identifier: Apache-2.0
"""aiohttp's client: around the sending of a session, with a tap on the content that the application reads.

Nothing public is passed by every request of a session, so the hook is on `ClientSession._request`: without it nothing
is recorded. A response's `content` is public. aiohttp decodes the body before anybody reads it, and keeps the header
that says how it was encoded.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final

from ...call.observer import CallObserver
from ...following.current import NOTHING, make_current
from ...following.feeds import BodyFeed, make_feed
from ...following.reading import deliver
from ...following.responses import follow
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import Arguments, Keywords, Wrapped
from .calls import Kind, find_kind
from .exchange import Answer, Exchange, Headers, end_raised, end_read, follow_unread, server_of

CLIENT: Final = "aiohttp"
VERSION_HEADER: Final = "anthropic-version"


class AiohttpHooks:
    """The wrapper, with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def request(self, wrapped: Wrapped, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
        """Around `ClientSession._request`. A request that is no call has no coroutine of ours."""
        kind = kind_of(instance, args, kwargs)
        return wrapped(*args, **kwargs) if kind is None else self._request(kind, wrapped, instance, args, kwargs)

    async def _request(self, kind: Kind, wrapped: Wrapped, session: Any, args: Arguments, kwargs: Keywords) -> Any:
        running = self._begin(kind, session, args, kwargs)
        if running is None:
            return await wrapped(*args, **kwargs)
        try:
            with make_current(running) or NOTHING:
                response = await wrapped(*args, **kwargs)
        except BaseException as exception:
            end_raised(running, exception, answer_in(exception))
            raise
        end_or_follow(running, response, is_decoded(session, kwargs))
        return response

    @guarded
    def _begin(self, kind: Kind, session: Any, args: Arguments, kwargs: Keywords) -> RunningCall | None:
        """Returns the call that the request is; None for one that is no call all the same, or must not be recorded."""
        host, port = server_of(absolute(session, url_of(args, kwargs)))
        body = kwargs.get("data") if kwargs.get("json") is None else kwargs["json"]
        has_version = has_header(kwargs.get("headers")) or VERSION_HEADER in session.headers
        return self._exchange.begin(kind, body, has_version=has_version, host=host, port=port)


@guarded
def kind_of(session: Any, args: Arguments, kwargs: Keywords) -> Kind | None:
    """Returns what kind of call a request with these arguments is, by its path."""
    method = args[0] if args else kwargs.get("method")
    if not isinstance(method, str) or method.upper() != "POST":
        return None
    url = url_of(args, kwargs)
    target = url if isinstance(url, str) else url.raw_path
    if target.startswith("/") or "://" in target:
        return find_kind(target)
    # Below the base URL of the session: only a path that could be one is worth the joining.
    return find_kind(absolute(session, url).raw_path) if find_kind(f"/{target}") or target else None


def url_of(args: Arguments, kwargs: Keywords) -> Any:
    """Returns the URL of a request, text or an object, perhaps relative to the base URL of its session."""
    return args[1] if len(args) > 1 else kwargs["str_or_url"]


def absolute(session: Any, url: Any) -> Any:
    """Returns `url` as a URL object, joined to the base URL of `session` where that has one."""
    url = sys.modules["yarl"].URL(url) if isinstance(url, str) else url
    base = getattr(session, "_base_url", None)
    return url if base is None or url.absolute else base.join(url)


def has_header(headers: Any) -> bool:
    """Returns whether the headers of a request, a mapping or pairs, have the version of the API."""
    if not isinstance(headers, Mapping | list | tuple):
        return False
    names: Iterable[Any] = headers if isinstance(headers, Mapping) else (pair[0] for pair in headers)
    return any(str(name).lower() == VERSION_HEADER for name in names)


def is_decoded(session: Any, kwargs: Keywords) -> bool:
    """Returns whether aiohttp decodes the body of the response."""
    asked = kwargs.get("auto_decompress")
    return bool(getattr(session, "auto_decompress", True) if asked is None else asked)


@guarded
def end_or_follow(running: RunningCall, response: Any, decoded: bool) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    answered = Answer(response.status, Headers(response.raw_headers))
    body = getattr(response, "_body", None)
    if body is not None:
        end_read(running, answered, body)
    else:
        follow_unread(running, answered, lambda: follow_content(running, response, answered.headers, decoded))


def follow_content(running: RunningCall, response: Any, headers: Headers, decoded: bool) -> None:
    """Ends `running` when the content of `response` ends, in whichever way the application deals with it."""
    feed = make_feed(running, headers, decoded=decoded)
    follow(response, running)
    response.content = Content(response.content, running, feed)


@guarded
def answer_in(exception: BaseException) -> Answer | None:
    """Returns the response that an exception for an HTTP error tells of: a session may be asked to raise it."""
    status = getattr(exception, "status", None)
    if type(exception).__name__ != "ClientResponseError" or not isinstance(status, int) or status < 300:
        return None
    headers = getattr(exception, "headers", None)
    return Answer(status, Headers(headers.items() if headers is not None else ()))


class Content:
    """The content of a response: every read is reported. In all else it is the `StreamReader` that it stands for.

    Closing or releasing a response sets an exception on its `content`: that is how both are seen.
    """

    __slots__ = ("__weakref__", "_body", "_feed", "_running")
    _body: Any
    _feed: BodyFeed
    _running: RunningCall

    def __init__(self, body: Any, running: RunningCall, feed: BodyFeed) -> None:
        for attribute, own in (("_body", body), ("_running", running), ("_feed", feed)):
            object.__setattr__(self, attribute, own)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the content: somebody may ask for it."""
        return type(self._body)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._body, attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(self._body, attribute, value)

    def __repr__(self) -> str:
        return repr(self._body)

    # aiohttp's own iterators, over the reads of this object.

    def __aiter__(self) -> Any:
        return type(self._body).__aiter__(self)

    def iter_chunked(self, n: int) -> Any:
        return type(self._body).iter_chunked(self, n)

    def iter_any(self) -> Any:
        return type(self._body).iter_any(self)

    def iter_chunks(self) -> Any:
        return type(self._body).iter_chunks(self)

    async def read(self, n: int = -1) -> Any:
        data = await self._watched(self._body.read(n))
        self._saw(data, is_end=n < 0 or (n > 0 and not data))
        return data

    async def readany(self) -> Any:
        data = await self._watched(self._body.readany())
        self._saw(data, is_end=not data)
        return data

    async def readline(self, **keywords: Any) -> Any:
        try:
            data = await self._body.readline(**keywords)
        except BaseException as exception:
            self._raised(exception)
            raise
        self._saw(data, is_end=not data)
        return data

    async def readuntil(self, *args: Any, **keywords: Any) -> Any:
        data = await self._watched(self._body.readuntil(*args, **keywords))
        self._saw(data, is_end=not data)
        return data

    async def readchunk(self) -> Any:
        chunk = await self._watched(self._body.readchunk())
        self._saw(chunk[0], is_end=chunk == (b"", False))
        return chunk

    async def readexactly(self, n: int) -> Any:
        data = await self._watched(self._body.readexactly(n))
        self._saw(data, is_end=False)
        return data

    def read_nowait(self, n: int = -1) -> Any:
        data = self._body.read_nowait(n)
        self._saw(data, is_end=not data and n != 0 and self._body.at_eof())
        return data

    def set_exception(self, *args: Any) -> Any:
        """The application closes or releases the response: what it has read is all that it wants."""
        self._left()
        return self._body.set_exception(*args)

    async def _watched(self, reading: Awaitable[Any]) -> Any:
        try:
            return await reading
        except BaseException as exception:
            self._raised(exception)
            raise

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


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of aiohttp is patched."""
    return [Target(package, "ClientSession._request", AiohttpHooks(observer).request, "every call through aiohttp")]
