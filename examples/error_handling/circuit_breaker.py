# SPDX-License-Identifier: Apache-2.0
"""Stop asking a model that keeps failing. `on_call_end` feeds the breaker, so every call of the process counts,
whichever part of the program made it, and also one that failed after HTTP 200 without an exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from after200 import AnthropicInstrumentor, EndedCall

PROVIDER_IS_TO_BLAME = ("overloaded", "server_error", "timeout", "connection", "truncated")


class CircuitBreaker:
    """Opens for a model after `failures` failed calls in a row, and lets calls pass again after `pause` seconds."""

    def __init__(self, failures: int = 5, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures, self._pause, self._clock = failures, pause, clock
        self._in_a_row: dict[str | None, int] = {}
        self._open_until: dict[str | None, float] = {}
        self._lock = Lock()  # calls end in any thread

    def call_ended(self, call: EndedCall) -> None:
        """Counts `call`. Give this method to `instrument(on_call_end=...)`."""
        with self._lock:
            if call.verdict.failure in PROVIDER_IS_TO_BLAME:
                self._in_a_row[call.model] = self._in_a_row.get(call.model, 0) + 1
                if self._in_a_row[call.model] >= self._failures:
                    self._open_until[call.model] = self._clock() + self._pause
            elif call.verdict.outcome == "completed":
                self._in_a_row[call.model] = 0
                self._open_until.pop(call.model, None)

    def lets_pass(self, model: str) -> bool:
        """Whether the model may be asked now."""
        with self._lock:
            return self._clock() >= self._open_until.get(model, 0.0)


breaker = CircuitBreaker()

if __name__ == "__main__":
    AnthropicInstrumentor().instrument(on_call_end=breaker.call_ended)
