# SPDX-License-Identifier: Apache-2.0
"""What is recorded of one call that runs: the span, and at the end every signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry import context as contexts
from opentelemetry.trace import Span, SpanContext, Tracer

from ..call.ended import EndedCall
from ..call.facts import ProviderError
from ..call.rate_limits import RateLimit
from ..call.record import Call
from ..guard import guarded
from .baggage import caller_key
from .bounds import bounded
from .deferred import Key
from .logs import Logs
from .metrics import Metrics
from .spans import SpanHandle, Spans


class Recording:
    """What is recorded of one call. A signal is None that could not be set up."""

    __slots__ = (
        "_baggage_entries",
        "_caller",
        "_logs",
        "_metrics",
        "_on_call_end",
        "_span",
        "_spans",
        "records_chunk_gaps",
    )

    def __init__(
        self,
        spans: Spans | None,
        metrics: Metrics | None,
        logs: Logs | None,
        on_call_end: Callable[[EndedCall], object] | None,
        baggage_entries: tuple[str, ...] = (),
    ) -> None:
        self._spans = spans
        self._metrics = metrics
        self._logs = logs
        self._on_call_end = on_call_end
        self._baggage_entries = baggage_entries
        self._caller: Key = ()
        """Whose call it is: attributes from the baggage of the context in which the call began."""
        self._span: SpanHandle | None = None
        self.records_chunk_gaps = metrics is not None and metrics.records_chunk_gaps

    def begin(self, call: Call, *, sdk_traces: bool) -> None:
        """Starts what there is to start before the request is sent."""
        if self._baggage_entries:
            self._caller = guarded(caller_key)(self._baggage_entries) or ()
        self._begin_metrics(call)
        self._begin_span(call, sdk_traces)

    @guarded
    def _begin_metrics(self, call: Call) -> None:
        if self._metrics is not None:
            self._metrics.begin(call)

    @guarded
    def _begin_span(self, call: Call, sdk_traces: bool) -> None:
        if self._spans is not None:
            self._span = self._spans.begin(call, self._caller, sdk_traces=sdk_traces)

    @guarded
    def enter(self) -> None:
        """The request is about to be sent, so the span is current from here on."""
        if self._span is not None:
            self._span.enter()

    @guarded
    def leave(self, *, same_context: bool) -> bool:
        """The request has been sent, so the span is no longer current. Returns True when that is done."""
        if self._span is not None:
            self._span.leave(same_context=same_context)
        return True

    @guarded
    def choose_span(self, call: Call, span: Span | None, tracer: Tracer | None) -> Span | None:
        """The SDK asked `tracer` for `span`. Returns the span that the SDK must use from here on."""
        if self._spans is None:
            return span
        handle, used = self._spans.share(call, span, tracer, self._caller)
        if handle is not None:
            self._span = handle
            if handle.own:
                handle.enter()
        return used

    @property
    def writes_on_sdk_span(self) -> bool:
        """Whether the SDK's own span records, and is completed."""
        return self._span is not None and not self._span.own and self._span.records

    @guarded
    def stream_began(self, call: Call) -> None:
        """The application has a stream to read."""
        if self._metrics is not None:
            self._metrics.stream_began(call)

    @guarded
    def gap(self, call: Call, seconds: float) -> None:
        """A chunk came `seconds` after the one before."""
        if self._metrics is not None:
            self._metrics.gap(call, seconds, self._span_context())

    @guarded
    def inner_error(self, call: Call, error: ProviderError) -> None:
        """The body reports an error of something else than the call."""
        if self._metrics is not None:
            self._metrics.inner_error(call, error)

    @guarded
    def rate_limits(self, call: Call, limits: Mapping[str, RateLimit]) -> None:
        """A response stated its rate limits."""
        if self._metrics is not None:
            self._metrics.rate_limits(call, limits)

    @guarded
    def write_sdk_span(self, call: EndedCall) -> None:
        """The SDK is about to end its own span: writes what the call came to on it."""
        if self._spans is not None:
            self._spans.end(bounded(call), self._span, 0.0)

    @guarded
    def end(self, call: EndedCall, ended_ago: float) -> None:
        """The call ended `ended_ago` seconds ago."""
        call = bounded(call)
        self._end_metrics(call)
        if call.verdict.error_type is not None:
            self._end_logs(call)
        if self._on_call_end is not None:
            self._tell_application(call, self._on_call_end)
        self._end_span(call, ended_ago)

    @guarded
    def _end_metrics(self, call: EndedCall) -> None:
        if self._metrics is not None:
            self._metrics.end(call, self._span_context(), self._caller)

    @guarded
    def _end_logs(self, call: EndedCall) -> None:
        if self._logs is not None:
            self._logs.end(call, self._context(), self._caller)

    @guarded
    def _end_span(self, call: EndedCall, ended_ago: float) -> None:
        if self._spans is not None:
            self._spans.end(call, self._span, ended_ago)

    @guarded
    def _tell_application(self, call: EndedCall, on_call_end: Callable[[EndedCall], object]) -> None:
        """Calls `on_call_end` in the context of the span, while the span can still be written to."""
        token = contexts.attach(self._context())
        try:
            on_call_end(call)
        finally:
            contexts.detach(token)

    @guarded
    def _span_context(self) -> SpanContext | None:
        """Returns what identifies the span; None where there is no span, or it cannot say."""
        return None if self._span is None else self._span.span.get_span_context()

    def _context(self) -> contexts.Context:
        """Returns the context in which the span is current; where there is no span, or it raises, the present one."""
        if self._span is None or self._span_context() is None:
            return contexts.get_current()
        return self._span.context
