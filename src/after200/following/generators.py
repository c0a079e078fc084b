# SPDX-License-Identifier: Apache-2.0
"""The methods of an async generator that httpx and the SDK look for, forwarded to the generator that is wrapped.

They close an async generator that they leave, and read any other iterator to its end.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any


class ForwardsAsyncGenerator:
    """The methods of an async generator, forwarded to the one that is in `_inner`."""

    __slots__ = ()
    _inner: Any

    def asend(self, value: object) -> Awaitable[object]:
        sent: Awaitable[object] = self._inner.asend(value)
        return sent

    def athrow(self, *exception: object) -> Awaitable[object]:
        thrown: Awaitable[object] = self._inner.athrow(*exception)
        return thrown

    def aclose(self) -> Awaitable[object]:
        closed: Awaitable[object] = self._inner.aclose()
        return closed
