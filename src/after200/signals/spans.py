# SPDX-License-Identifier: Apache-2.0
"""One call → one span: started before the request, current while it is sent, ended with the call.

Never current while the application reads the stream: what the application does then is not part of the call.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from .. import names
from .._version import __version__
from ..call.record import Call, EndedCall
from ..call.statuses import RETRYABLE

_PARAMETERS: Final = {
    "max_tokens": names.REQUEST_MAX_TOKENS,
    "temperature": names.REQUEST_TEMPERATURE,
    "top_p": names.REQUEST_TOP_P,
    "top_k": names.REQUEST_TOP_K,
    "stop_sequences": names.REQUEST_STOP_SEQUENCES,
}


class SpanHandle:
    """The span of a call that runs, and the context that it is current in. `own`: not the SDK's."""

    __slots__ = ("context", "own", "span", "token")

    def __init__(self, span: Any, context: Any, *, own: bool) -> None:
        self.span = span
        self.context = context
        self.own = own
        self.token: Any = None

    def leave(self) -> bool:
        """The span is no longer current: true once that is done."""
        if self.token is not None:
            token, self.token = self.token, None
            contexts.detach(token)
        return True


class Spans:
    """The span of each call."""

    def __init__(self, mode: str, tracer_provider: Any) -> None:
        self._mode = mode
        self._tracer = trace.get_tracer(names.SCOPE, __version__, tracer_provider)

    def begin(self, call: Call, *, sdk_traces: bool) -> None:
        """Starts a span for `call` and makes it current, unless the SDK's may do."""
        if self._mode == "own" or (self._mode == "auto" and not sdk_traces):
            self._start(call)

    def adopt(self, call: Call, span: Any, tracer: Any) -> Any:
        """The SDK asked `tracer` for `span` for `call`, or for none. The span that the SDK is to go on with."""
        if self._mode not in ("auto", "annotate"):
            return span
        call.adopted = span is not None and span.is_recording()
        if not call.adopted and self._mode == "auto" and not self._sampled_out(span, tracer):
            return self._stand_in(call, span)
        if span is not None:
            call.handle = SpanHandle(span, trace.set_span_in_context(span), own=False)
        return span

    def _sampled_out(self, span: Any, tracer: Any) -> bool:
        """Whether the sampler that would be asked for a span of our own has said no for the SDK's."""
        sampler = sampler_of(tracer)
        if span is None:
            # What does not record and cannot be propagated either, the SDK drops.
            return sampler is not None and sampler is sampler_of(self._tracer)
        context = span.get_span_context()
        if isinstance(tracer, trace.NoOpTracer) or context.trace_flags.sampled or not context.is_valid:
            # Not decided by anyone: a tracer that does nothing hands on what is current, or nothing.
            return False
        return sampler is None or sampler is sampler_of(self._tracer)

    def _stand_in(self, call: Call, span: Any) -> Any:
        """Starts a span of our own; in place of one of the SDK's that does not record, the SDK shows it to others."""
        self._start(call)
        own = call.handle.span.get_span_context()
        return span if span is None or not own.is_valid else trace.NonRecordingSpan(own)

    def _start(self, call: Call) -> None:
        span = self._tracer.start_span(
            call.operation if call.model is None else f"{call.operation} {call.model}",
            kind=SpanKind.CLIENT,
            attributes=start_attributes(call),
        )
        context = trace.set_span_in_context(span)
        call.handle = SpanHandle(span, context, own=True)
        # Last of all: what is current can only be taken back by way of the handle.
        call.handle.token = contexts.attach(context)

    def end(self, call: EndedCall, handle: SpanHandle | None) -> None:
        """Writes what `call` came to on its span, and ends it. The SDK's own span the SDK ends."""
        if handle is None:
            return
        recording = True
        try:
            # What does not record need not be ended, and must not be where somebody else has ended it.
            recording = handle.span.is_recording()
            if recording:
                self._write(call, handle)
        finally:
            if handle.own and recording:
                handle.span.end()

    def _write(self, call: EndedCall, handle: SpanHandle) -> None:
        span = handle.span
        if handle.own:
            span.set_attributes(response_attributes(call))
        span.set_attributes(result_attributes(call))
        if call.verdict.error_type is not None:
            span.set_status(Status(StatusCode.ERROR, call.verdict.message))


def sampler_of(tracer: Any) -> Any:
    """What decides for `tracer`, or the tracer that it stands for; `None` where there is no telling."""
    return getattr(getattr(tracer, "_tracer", tracer), "sampler", None)


def start_attributes(call: Call) -> dict[str, AttributeValue]:
    """What is known before the request is sent, so that a sampler sees it."""
    attributes: dict[str, AttributeValue | None] = {
        names.OPERATION_NAME: call.operation,
        names.PROVIDER_NAME: call.provider,
        names.REQUEST_MODEL: call.model,
        names.REQUEST_STREAM: call.stream or None,
        names.SERVER_ADDRESS: call.server_address,
        names.SERVER_PORT: call.server_port,
    }
    for parameter, value in call.parameters.items():
        attributes[_PARAMETERS[parameter]] = value
    return present(attributes)


def response_attributes(call: EndedCall) -> dict[str, AttributeValue]:
    """What the provider answered."""
    usage = call.usage
    return present(
        {
            names.RESPONSE_ID: call.response_id,
            names.RESPONSE_MODEL: call.response_model,
            names.RESPONSE_FINISH_REASONS: call.finish_reasons or None,
            names.RESPONSE_TIME_TO_FIRST_CHUNK: call.time_to_first_chunk if call.streamed else None,
            names.USAGE_INPUT_TOKENS: usage.all_input,
            names.USAGE_OUTPUT_TOKENS: usage.output,
            names.USAGE_CACHE_READ_INPUT_TOKENS: usage.cache_read,
            names.USAGE_CACHE_WRITE_INPUT_TOKENS: usage.cache_write,
            names.ANTHROPIC_REQUEST_ID: call.request_id,
            names.HTTP_RESEND_COUNT: call.resend_count or None,
        }
    )


def result_attributes(call: EndedCall) -> dict[str, AttributeValue]:
    """What after200 adds: how the call ended, and the status that it should have had."""
    verdict = call.verdict
    error = verdict.error_type is not None
    return present(
        {
            names.HTTP_STATUS: verdict.status if error else call.wire_status,
            names.WIRE_STATUS: call.wire_status,
            names.ERROR_TYPE: verdict.error_type,
            names.OUTCOME: verdict.outcome,
            names.PHASE: verdict.phase,
            names.FAILURE: verdict.failure,
            names.RETRYABLE: verdict.failure in RETRYABLE if error else None,
            names.STREAM_CHUNKS: call.chunks if call.streamed else None,
            names.STREAM_LONGEST_GAP: call.longest_gap if call.streamed else None,
            names.BEDROCK_ORIGINAL_STATUS: call.original_status,
        }
    )


def present(attributes: dict[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """`attributes` without those that have no value: absent is absent."""
    return {name: value for name, value in attributes.items() if value is not None}
