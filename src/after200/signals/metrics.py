# SPDX-License-Identifier: Apache-2.0
"""An ended call → points of the metrics in `names.METRICS`, whatever the sampler of the spans decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext
from opentelemetry.util.types import AttributeValue

from .. import names
from ..call.ended import EndedCall, Verdict
from ..call.facts import ProviderError
from ..call.rate_limits import RateLimit
from ..call.record import Call
from ..names import errors
from ..names.endings import NEEDS_END_EVENT
from . import attributes
from .bounds import BOUNDS
from .deferred import Key, context_of
from .instruments import instruments_of
from .other_instrumentations import report_double_counts, report_frameworks


class Metrics:
    """What one instrumentation writes to the instruments."""

    def __init__(self, genai: bool, chunk_timing: bool, meter_provider: MeterProvider | None) -> None:
        instruments = self._instruments = instruments_of(meter_provider)
        self._points = instruments.deferred.points
        self._longest_gap = instruments.histogram(names.LONGEST_GAP)
        self._first_text = instruments.histogram(names.TIME_TO_FIRST_TEXT)
        self._genai = genai
        if genai:
            self._duration = instruments.histogram(names.DURATION)
            self._first_chunk = instruments.histogram(names.TIME_TO_FIRST_CHUNK)
            self._token_usage = instruments.histogram(names.TOKEN_USAGE)
        self.records_chunk_gaps = genai and chunk_timing
        """Whether `gap` must be called for every chunk after the first."""
        if self.records_chunk_gaps:
            self._chunk_time = instruments.histogram(names.TIME_PER_OUTPUT_CHUNK)

    def before_collection(self, callback: Callable[[], None]) -> None:
        """Calls `callback` each time before metrics are collected."""

        def before_collection() -> None:
            callback()
            if self._genai:
                report_frameworks(self._instruments.frameworks)

        self._instruments.deferred.before_collection = before_collection

    def stopped(self) -> None:
        """An instrumentation was taken off: what frameworks record from now on is no evidence for its calls."""
        self._instruments.frameworks.stopped()

    # --- while the call runs ---

    def begin(self, call: Call) -> None:
        """Adds 0 to the watched failures of a new kind of call, because `rate()` misses a counter that starts at 1."""
        kind = kind_of(call)
        born = self._instruments.born
        if (kind, call.client) in born:
            return
        born.add((kind, call.client))
        if self._genai:
            report_double_counts(call.client)
        if call.end_rule in NEEDS_END_EVENT:
            for verdict in watched_failures(call.provider, bool(call.stream)):
                key = attributes.call_key(kind, attributes.ending_of(verdict, 200), call.client)
                self._instruments.calls.add(key, 0)

    def stream_began(self, call: Call) -> None:
        """The application has a stream to read."""
        self._count_open(kind_of(call), 1)

    def _count_open(self, kind: attributes.Kind, change: int) -> None:
        _, provider, model, _ = kind
        self._instruments.open.add(attributes.model_key(provider, model, metric=names.STREAMS_OPEN), change)

    def gap(self, call: Call, seconds: float, span: SpanContext | None) -> None:
        """A chunk came `seconds` after the one before. `span` is that of the call, for the exemplars."""
        found = convention_attributes(call, kind_of(call), call.message.model)
        self._points.add_at_once(self._chunk_time, seconds, found, context_of(span))

    def inner_error(self, call: Call, error: ProviderError) -> None:
        """The body reports an error of something else than the call."""
        error_type = BOUNDS.error_type(error.type)
        self._instruments.inner_errors.add(attributes.inner_error_key(call.operation, call.provider, error_type))

    def rate_limits(self, call: Call, limits: Mapping[str, RateLimit]) -> None:
        """A response stated its rate limits."""
        self._instruments.rate_limits.add(call.provider, BOUNDS.model(call.model), limits)

    # --- when it has ended ---

    def end(self, call: EndedCall, span: SpanContext | None, caller: Key = ()) -> None:
        """Counts `call`, `caller`'s, and records how long it took, in the context of its span for the exemplars."""
        kind = kind_of(call)
        context = context_of(span)
        ending = attributes.ending_of(call.verdict, call.wire_status)
        self._instruments.calls.add(attributes.call_key(kind, ending, call.client) + caller)
        self._count_attempts(call, kind)
        self._count_message(call, kind, caller)
        if call.streamed:
            self._count_open(kind, -1)
            if call.longest_gap is not None:
                outcome = attributes.outcome_attributes(kind, call.verdict.outcome)
                self._points.add(self._longest_gap, call.longest_gap, outcome, context)
            if call.time_to_first_text is not None:
                text = attributes.outcome_attributes(kind, None)
                self._points.add(self._first_text, call.time_to_first_text, text, context)
        if self._genai:
            self._add_genai(call, kind, context)
            if call.client is None:
                self._instruments.frameworks.ended(kind[2], call.response_model)

    def _count_attempts(self, call: EndedCall, kind: attributes.Kind) -> None:
        _, _, model, _ = kind
        for attempt in call.attempts:
            self._instruments.attempts.add(attributes.attempt_key(call.provider, model, attempt))
        for wait in call.waits:
            key = attributes.model_key(call.provider, model, wait.failure, metric=names.RETRY_WAIT)
            self._instruments.retry_wait.add(key, wait.seconds)

    def _count_message(self, call: EndedCall, kind: attributes.Kind, caller: Key) -> None:
        message, value = call.message, BOUNDS.value
        for token_type, detail, number in attributes.token_parts(message):
            key = attributes.token_key(kind, call.verdict.outcome, token_type, detail)
            self._instruments.tokens.add(key + caller, number)
        for tool, times in message.tools:
            tool_values = value(names.TOOL_NAME, tool.name), value(names.SERVER_TOOL_ERRORS, tool.error)
            _, provider, model, _ = kind
            key = attributes.model_key(provider, model, *tool_values, metric=names.SERVER_TOOL_CALLS)
            self._instruments.server_tools.add(key, times)
        answer = call.verdict.answer
        if answer is not None:
            key = attributes.answer_key(
                kind,
                answer,
                value(names.STOP_REASON, message.stop_reason),
                value(names.REFUSAL_CATEGORY, call.refusal_category),
                call.fallback or None,
                value(names.SERVICE_TIER, message.usage.service_tier),
                value(names.SPEED, message.usage.speed),
            )
            self._instruments.answers.add(key + caller)

    def _add_genai(self, call: EndedCall, kind: attributes.Kind, context: Context) -> None:
        add = self._points.add
        base = convention_attributes(call, kind, call.response_model)
        verdict = call.verdict
        duration = dict(base)
        if verdict.error_type is not None:
            duration[names.ERROR_TYPE] = verdict.error_type
        status = attributes.reported_status(verdict, call.wire_status)
        if status is not None:
            duration[names.HTTP_STATUS] = status
        add(self._duration, call.duration, duration, context)
        if call.streamed and call.time_to_first_chunk is not None:
            add(self._first_chunk, call.time_to_first_chunk, base, context)
        usage = call.message.usage
        for token_type, tokens in (("input", usage.all_input), ("output", usage.tokens.output)):
            if tokens is not None:
                add(self._token_usage, tokens, {**base, names.TOKEN_TYPE: token_type}, context)


