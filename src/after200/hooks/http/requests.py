# SPDX-License-Identifier: Apache-2.0
"""requests: around the sending of a session, with a tap on `raw`, which every other way of reading goes through.

`send` is public, and every request passes it: redirects are followed inside, and so is the reading of a body that the
application does not stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from ...call.observer import CallObserver
from ...following.reading import deliver
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .exchange import Answer, Exchange, Headers, end_read, follow_unread
from .protocols import RequestsResponse
from .raw import Raw, follow_raw
from .sending import send

CLIENT: Final = "requests"

_Chunk = TypeVar("_Chunk")


class RequestsHooks:
    """The wrappers, each with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def send(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `Session.send`."""
        request = args[0] if args else kwargs.get("request", ABSENT)
        running = self._exchange.begin_prepared(request)
        if running is None:
            return wrapped(*args, **kwargs)
        return send(running, wrapped, args, kwargs, answer_in, end_or_follow)

    def iter_content(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `Response.iter_content`: it makes exceptions of its own of those that urllib3 raises."""
        chunks = wrapped(*args, **kwargs)
        raw = vars(instance).get("raw")
        return raising(raw, chunks) if type(raw) is Raw and raw._running.ended is None else chunks


@guarded
def end_or_follow(running: RunningCall, response: RequestsResponse) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    answered = answer_of(response)
    content: Any = getattr(response, "_content", False)
    if content is not False:
        end_read(running, answered, content or b"")
    else:
        follow_unread(running, answered, lambda: follow_raw(running, response, answered.headers))


def answer_of(response: RequestsResponse) -> Answer:
    """Returns the status and the headers of a response."""
    return Answer(response.status_code, Headers(response.headers.items()))


@guarded
def answer_in(exception: BaseException) -> Answer | None:
    """Returns the response that an exception carries: a hook of the application may raise it for an HTTP error."""
    response = getattr(exception, "response", None)
    return None if response is None or response.status_code < 300 else answer_of(response)


def raising(raw: Raw, chunks: Iterator[_Chunk]) -> Iterator[_Chunk]:
    """Yields `chunks`, and reports what is raised in the form in which the application gets it."""
    object.__setattr__(raw, "is_read_by_library", True)
    try:
        yield from chunks
    except GeneratorExit:
        raise
    except BaseException as exception:
        deliver(raw._running, "raise", exception)
        raise


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of requests is patched."""
    hooks = RequestsHooks(observer)
    return [
        Target(package, "Session.send", hooks.send, "every call through requests"),
        Target(package, "Response.iter_content", hooks.iter_content, "the class of an exception out of a body"),
    ]
