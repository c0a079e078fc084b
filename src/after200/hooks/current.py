# SPDX-License-Identifier: Apache-2.0
"""Which call a request is sent for: the one that the context says.

A middleware of the SDK's may send further requests while the application reads the body that it made (a fallback to
another model does). They are attempts of the same call, so the call is current while such a body works out its next
bytes, and never while the application has them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any, Final

from ..call.record import Call

current_call: Final[ContextVar[Call | None]] = ContextVar("after200_call", default=None)
"""The call whose request is being sent in this context."""


def sending(chunks: Iterator[bytes], call: Call) -> Iterator[bytes]:
    """`chunks` as they are. What is sent to get them is sent for `call`."""
    try:
        while True:
            token = current_call.set(call)
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            finally:
                current_call.reset(token)
            yield chunk
    finally:
        close_generator(chunks)


async def asending(chunks: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    """`chunks` as they are. What is sent to get them is sent for `call`."""
    try:
        while True:
            token = current_call.set(call)
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            finally:
                current_call.reset(token)
            yield chunk
    finally:
        await aclose(chunks)


def close_generator(iterator: Any) -> None:
    """Closes a generator now, as it would be if whoever lets go of it held it itself."""
    if hasattr(iterator, "close"):
        iterator.close()


async def aclose(iterator: Any) -> None:
    """Closes an async generator now, in the task that lets go of it, and not some time later in one of the loop's."""
    # Where both are garbage at once, the loop may be closing it already.
    if hasattr(iterator, "aclose") and not getattr(iterator, "ag_running", False):
        await iterator.aclose()