def kind_of(call: Call | EndedCall) -> attributes.Kind:
    """Returns what says which call it was."""
    return (call.operation, call.provider, BOUNDS.model(call.model), call.stream)


def convention_attributes(
    call: Call | EndedCall, kind: attributes.Kind, response_model: str | None
) -> dict[str, AttributeValue]:
    """Returns the attributes of every `gen_ai.client.*` metric."""
    operation, provider, model, _ = kind
    return attributes.convention_attributes(
        operation,
        provider,
        model,
        BOUNDS.response_model(response_model),
        call.server_address,
        call.server_port,
    )


def watched_failures(provider: str, stream: bool) -> list[Verdict]:
    """Returns the hidden failures whose series a call of this kind must find at zero."""
    types = (*errors.WATCHED, *(errors.WATCHED_ON_STREAMS if stream else ()))
    if provider == names.BEDROCK and stream:
        types += errors.WATCHED_ON_BEDROCK_STREAMS
    phases: tuple[names.Phase, ...] = ("first_chunk", "mid_stream") if stream else ("first_chunk",)
    verdicts = []
    for error_type in types:
        status, failure = errors.ERROR_TYPES[error_type]
        outcome: names.Outcome = "truncated" if error_type == errors.TRUNCATED else "failed"
        verdicts += [
            Verdict(outcome, phase=phase, error_type=error_type, failure=failure, status=status) for phase in phases
        ]
    return verdicts
