# SPDX-License-Identifier: Apache-2.0
"""Which call a request is sent for: the one that the context says.

A middleware of the SDK may send further requests while the application reads the body that it made (a fallback to
another model does). They are attempts of the same call, so the call is current while such a body works out its next
bytes, and never while the application has them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from contextvars import ContextVar, Token
from typing import Final

from ..guard import guarded, guarded_until_done
from .generators import ForwardsAsyncGenerator
from .running import RunningCall

current_call: Final[ContextVar[RunningCall | None]] = ContextVar("after200_call", default=None)
"""The call whose request is being sent in this context."""

NOTHING: Final = nullcontext()
"""What stands for `make_current` where that failed."""


class MakesCurrent:
    """A context manager: inside, the call and its span are current.

    Nothing of the package is made current before it, so nothing stays current where it cannot be made.
    """

    __slots__ = ("_running", "_token")

    def __init__(self, running: RunningCall | None) -> None:
        self._running = running
        self._token: Token[RunningCall | None] | None = None

    @guarded
    def __enter__(self) -> None:
        # A request that is no call has nothing to hide, unless there is a call around it.
        if self._running is not None or current_call.get() is not None:
            self._token = current_call.set(self._running)
        if self._running is not None and self._running.recording is not None:
            self._running.recording.enter()

    @guarded_until_done
    def __exit__(self, *error: object) -> bool:
        """Returns whether both have been left. What stays current would collect later requests as its attempts."""
        recording = None if self._running is None else self._running.recording
        same_context = self._token is None or reset(self._token)
        return recording is None or bool(recording.leave(same_context=same_context))


@guarded
def make_current(running: RunningCall | None) -> MakesCurrent:
    """Returns a context manager in which requests are sent for `running`, and for no call at all where it is None."""
    return MakesCurrent(running)


def reset(token: Token[RunningCall | None]) -> bool:
    """Makes current what was so before. Returns False in another context than that of `token`."""
    try:
        current_call.reset(token)
    except RuntimeError:
        pass  # The token has been used: this is the second try.
    except ValueError:
        # A coroutine that is dropped is closed in whatever context that happens.
        return False
    return True


class Sending:
    """The chunks of a body, as they are. Requests that are sent to get the next one are attempts of the call."""

    __slots__ = ("_next", "_running")

    def __init__(self, chunks: Iterator[bytes], running: RunningCall) -> None:
        self._next = chunks.__next__
        self._running = running

    def __iter__(self) -> Sending:
        return self

    def __next__(self) -> bytes:
        token = current_call.set(self._running)
        try:
            return self._next()
        finally:
            current_call.reset(token)


class ASending:
    """The async twin of `Sending`. Not an async generator, which the event loop would close by itself."""

    __slots__ = ("_inner", "_running")

    def __init__(self, chunks: AsyncIterator[bytes], running: RunningCall) -> None:
        self._inner = chunks
        self._running = running

    def __aiter__(self) -> ASending:
        return self

    async def __anext__(self) -> bytes:
        token = current_call.set(self._running)
        try:
            inner = self._inner  # On the stack: see `AChunks`.
            _, chunk = inner, await inner.__anext__()
            return chunk
        finally:
            current_call.reset(token)


class AGeneratorSending(ForwardsAsyncGenerator, ASending):
    """Chunks that come from an async generator."""

    __slots__ = ()
