# SPDX-License-Identifier: Apache-2.0
"""The facts of one call while it runs (`Call`). The hooks add what they see; all times are seconds of `clock`."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final, NamedTuple

from ..names import Failure
from ..names.endings import EndRule
from .facts import NOTHING_SAID, Facts, Message, ProviderError, merged

clock: Final = perf_counter


class Attempt(NamedTuple):
    """One HTTP request of a call."""

    status: int | None
    """The status code of the answer; None when there was no answer."""

    error_type: str | None = None
    """The status code as a string for an HTTP error, our own name for a lost request; None for a success."""

    failure: Failure | None = None
    """`after200.failure` by the status alone; None for a success."""


class Wait(NamedTuple):
    """One pause of the SDK between two attempts."""

    seconds: float
    failure: Failure | None
    """The failure of the attempt that caused the pause."""


class Progress:
    """How far a stream has come. The only object that is written to for each chunk."""

    __slots__ = ("chunks", "first_chunk_at", "first_text_at", "last_chunk_at", "longest_gap", "reason_at", "stopped_at")

    def __init__(self) -> None:
        self.chunks = 0
        """How many `content_block_delta` events with data have come."""
        self.first_chunk_at: float | None = None
        self.last_chunk_at = 0.0
        """When the last chunk came; without one, when the response began."""
        self.first_text_at: float | None = None
        """When the first text that is not empty came."""
        self.longest_gap = -1.0
        """The longest time between two chunks, in seconds; below zero before the second chunk."""
        self.reason_at: float | None = None
        """When the provider gave the reason for which the model stopped."""
        self.stopped_at: float | None = None
        """When the provider said that it is finished."""

    def chunk(self, now: float) -> float | None:
        """Counts a chunk that came at `now`. Returns the time since the one before, None for the first."""
        self.chunks += 1
        gap = None
        if self.first_chunk_at is None:
            self.first_chunk_at = now
        else:
            gap = max(now - self.last_chunk_at, 0.0)
            self.longest_gap = max(gap, self.longest_gap)
        self.last_chunk_at = now
        return gap


Parameter = str | int | float | tuple[str, ...]
"""A parameter of a request that the conventions have an attribute for."""


class Call:
    """What is known of one logical API call so far. Holds facts and no object of another layer."""

    __slots__ = (
        "attempts",
        "client",
        "end_rule",
        "error",
        "error_in_headers",
        "events",
        "failed_at",
        "has_content",
        "is_answer",
        "is_malformed",
        "message",
        "model",
        "operation",
        "parameters",
        "progress",
        "provider",
        "request_id",
        "says_stream",
        "sent_model",
        "server_address",
        "server_port",
        "should_retry",
        "started_at",
        "stream",
        "streaming",
        "waits",
        "was_cut",
        "wire_status",
    )

    def __init__(
        self,
        *,
        operation: str,
        provider: str,
        model: str | None,
        stream: bool | None,
        server_address: str | None = None,
        server_port: int | None = None,
        parameters: Mapping[str, Parameter] | None = None,
        end_rule: EndRule = "message",
        client: str | None = None,
        says_stream: bool = True,
    ) -> None:
        self.started_at = clock()
        """When the application made the call."""
        self.operation = operation
        """`gen_ai.operation.name`."""
        self.provider = provider
        """`gen_ai.provider.name`."""
        self.model = model
        """The model that the application asked for."""
        self.stream = stream
        """Whether the application asked for a stream; None where there is no telling yet."""
        self.says_stream = says_stream
        """Whether the request says so itself: where it does not, the answer shows it."""
        self.server_address = server_address
        self.server_port = server_port
        self.parameters: Mapping[str, Parameter] = parameters or {}
        """The request parameters that the conventions have attributes for, by their names in the API."""
        self.end_rule: EndRule = end_rule
        self.client = client
        """`after200.client`: the HTTP library that sends the request; None where the SDK does."""

        self.attempts: list[Attempt] = []
        self.waits: list[Wait] = []
        self.sent_model = model
        """The model that the last attempt asked for; another than `model` after a fallback of the SDK's middleware."""
        self.wire_status: int | None = None
        """The status code on the HTTP status line of the answer; None without an answer."""
        self.request_id: str | None = None
        """The `request-id` header of the answer."""
        self.should_retry: bool | None = None
        """What the `x-should-retry` header of a failing answer says; None when there is none."""

        self.error_in_headers: str | None = None
        """The error type that the headers of an HTTP error name, whose body nobody may read."""

        self.streaming = False
        """Whether the application has a stream to read."""
        self.events = False
        """Whether one complete event came."""
        self.progress = Progress()
        self.message: Message = NOTHING_SAID
        """What the events or the body said of the message."""
        self.has_content = False
        """Whether a block of the message has content."""
        self.error: ProviderError | None = None
        """The first error that the body reported."""
        self.failed_at: float | None = None
        """When the body reported it."""
        self.is_answer = False
        """Whether a whole body is an answer of the kind that was asked for."""
        self.is_malformed = False
        """Whether the body is no answer."""
        self.was_cut = False
        """Whether the last line of the body was cut."""

    def learn(self, facts: Facts, now: float) -> float | None:
        """Adds what an event or a body said, which came at `now`. Returns the time since the chunk before, if any."""
        progress = self.progress
        gap = None
        if facts.chunk:
            gap = progress.chunk(now)
        if facts.text and progress.first_text_at is None:
            progress.first_text_at = now
        if facts.stopped and progress.stopped_at is None:
            progress.stopped_at = now
        if facts.message is not None:
            self.message = merged(self.message, facts.message)
            if progress.reason_at is None and facts.message.stop_reason is not None:
                progress.reason_at = now
        if facts.error is not None:
            self.failed_at = now if self.failed_at is None else self.failed_at
            self.error = facts.error if self.error is None else self.error.completed_by(facts.error)
        if facts.content:
            self.has_content = True
        if facts.is_answer:
            self.is_answer = True
        if facts.is_malformed:
            self.is_malformed = True
        if facts.was_cut:
            self.was_cut = True
        return gap
