# SPDX-License-Identifier: Apache-2.0
"""Sums that an observable instrument reports when it is asked, so that a call pays next to nothing for its counters.

Adding takes no lock: the garbage collector may end a call at any allocation, in a thread that holds any lock. What
was added waits in a queue, which whoever reads the sums, or finds the queue long, folds into them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, Observation

FOLD_AT: Final = 1000
"""How many additions wait before they are folded, if nobody reads the sums."""

Key = tuple[tuple[str, Any], ...]


class Tally:
    """A sum for each set of attributes."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Key, int]] = deque()
        self._sums: dict[Key, int] = {}
        self._folding = threading.Lock()

    def add(self, key: Key, amount: int = 1) -> None:
        """Adds `amount` to the sum of the attributes in `key`."""
        self._waiting.append((key, amount))
        if len(self._waiting) >= FOLD_AT and self._folding.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._folding.release()

    def observe(self, options: CallbackOptions) -> Iterable[Observation]:
        """Every sum, for the instrument's callback."""
        with self._folding:
            self._fold()
            sums = list(self._sums.items())
        return [Observation(total, dict(key)) for key, total in sums]

    def _fold(self) -> None:
        # Only what waits now: a queue that is added to all the time must not hold this up for ever.
        for _ in range(len(self._waiting)):
            key, amount = self._waiting.popleft()
            self._sums[key] = self._sums.get(key, 0) + amount


def key_of(attributes: Mapping[str, Any]) -> Key:
    """The key of a sum with `attributes`; without those that have no value, since absent is absent."""
    return tuple((name, value) for name, value in attributes.items() if value is not None)
