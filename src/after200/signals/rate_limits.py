# SPDX-License-Identifier: Apache-2.0
"""The rate limits that responses state → two gauges: the highest utilization of the last minute, and the last limit.

Reading changes nothing, so any number of readers see the same. Over several processes, the maximum is right.

Adding never waits for a lock: while one is held, what responses state stays in a queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.metrics import CallbackOptions, Observation

from .. import names
from ..call.rate_limits import RateLimit
from ..call.record import clock
from ..locks import Lock
from .attributes import model_key
from .deferred import NO_CONTEXT

WINDOW: Final = 60.0
"""How long a utilization counts, in seconds."""

SLOTS: Final = 12
"""How many parts of the window are kept apart, so that memory does not grow with the number of responses."""

Key = tuple[str, str | None, str]
"""The provider, the model and the kind of a limit."""


class _Limit:
    """One limit of one model."""

    __slots__ = ("highest", "last")

    def __init__(self) -> None:
        self.last = 0
        self.highest: dict[int, float] = {}
        """The number of a slot of time → the highest utilization in it."""


class RateLimits:
    """Keeps what responses stated in the last minute."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str | None, int, Mapping[str, RateLimit]]] = deque()
        """What is not yet in its slots: provider, model, slot, and the limits by their kind."""
        self._limits: dict[Key, _Limit] = {}
        self._lock = Lock()

    def add(self, provider: str, model: str | None, limits: Mapping[str, RateLimit]) -> None:
        """Adds what one response states: the limits by their kind. Nobody may change `limits` later."""
        self._waiting.append((provider, model, slot(), limits))
        if self._lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._lock.release()

    def _fold(self) -> None:
        for _ in range(len(self._waiting)):
            provider, model, number, limits = self._waiting.popleft()
            for kind, limit in limits.items():
                kept = self._limits.setdefault((provider, model, kind), _Limit())
                kept.last = limit.limit
                kept.highest[number] = max(kept.highest.get(number, 0.0), limit.utilization)
                if len(kept.highest) > SLOTS + 1:
                    kept.highest = recent(kept.highest, number)

    def utilizations(self, options: CallbackOptions) -> Iterable[Observation]:
        """Returns the highest utilization of the last minute of each limit that a response stated in it."""
        now = slot()
        with self._lock:
            self._fold()
            found = {key: recent(limit.highest, now) for key, limit in self._limits.items()}
        return [
            _observation(max(highest.values()), key, names.RATE_LIMIT_UTILIZATION)
            for key, highest in found.items()
            if highest
        ]

    def limits(self, options: CallbackOptions) -> Iterable[Observation]:
        """Returns the last limit of each kind that a response stated in the last minute."""
        now = slot()
        with self._lock:
            self._fold()
            found = {key: limit.last for key, limit in self._limits.items() if recent(limit.highest, now)}
        return [_observation(last, key, names.RATE_LIMIT_LIMIT) for key, last in found.items()]


def slot() -> int:
    """Returns the number of the present slot of time."""
    return int(clock() * SLOTS / WINDOW)


def recent(highest: Mapping[int, float], now: int) -> dict[int, float]:
    """Returns the slots of the last minute. A clock that went back leaves slots of the future, which count."""
    return {number: value for number, value in highest.items() if abs(now - number) <= SLOTS}


def _observation(value: float, key: Key, metric: names.Metric) -> Observation:
    provider, model, kind = key
    return Observation(value, dict(model_key(provider, model, kind, metric=metric)), NO_CONTEXT)
