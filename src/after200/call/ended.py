# SPDX-License-Identifier: Apache-2.0
"""What one call came to: the frozen record (`EndedCall`, with its `Verdict`) that every signal reads."""

from __future__ import annotations

from typing import NamedTuple

from ..names import Answer, Failure, Outcome, Phase
from ..names.endings import NEEDS_END_EVENT
from .facts import Message
from .record import Attempt, Call, Wait


class Verdict(NamedTuple):
    """How a call ended. The fields after `answer` have values on errors only."""

    outcome: Outcome
    answer: Answer | None = None
    """What a completed call of operation `chat` was answered."""

    phase: Phase | None = None
    error_type: str | None = None
    """`error.type`, as the provider named it: not yet bounded."""

    error_code: str | None = None
    """The provider's `error.details.error_code`: not yet bounded."""

    failure: Failure | None = None
    retryable: bool | None = None
    status: int | None = None
    """The corrected status code; None where no status is documented."""

    message: str | None = None
    """The provider's message in one line, or ours where it gave none."""

    exception_type: str | None = None
    """The qualified name of the class of the exception that the application received."""


class EndedCall(NamedTuple):
    """What one call came to. Every signal and `on_call_end` read this record; nobody changes it."""

    operation: str
    """`gen_ai.operation.name`: `chat`, `text_completion`, `batch_results` or `invoke_agent`."""

    provider: str
    """`gen_ai.provider.name`."""

    model: str | None
    """The model that the application asked for."""

    stream: bool | None
    """Whether the application asked for a stream; None where there is no telling."""

    server_address: str | None
    server_port: int | None
    verdict: Verdict
    wire_status: int | None
    """The status code on the HTTP status line; None without an answer."""

    original_status: int | None
    """`originalStatusCode` of a Bedrock error frame."""

    attempts: tuple[Attempt, ...]
    """The HTTP requests of the call, in the order of their sending."""

    waits: tuple[Wait, ...]
    """The pauses between the attempts."""

    request_id: str | None
    message: Message
    """What the provider said of its message: id, model, stop reason, tokens, server tools."""

    response_model: str | None
    """The model that answered."""

    fallback: bool
    """Whether another model than the one asked for gave the answer."""

    streamed: bool
    """Whether the application had a stream to read."""

    chunks: int
    """How many `content_block_delta` events with data came."""

    longest_gap: float | None
    """The longest time between two chunks, in seconds; None when nothing came that could have a gap."""

    time_to_first_chunk: float | None
    """Seconds from the start of the call to its first chunk."""

    time_to_first_text: float | None
    """Seconds from the start of the call to its first text."""

    duration: float
    """Seconds from the start of the call to its end."""

    client: str | None = None
    """The HTTP library that sent the request; None where the SDK made the call."""

    @property
    def resend_count(self) -> int:
        """How many attempts came after the first."""
        return max(len(self.attempts) - 1, 0)

    @property
    def refusal_category(self) -> str | None:
        """The category of a refusal, `none` where the provider gave none; None for any other call."""
        return (self.message.refusal_category or "none") if self.verdict.answer == "refused" else None

    @property
    def server_tool_errors(self) -> tuple[str, ...]:
        """`tool:code` of each server tool that failed, each once, in the order of their first occurrence."""
        return tuple(f"{tool.name}:{tool.error}" for tool, _ in self.message.tools if tool.error is not None)

    @property
    def retry_wait(self) -> float | None:
        """Seconds that the SDK waited between attempts; None when it did not wait."""
        return sum(wait.seconds for wait in self.waits) if self.waits else None


def ended(call: Call, verdict: Verdict, now: float, *, by_the_wire: bool) -> EndedCall:
    """Returns the record of `call`, which ended at `now` with `verdict`.

    `by_the_wire` says that the wire ended the stream, or that a read was waiting for the wire: then the time since the
    last chunk was a gap too. A stream that is left after its end event counts as long as it took to get there.
    """
    progress = call.progress
    finished_at = progress.stopped_at
    if verdict.outcome == "completed" and not by_the_wire:
        finished_at = finished_at or progress.reason_at
        now = finished_at or now
    longest_gap = progress.longest_gap
    # The lines of a batch and the events of a session are no chunks, so a body without chunks is no silence.
    has_chunks = progress.chunks > 0 or call.end_rule in NEEDS_END_EVENT
    told_at = finished_at or call.failed_at
    if call.streaming and has_chunks and (by_the_wire or told_at is not None):
        longest_gap = max(longest_gap, (told_at or now) - progress.last_chunk_at)
    usage = call.message.usage
    fallback = verdict.outcome == "completed" and (
        usage.fallback_model is not None or call.sent_model not in (None, call.model)
    )
    response_model = call.message.model
    if fallback:
        # The SDK's middleware keeps the `message_start` of the model that declined.
        response_model = usage.fallback_model or (call.sent_model if call.streaming else response_model)
    return EndedCall(
        operation=call.operation,
        provider=call.provider,
        model=call.model,
        stream=call.stream,
        server_address=call.server_address,
        server_port=call.server_port,
        verdict=verdict,
        wire_status=call.wire_status,
        original_status=None if call.error is None else call.error.original_status,
        attempts=tuple(call.attempts),
        waits=tuple(call.waits),
        request_id=call.request_id,
        message=call.message,
        response_model=response_model,
        fallback=fallback,
        streamed=call.streaming,
        chunks=progress.chunks,
        longest_gap=None if longest_gap < 0 else longest_gap,
        # OpenTelemetry warns of every time below zero, which a clock that goes back would give.
        time_to_first_chunk=_since(call.started_at, progress.first_chunk_at),
        time_to_first_text=_since(call.started_at, progress.first_text_at),
        duration=max(now - call.started_at, 0.0),
        client=call.client,
    )


def _since(start: float, at: float | None) -> float | None:
    return None if at is None else max(at - start, 0.0)
