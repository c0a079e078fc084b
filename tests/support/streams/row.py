# SPDX-License-Identifier: Apache-2.0
"""A row of the table of what each scenario of the fault server should come to: sections 2, 3 and 5 of the contract.

A row says how a call ends that streams, and one that does not, each read in every way there is, and what its message
says. `telling.py` makes whole spans, points and log records of it; the rows are in `expected.py` and beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Place = Literal["nothing", "start", "text", "close", "stop"]
"""How much of a healthy stream was seen: none of it, up to its content, its content, `message_delta`, all of it."""


@dataclass(frozen=True)
class Ending:
    """How a call ends. What follows `outcome` and `wire` is for errors."""

    outcome: str
    wire: int | None = 200
    phase: str | None = None
    error_type: str | None = None
    failure: str | None = None
    retryable: bool | None = None
    status: int | None = None
    """The corrected status."""

    message: str | None = None
    """The description of the span's status."""

    raises: Literal["always", "parsed", "never"] = "never"
    """Whether the application is told by an exception: whatever it does, only where the SDK decodes, or never."""

    code: str | None = None
    """The provider's error code."""


@dataclass(frozen=True)
class Usage:
    """What a message costs, and what was served. A part that is None is not told."""

    input: int = 12
    output: int = 7
    cache_write: int = 0
    cache_read: int = 0
    ttl_5m: int = 0
    ttl_1h: int = 0
    thinking: int = 0
    compaction: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Input, output, tokens read from the cache and written to it."""

    tier: str | None = "standard"
    speed: str | None = None


@dataclass(frozen=True)
class Row:
    """A scenario, and what its calls come to."""

    scenario: str
    stream: Ending
    seen: Place
    whole: Ending
    stream_lazy: Ending | None = None
    """The stream, where that is not the same when the application reads the bytes for itself."""

    whole_application: Ending | None = None
    """The call that does not stream, where the SDK hands out its body before it decodes it."""

    whole_lazy: Ending | None = None
    """The call that does not stream, where the application reads its body when it likes."""

    attempts: tuple[tuple[int | None, str | None], ...] = ()
    """What came before the last attempt: the status and error type of each. The SDK waits after each."""

    retries: int = 0
    usage: Usage = Usage()
    chunks: int = 4
    chunks_lazy: int | None = None
    """The chunks, where the application reads the bytes for itself and that makes a difference."""

    finish_reason: str | None = "end_turn"
    answer: str = "complete"
    category: str | None = None
    """The category of a refusal."""

    tools: tuple[tuple[str, str | None, int], ...] = ()
    """The server tools in the answer: name, error, how often."""

    has_text: bool = True
    whole_seen: Place | None = None
    """How much was told of a message that does not stream, where that is not all of it or nothing."""

    whole_model: str | None = None
    """The model that a whole message names, where it is another than the one asked for."""

    fallback: str | None = None
    """The model that answered, where it is another than the one asked for."""

    timeout: float = 30.0
    """The timeout of the call; below a second, it is what ends it."""


# --- words for the table ---

COMPLETED = Ending("completed")


def event(
    phase: str,
    error_type: str,
    failure: str,
    retryable: bool,
    status: int | None,
    message: str | None,
    raises: Literal["always", "parsed", "never"] = "parsed",
) -> Ending:
    """A hidden failure that the provider tells of."""
    return Ending("failed", 200, phase, error_type, failure, retryable, status, message, raises)


def http(status: int, error_type: str, failure: str, retryable: bool, message: str) -> Ending:
    """An error that HTTP tells of."""
    return Ending("failed", status, "request", error_type, failure, retryable, status, message, "always")


def lost(phase: str, wire: int | None = 200) -> Ending:
    """The connection was lost."""
    message = "The connection was lost."
    return Ending("failed", wire, phase, "connection_error", "connection", True, None, message, "always")


def timed_out(phase: str, wire: int | None = 200) -> Ending:
    """The client's timeout ran out."""
    message = "The client's timeout ran out."
    return Ending("failed", wire, phase, "client_timeout_error", "timeout", True, None, message, "always")


def truncated(phase: str) -> Ending:
    """The stream ended before its end event, and nobody raised anything."""
    message = "The stream ended before its end event."
    return Ending("truncated", 200, phase, "stream_truncated", "truncated", True, None, message)


def malformed(phase: str, raises: Literal["parsed", "never"] = "parsed") -> Ending:
    """Bytes came that cannot be decoded."""
    message = "The body could not be decoded."
    return Ending("failed", 200, phase, "stream_malformed", "malformed", False, None, message, raises)


NO_ANSWER = replace(malformed("first_chunk", "never"), message="The body is not an answer.")
"""What came is something else than an answer, and the SDK raises nothing for it."""

HTTP_529 = http(529, "overloaded_error", "overloaded", True, "Overloaded")
OVERLOADED = event("mid_stream", "overloaded_error", "overloaded", True, 529, "Overloaded")
HIDDEN_OVERLOAD = event("first_chunk", "overloaded_error", "overloaded", True, 529, "Overloaded", "never")
