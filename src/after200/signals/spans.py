# SPDX-License-Identifier: Apache-2.0
"""One call → one span: started before the request, current while it is sent, ended with the call.

Never current while the application reads the stream: what the application does then is not part of the call.
"""

from __future__ import annotations

import time
from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util.types import AttributeValue

from .. import names
from .._version import __version__
from ..call.ended import EndedCall
from ..call.record import Call
from ..settings import SpanMode
from .deferred import Key

MAX_TOOL_ERRORS: Final = 16
"""How many entries `after200.server_tool.errors` has at the most."""

MEASURABLE: Final = 0.001
"""The age in seconds from which the end of a call is set explicitly: it was dropped, and ended later."""

_PARAMETERS: Final = {
    "max_tokens": names.REQUEST_MAX_TOKENS,
    "temperature": names.REQUEST_TEMPERATURE,
    "top_p": names.REQUEST_TOP_P,
    "top_k": names.REQUEST_TOP_K,
    "stop_sequences": names.REQUEST_STOP_SEQUENCES,
}


class SpanHandle:
    """The span of a call that runs."""

    __slots__ = ("_token", "context", "own", "records", "span")

    def __init__(self, span: Span, *, own: bool, records: bool = True) -> None:
        self.span = span
        self.context: contexts.Context = trace.set_span_in_context(span)
        """The context in which the span is current."""
        self.own = own
        """Whether the span is ours, and not the SDK's."""
        self.records = records
        """Whether the span records."""
        self._token: Any = None

    def enter(self) -> None:
        """Makes the span current. Raises here if it has no context, so that it is never made current."""
        self.span.get_span_context()
        self._token = contexts.attach(self.context)

    def leave(self, *, same_context: bool) -> None:
        """The span is no longer current. In another context than that of `enter`, there is nothing to detach."""
        token, self._token = self._token, None
        if token is not None and same_context:
            contexts.detach(token)


class Spans:
    """The span of each call."""

    def __init__(self, mode: SpanMode, tracer_provider: TracerProvider | None) -> None:
        self._mode: SpanMode = mode
        self._tracer = trace.get_tracer(names.SCOPE, __version__, tracer_provider, names.SCHEMA_URL)

    def begin(self, call: Call, caller: Key, *, sdk_traces: bool) -> SpanHandle | None:
        """Starts a span for `call`; `caller` says whose it is.

        Returns None when the SDK's own span may do, or when no span is wanted.
        """
        if self._mode == "own" or (self._mode == "auto" and not sdk_traces):
            return self._start(call, caller)
        return None

    def share(
        self, call: Call, span: Span | None, tracer: Tracer | None, caller: Key
    ) -> tuple[SpanHandle | None, Span | None]:
        """Decides whose span `call` has, now that the SDK has made its own.

        Args:
            call: the call.
            span: what the SDK's tracer returned; None when the SDK makes no span.
            tracer: the SDK's tracer; None when the SDK did not ask it.
            caller: attributes that say whose call it is.

        Returns the handle of the span that records the call, and the span that the SDK must use from here on.
        """
        if self._mode not in ("auto", "annotate"):
            return None, span
        records = span is not None and span.is_recording()
        if not records and self._mode == "auto" and not self._is_sampled_out(span, tracer):
            handle = self._start(call, caller)
            own = handle.span.get_span_context()
            # In place of a span of the SDK's that does not record, the SDK propagates ours.
            return handle, span if span is None or not own.is_valid else trace.NonRecordingSpan(own)
        if span is not None and records and caller:
            span.set_attributes(dict(caller))
        return (None if span is None else SpanHandle(span, own=False, records=records)), span

    def _is_sampled_out(self, span: Span | None, tracer: Tracer | None) -> bool:
        """Returns whether the sampler that would decide about our span has decided against the SDK's."""
        sampler = sampler_of(tracer)
        if span is None:
            # The SDK drops a span that does not record and cannot be propagated either.
            return sampler is not None and sampler is sampler_of(self._tracer)
        context = span.get_span_context()
        if isinstance(tracer, trace.NoOpTracer) or context.trace_flags.sampled or not context.is_valid:
            # Nobody decided: a tracer that does nothing hands on the current span, or an invalid one.
            return False
        return sampler is None or sampler is sampler_of(self._tracer)

    def _start(self, call: Call, caller: Key) -> SpanHandle:
        span = self._tracer.start_span(
            call.operation if call.model is None else f"{call.operation} {call.model}",
            kind=SpanKind.CLIENT,
            attributes={**start_attributes(call), **dict(caller)},
        )
        return SpanHandle(span, own=True)

    def end(self, call: EndedCall, handle: SpanHandle | None, ended_ago: float) -> None:
        """Writes what `call` came to on its span, and ends a span of ours, as of `ended_ago` seconds ago."""
        if handle is None:
            return
        records = True
        try:
            # A span that does not record need not be ended; a span that somebody else has ended does not record.
            records = handle.span.is_recording()
            if records:
                self._write(call, handle)
        finally:
            if handle.own and records:
                if ended_ago >= MEASURABLE:
                    handle.span.end(time.time_ns() - int(ended_ago * 1e9))
                else:
                    handle.span.end()

    def _write(self, call: EndedCall, handle: SpanHandle) -> None:
        span = handle.span
        attributes = result_attributes(call)
        if handle.own:
            attributes.update(response_attributes(call))
        span.set_attributes(attributes)
        if call.verdict.error_type is not None:
            span.set_status(Status(StatusCode.ERROR, call.verdict.message))


