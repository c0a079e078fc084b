# SPDX-License-Identifier: Apache-2.0
"""The interface between what follows a call and the signals that record it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .ended import EndedCall
from .facts import ProviderError
from .rate_limits import RateLimit
from .record import Call


class CallRecording(Protocol):
    """What is being recorded of one call that runs. No method raises."""

    records_chunk_gaps: bool
    """Whether `gap` must be called for every chunk after the first."""

    def enter(self) -> None:
        """The request is about to be sent, so the span is current from here on."""

    def leave(self, *, same_context: bool) -> bool | None:
        """The request has been sent, so the span is no longer current.

        `same_context` is False when this runs in another context than that of `enter`: then there is nothing to detach
        here. Returns True when that is done.
        """

    def choose_span(self, call: Call, span: Any, tracer: Any) -> object:
        """The SDK asked `tracer` for a span of its own for the call.

        Args:
            span: what the tracer returned; None when the SDK makes no span.
            tracer: None when the SDK did not ask for one.

        Returns the span that the SDK must use from here on.
        """

    @property
    def writes_on_sdk_span(self) -> bool:
        """Whether the SDK's own span records, and is completed."""

    def stream_began(self, call: Call) -> None:
        """The application has a stream to read."""

    def gap(self, call: Call, seconds: float) -> None:
        """A chunk came `seconds` after the one before."""

    def inner_error(self, call: Call, error: ProviderError) -> None:
        """The body reports an error of something else than the call."""

    def rate_limits(self, call: Call, limits: Mapping[str, RateLimit]) -> None:
        """A response named its rate limits, by `after200.rate_limit.kind`."""

    def write_sdk_span(self, call: EndedCall) -> None:
        """The call has ended, and the SDK is about to end its own span. `end` comes later."""

    def end(self, call: EndedCall, ended_ago: float) -> None:
        """The call ended `ended_ago` seconds ago."""


class CallObserver(Protocol):
    """Observes every call. No method raises."""

    def suppressed(self) -> bool:
        """Returns whether the application has turned instrumentation off in this context."""

    def begin(self, call: Call, *, sdk_traces: bool) -> CallRecording | None:
        """The request of `call` is about to be sent; `sdk_traces` says that the SDK is about to make a span for it.

        Returns what is recorded of the call from here on, None when nothing can be.
        """

    def before_collection(self, callback: Callable[[], None]) -> None:
        """Calls `callback` each time before metrics are collected."""
