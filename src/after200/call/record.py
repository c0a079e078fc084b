# SPDX-License-Identifier: Apache-2.0
"""A call while it runs (`Call`), and the record of one that has ended (`EndedCall`).

The hooks write what they see into a `Call`. It ends exactly once, whoever notices first that it is over, and then is
one frozen record that every signal reads. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Final, NamedTuple

clock: Final = perf_counter


class Attempt(NamedTuple):
    """One HTTP request of a call: what it was answered, and the error type when that was an error."""

    status: int | None
    error_type: str | None


class ProviderError(NamedTuple):
    """An error as the provider sent it. `type` is what it named, `None` where it named nothing usable."""

    type: str | None
    message: str | None
    original_status: int | None = None


class Usage:
    """The tokens of a call, each as the provider counted it last; `None` for what it did not say."""

    __slots__ = ("cache_read", "cache_write", "input", "output")

    def __init__(self) -> None:
        self.input: int | None = None
        self.output: int | None = None
        self.cache_read: int | None = None
        self.cache_write: int | None = None

    @property
    def all_input(self) -> int | None:
        """Input tokens as the conventions count them: those read from and written to the cache are part of them."""
        if self.input is None:
            return None
        return self.input + (self.cache_read or 0) + (self.cache_write or 0)


class Verdict(NamedTuple):
    """How a call ended. Only an error has the fields after `outcome`."""

    outcome: str
    phase: str | None = None
    error_type: str | None = None
    failure: str | None = None
    status: int | None = None
    message: str | None = None
    exception_type: str | None = None


class Call:
    """One logical API call, as far as it has come. Written by the hooks, in whatever thread reads the stream."""

    __slots__ = (
        "__weakref__",
        "_claim",
        "adopted",
        "answer",
        "attempts",
        "awaiting_answer",
        "chunks",
        "cut_short",
        "end_rule",
        "error",
        "failed",
        "finish_reasons",
        "first_chunk_at",
        "handle",
        "last_chunk_at",
        "longest_gap",
        "model",
        "on_gap",
        "operation",
        "parameters",
        "process",
        "provider",
        "raw_reader",
        "reader",
        "release",
        "request_id",
        "response_id",
        "response_model",
        "sends_more",
        "server_address",
        "server_port",
        "signals",
        "started_at",
        "stopped_at",
        "stream",
        "streaming",
        "usage",
        "watched",
        "wire_status",
    )

    def __init__(
        self,
        *,
        operation: str,
        provider: str,
        model: str | None,
        stream: bool,
        server_address: str | None = None,
        server_port: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        end_rule: str = "message",
    ) -> None:
        self.started_at = clock()
        self.operation = operation
        self.provider = provider
        self.model = model
        self.stream = stream
        self.server_address = server_address
        self.server_port = server_port
        self.parameters: Mapping[str, Any] = parameters or {}
        self.end_rule = end_rule

        self.attempts: list[Attempt] = []
        self.awaiting_answer = False
        self.wire_status: int | None = None
        self.request_id: str | None = None
        self.answer: Any = None
        self.streaming = False
        self.response_id: str | None = None
        self.response_model: str | None = None
        self.finish_reasons: tuple[str, ...] = ()
        self.usage = Usage()
        self.first_chunk_at: float | None = None
        self.last_chunk_at = 0.0
        self.longest_gap = -1.0
        self.chunks = 0
        self.stopped_at: float | None = None
        self.error: ProviderError | None = None

        self.cut_short = False

        self.signals: Any = None
        self.handle: Any = None
        self.reader: Any = None
        self.raw_reader: Any = None
        self.release: Any = None
        self.on_gap: Any = None
        self.process = 0
        self.sends_more = False
        self.watched = False
        self.adopted = False
        self.failed = False
        self._claim = threading.Lock()

    @property
    def ended(self) -> bool:
        return self._claim.locked()

    # --- attempts ---

    def sending(self) -> None:
        """An HTTP request is about to be sent. One that was never answered by now was lost."""
        self.lost(None)
        self.awaiting_answer = True

    def lost(self, error_type: str | None) -> None:
        """The request that is out will not be answered, because of `error_type` where that is known."""
        if self.awaiting_answer:
            self.awaiting_answer = False
            self.attempts.append(Attempt(None, error_type))

    def answered(self, status: int, error_type: str | None = None) -> None:
        """The request that is out was answered with `status`. Told again, a type that is known now is added."""
        if self.awaiting_answer:
            self.awaiting_answer = False
            self.attempts.append(Attempt(status, error_type))
        elif error_type is not None and self.attempts and self.attempts[-1].status == status:
            self.attempts[-1] = Attempt(status, error_type)

    # --- the stream ---

    def first_chunk(self, now: float) -> None:
        """The first chunk arrived at `now`."""
        self.first_chunk_at = self.last_chunk_at = now
        self.chunks = 1

    def next_chunk(self, now: float) -> None:
        """One more chunk arrived at `now`."""
        gap = now - self.last_chunk_at
        if gap > self.longest_gap:
            self.longest_gap = gap
        if self.on_gap is not None:
            self.on_gap(self, max(gap, 0.0))
        self.last_chunk_at = now
        self.chunks += 1

    def chunk(self) -> None:
        """A chunk arrived just now, the first one or one more."""
        if self.first_chunk_at is None:
            self.first_chunk(clock())
        else:
            self.next_chunk(clock())

    def stopped(self) -> None:
        """The provider said that it is finished."""
        if self.stopped_at is None:
            self.stopped_at = clock()

    def note_inner_error(self, error: ProviderError) -> None:
        """Something that the body reports on failed (an entry of a batch, a session), and the call itself goes on."""
        if self.signals is not None:
            self.signals.inner_error(self, error)

    # --- the end ---

    def end(self, verdict: Verdict, *, body_over: bool) -> EndedCall | None:
        """The record of the call, the first time; `None` ever after.

        `body_over` says that the wire ended the stream, not the application: then the time since the last chunk was a
        gap too, and a stream left after its end event counts as long as it took to get there.
        """
        if not self._claim.acquire(blocking=False):
            return None
        self.failed = verdict.error_type is not None
        now = clock()
        if verdict.outcome == "completed" and not body_over and self.stopped_at is not None:
            now = self.stopped_at
        longest_gap = self.longest_gap
        if self.first_chunk_at is not None and (body_over or self.stopped_at is not None):
            longest_gap = max(longest_gap, (self.stopped_at or now) - self.last_chunk_at)
        first_chunk_at = self.first_chunk_at
        return EndedCall(
            operation=self.operation,
            provider=self.provider,
            model=self.model,
            stream=self.stream,
            server_address=self.server_address,
            server_port=self.server_port,
            verdict=verdict,
            wire_status=self.wire_status,
            original_status=None if self.error is None else self.error.original_status,
            attempts=self.attempts,
            request_id=self.request_id,
            response_id=self.response_id,
            response_model=self.response_model,
            finish_reasons=self.finish_reasons,
            usage=self.usage,
            streamed=self.streaming,
            chunks=self.chunks,
            longest_gap=None if longest_gap < 0 else longest_gap,
            # OpenTelemetry would warn of each time below zero, if ever a clock went backwards.
            time_to_first_chunk=None if first_chunk_at is None else max(first_chunk_at - self.started_at, 0.0),
            duration=max(now - self.started_at, 0.0),
        )


class EndedCall(NamedTuple):
    """What one call came to: read by every signal, changed by none."""

    operation: str
    provider: str
    model: str | None
    stream: bool
    server_address: str | None
    server_port: int | None
    verdict: Verdict
    wire_status: int | None
    original_status: int | None
    attempts: Sequence[Attempt]
    request_id: str | None
    response_id: str | None
    response_model: str | None
    finish_reasons: tuple[str, ...]
    usage: Usage
    streamed: bool
    chunks: int
    longest_gap: float | None
    time_to_first_chunk: float | None
    duration: float

    @property
    def resend_count(self) -> int:
        """How many attempts came after the first."""
        return max(len(self.attempts) - 1, 0)
