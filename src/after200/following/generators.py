# SPDX-License-Identifier: Apache-2.0
"""What an iterator of ours must have to pass for the generator that it stands for.

The HTTP client and the SDK close an async generator that they leave, and leave any other iterator to its end.
"""

from __future__ import annotations

from typing import Any

from .foreign import Foreign


class ForwardsAsyncGenerator:
    """The methods of an async generator, forwarded to the one that is in `_inner`."""

    __slots__ = ()
    _inner: Any

    def asend(self, value: Foreign) -> Foreign:
        return self._inner.asend(value)

    def athrow(self, *exception: Foreign) -> Foreign:
        return self._inner.athrow(*exception)

    def aclose(self) -> Foreign:
        return self._inner.aclose()
