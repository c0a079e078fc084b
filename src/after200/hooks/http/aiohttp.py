# SPDX-License-Identifier: Apache-2.0
"""aiohttp's client: around the sending of a session, with a tap on the content that the application reads.

Nothing public is passed by every request of a session, so the hook is on `ClientSession._request`: without it nothing
is recorded. A response's `content` is public. aiohttp decodes the body before anybody reads it, and keeps the header
that says how it was encoded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from ...call.observer import CallObserver
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import Arguments, Keywords, Wrapped
from .calls import Kind, find_kind
from .content import follow_content
from .exchange import VERSION_HEADER, Answer, Exchange, Headers, end_read, follow_unread, server_of
from .protocols import AiohttpResponse, JoinableURL, Session
from .sending import asend

CLIENT: Final = "aiohttp"


class AiohttpHooks:
    """The wrapper, with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def request(self, wrapped: Wrapped, instance: Session, args: Arguments, kwargs: Keywords) -> object:
        """Around `ClientSession._request`. A request that is no call has no coroutine of ours."""
        kind = kind_of(instance, args, kwargs)
        return wrapped(*args, **kwargs) if kind is None else self._request(kind, wrapped, instance, args, kwargs)

    async def _request(
        self, kind: Kind, wrapped: Wrapped, session: Session, args: Arguments, kwargs: Keywords
    ) -> object:
        running = self._begin(kind, session, args, kwargs)
        if running is None:
            return await wrapped(*args, **kwargs)
        follow = partial(end_or_follow, session, kwargs)
        return await asend(running, wrapped, args, kwargs, answer_in, follow)

    @guarded
    def _begin(self, kind: Kind, session: Session, args: Arguments, kwargs: Keywords) -> RunningCall | None:
        """Returns the call that the request is; None for one that is no call all the same, or must not be recorded."""
        host, port = server_of(absolute(session, url_of(args, kwargs)))
        body = kwargs.get("data") if kwargs.get("json") is None else kwargs["json"]
        has_version = has_header(kwargs.get("headers")) or VERSION_HEADER in session.headers
        return self._exchange.begin(kind, body, has_version=has_version, host=host, port=port)


@guarded
def kind_of(session: Session, args: Arguments, kwargs: Keywords) -> Kind | None:
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


def url_of(args: Arguments, kwargs: Keywords) -> str | JoinableURL:
    """Returns the URL of a request, text or an object, perhaps relative to the base URL of its session."""
    url: str | JoinableURL = args[1] if len(args) > 1 else kwargs["str_or_url"]
    return url


def absolute(session: Session, url: str | JoinableURL) -> JoinableURL:
    """Returns `url` as a URL object, joined to the base URL of `session` where that has one."""
    url = sys.modules["yarl"].URL(url) if isinstance(url, str) else url
    base = getattr(session, "_base_url", None)
    return url if base is None or url.absolute else base.join(url)


def has_header(headers: object) -> bool:
    """Returns whether the headers of a request, a mapping or pairs, have the version of the API."""
    if not isinstance(headers, Mapping | list | tuple):
        return False
    names: Iterable[object] = headers if isinstance(headers, Mapping) else (pair[0] for pair in headers)
    return any(str(name).lower() == VERSION_HEADER for name in names)


def is_decoded(session: Session, kwargs: Keywords) -> bool:
    """Returns whether aiohttp decodes the body of the response."""
    asked = kwargs.get("auto_decompress")
    return bool(getattr(session, "auto_decompress", True) if asked is None else asked)


@guarded
def end_or_follow(session: Session, kwargs: Keywords, running: RunningCall, response: AiohttpResponse) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    decoded = is_decoded(session, kwargs)
    answered = Answer(response.status, Headers(response.raw_headers))
    body = getattr(response, "_body", None)
    if body is not None:
        end_read(running, answered, body)
    else:
        follow_unread(running, answered, lambda: follow_content(running, response, answered.headers, decoded))


@guarded
def answer_in(exception: BaseException) -> Answer | None:
    """Returns the response that an exception for an HTTP error tells of: a session may be asked to raise it."""
    status = getattr(exception, "status", None)
    if type(exception).__name__ != "ClientResponseError" or not isinstance(status, int) or status < 300:
        return None
    if exception.__cause__ is not None:
        return None  # aiohttp could not parse the response, and its class for that has a status of its own.
    headers = getattr(exception, "headers", None)
    return Answer(status, Headers(headers.items() if headers is not None else ()))


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of aiohttp is patched."""
    return [Target(package, "ClientSession._request", AiohttpHooks(observer).request, "every call through aiohttp")]
