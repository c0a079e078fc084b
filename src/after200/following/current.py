# SPDX-License-Identifier: Apache-2.0
"""Which call a request is sent for: the one that the context says.

A middleware of the SDK may send further requests while the application reads the body that it made (a fallback to
another model does). They are attempts of the same call, so the call is current while such a body works out its next
bytes, and never while the application has them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar, Token
from typing import Any, Final

from ..guard import guarded
from .generators import ForwardsAsyncGenerator
from .running import RunningCall

current_call: Final[ContextVar[RunningCall | None]] = ContextVar("after200_call", default=None)
"""The call whose request is being sent in this context."""


TWICE: Final = (1, 2)
"""How often `leave` is tried. What stays current after a fault of ours would be wrong for every later request."""


@guarded
def enter(running: RunningCall | None) -> Token[RunningCall | None] | None:
    """Makes `running` the call that requests are sent for. A request that is no call (None) hides the call around it.

    Returns the token for `leave`.
    """
    if running is None and current_call.get() is None:
        return None
    return current_call.set(running)


@guarded
def leave(running: RunningCall | None, token: Token[RunningCall | None] | None) -> bool:
    """The request of `running` is over, so neither the call nor its span is current. Returns True when that is done."""
    same_context = True
    if token is not None:
        try:
            current_call.reset(token)
        except RuntimeError:
            pass  # The token has been used: this is the second try.
        except ValueError:
            # A coroutine that is dropped is closed in whatever context that happens.
            same_context = False
    recording = None if running is None else running.recording
    return recording is None or bool(recording.leave(same_context=same_context))


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

    __slots__ = ("_inner", "_next", "_running")

    def __init__(self, chunks: AsyncIterator[bytes], running: RunningCall) -> None:
        self._inner = chunks
        self._next: Any = chunks.__anext__
        self._running = running

    def __aiter__(self) -> ASending:
        return self

    async def __anext__(self) -> bytes:
        token = current_call.set(self._running)
        try:
            chunk: bytes = await self._next()
            return chunk
        finally:
            current_call.reset(token)


class AGeneratorSending(ForwardsAsyncGenerator, ASending):
    """Chunks that come from an async generator."""

    __slots__ = ()
