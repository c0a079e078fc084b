# SPDX-License-Identifier: Apache-2.0
"""The HTTP requests of one call, each counted once, and the pauses between them."""

from __future__ import annotations

from ..call.record import Attempt, Call, Wait, clock
from ..names import errors


class Attempts:
    """Writes the attempts and the waits of `call` as they happen."""

    __slots__ = ("_call", "_ended_at", "_waits_since", "is_open")

    def __init__(self, call: Call) -> None:
        self._call = call
        self.is_open = False
        """Whether a request has been sent that is not answered yet."""
        self._ended_at = 0.0
        self._waits_since: float | None = None

    def begin(self, model: str | None) -> None:
        """An HTTP request that asks for `model` is about to be sent. One that is still unanswered was lost."""
        self.lose(None)
        self.end_wait()
        self.is_open = True
        if model is not None:
            self._call.sent_model = model

    def lose(self, error_type: str | None) -> None:
        """The open request will not be answered, because of `error_type` where that is known."""
        self._end(Attempt(None, error_type, None if error_type is None else errors.failure_of(error_type)))

    def answer(self, status: int) -> None:
        """The open request was answered with `status`."""
        failure = errors.failure_of_status(status)
        self._end(Attempt(status, None if failure is None else str(status), failure))

    def _end(self, attempt: Attempt) -> None:
        if self.is_open:
            self.is_open = False
            self._ended_at = clock()
            self._call.attempts.append(attempt)

    def begin_wait(self) -> None:
        """The library is about to wait before the next request. The wait counts from the end of the last attempt."""
        if self._call.attempts:
            self._waits_since = self._ended_at

    def end_wait(self) -> None:
        """The next request is about to be sent, or the call ends."""
        if self._waits_since is not None:
            seconds = max(clock() - self._waits_since, 0.0)
            self._call.waits.append(Wait(seconds, self._call.attempts[-1].failure))
            self._waits_since = None
