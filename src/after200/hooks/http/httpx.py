# SPDX-License-Identifier: Apache-2.0
"""httpx and httpx2: around the sending of both clients, with a tap on the body that the application reads.

`send` is public, and every request passes it: redirects and flows of authentication happen inside, and so does the
reading of a body that the application does not stream. A response's `stream` is public too.
"""

from __future__ import annotations

from typing import Final

from ...call.observer import CallObserver
from ...following.bodies import follow_body
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .calls import Kind, find_kind
from .exchange import VERSION_HEADER, Answer, Exchange, Headers, end_read, follow_unread, server_of
from .protocols import HTTPXRequest, HTTPXResponse, Message
from .sending import asend, send

CLIENT: Final = "httpx"
PACKAGES: Final = ("httpx", "httpx2")


class HTTPXHooks:
    """The wrappers, each with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def send(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `Client.send`."""
        request = args[0] if args else kwargs.get("request", ABSENT)
        kind = kind_of(request)
        running = None if kind is None else self._begin(kind, request)
        if running is None:
            return wrapped(*args, **kwargs)
        return send(running, wrapped, args, kwargs, answer_in, end_or_follow)

    def asend(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `AsyncClient.send`. A request that is no call has no coroutine of ours."""
        request = args[0] if args else kwargs.get("request", ABSENT)
        kind = kind_of(request)
        return wrapped(*args, **kwargs) if kind is None else self._asend(kind, request, wrapped, args, kwargs)

    async def _asend(
        self, kind: Kind, request: HTTPXRequest, wrapped: Wrapped, args: Arguments, kwargs: Keywords
    ) -> object:
        running = self._begin(kind, request)
        if running is None:
            return await wrapped(*args, **kwargs)
        return await asend(running, wrapped, args, kwargs, answer_in, end_or_follow)

    @guarded
    def _begin(self, kind: Kind, request: HTTPXRequest) -> RunningCall | None:
        """Returns the call that `request` is; None for one that is no call all the same, or must not be recorded."""
        host, port = server_of(request.url)
        has_version = VERSION_HEADER in request.headers
        return self._exchange.begin(kind, content_of(request), has_version=has_version, host=host, port=port)


@guarded
def kind_of(request: HTTPXRequest) -> Kind | None:
    """Returns what kind of call `request` is, by its path."""
    return find_kind(request.url.raw_path.decode("ascii")) if request.method == "POST" else None


@guarded
def end_or_follow(running: RunningCall, response: HTTPXResponse) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    answered = Answer(response.status_code, Headers(response.headers.raw))
    if response.is_closed or response.is_stream_consumed:
        end_read(running, answered, content_of(response))
    else:
        follow_unread(running, answered, lambda: follow_body(running, response))


@guarded
def answer_in(exception: BaseException) -> Answer | None:
    """Returns the response that an exception for an HTTP error carries: a hook of the application may raise it."""
    if type(exception).__name__ != "HTTPStatusError":
        return None
    response = exception.response  # type: ignore[attr-defined]
    return Answer(response.status_code, Headers(response.headers.raw))


def content_of(message: Message) -> bytes | None:
    """Returns the body of a request or a response where it is in memory, decoded; else None."""
    try:
        content: bytes = message.content
    except RuntimeError:  # The library raises a kind of it for a body that has not been read.
        return None
    return content


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of `package`, `httpx` or `httpx2`, is patched."""
    hooks = HTTPXHooks(observer)
    return [
        Target(package, "Client.send", hooks.send, f"every call of sync clients of {package}"),
        Target(package, "AsyncClient.send", hooks.asend, f"every call of async clients of {package}"),
    ]