def sampler_of(tracer: Tracer | None) -> object:
    """Returns the sampler of `tracer`, or of the tracer that it stands for; None where there is no telling."""
    return getattr(getattr(tracer, "_tracer", tracer), "sampler", None)


def start_attributes(call: Call) -> dict[str, AttributeValue]:
    """Returns what is known before the request is sent, so that a sampler sees it."""
    attributes: dict[str, AttributeValue | None] = {
        names.OPERATION_NAME: call.operation,
        names.PROVIDER_NAME: call.provider,
        names.REQUEST_MODEL: call.model,
        names.REQUEST_STREAM: call.stream or None,
        names.SERVER_ADDRESS: call.server_address,
        names.SERVER_PORT: call.server_port,
        names.CLIENT: call.client,
    }
    for parameter, value in call.parameters.items():
        attributes[_PARAMETERS[parameter]] = value
    return present(attributes)


def response_attributes(call: EndedCall) -> dict[str, AttributeValue]:
    """Returns what the provider answered: on our own span only, since the SDK writes its own span itself."""
    usage = call.message.usage
    return present(
        {
            names.RESPONSE_ID: call.message.id,
            names.RESPONSE_MODEL: call.response_model,
            names.RESPONSE_TIME_TO_FIRST_CHUNK: call.time_to_first_chunk if call.streamed else None,
            names.USAGE_INPUT_TOKENS: usage.all_input,
            names.USAGE_OUTPUT_TOKENS: usage.tokens.output,
            names.USAGE_CACHE_READ_INPUT_TOKENS: usage.tokens.cache_read,
            names.USAGE_CACHE_WRITE_INPUT_TOKENS: usage.tokens.cache_write,
            names.ANTHROPIC_REQUEST_ID: call.request_id,
            names.HTTP_RESEND_COUNT: call.resend_count or None,
        }
    )


def result_attributes(call: EndedCall) -> dict[str, AttributeValue]:
    """Returns what after200 adds on both kinds of span: how the call ended, and what it was answered."""
    verdict = call.verdict
    stop_reason = call.message.stop_reason
    return present(
        {
            names.RESPONSE_FINISH_REASONS: None if stop_reason is None else (stop_reason,),
            names.HTTP_STATUS: verdict.status if verdict.error_type is not None else call.wire_status,
            names.WIRE_STATUS: call.wire_status,
            names.ERROR_TYPE: verdict.error_type,
            names.ERROR_CODE: verdict.error_code,
            names.OUTCOME: verdict.outcome,
            names.PHASE: verdict.phase,
            names.FAILURE: verdict.failure,
            names.RETRYABLE: verdict.retryable,
            names.ANSWER: verdict.answer,
            names.REFUSAL_CATEGORY: call.refusal_category,
            names.FALLBACK: call.fallback or None,
            names.STREAM_CHUNKS: call.chunks if call.streamed else None,
            names.STREAM_LONGEST_GAP: call.longest_gap if call.streamed else None,
            names.STREAM_TIME_TO_FIRST_TEXT: call.time_to_first_text if call.streamed else None,
            names.CALL_RETRY_WAIT: call.retry_wait,
            names.SERVER_TOOL_ERRORS: call.server_tool_errors[:MAX_TOOL_ERRORS] or None,
            names.BEDROCK_ORIGINAL_STATUS: call.original_status,
        }
    )


def present(attributes: dict[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """Returns `attributes` without those that have no value: absent is absent."""
    return {name: value for name, value in attributes.items() if value is not None}
