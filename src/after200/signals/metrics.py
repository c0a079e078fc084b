# SPDX-License-Identifier: Apache-2.0
"""An ended call → points of the metrics in `names.METRICS`, whatever the sampler of the spans decides.

What comes from outside is bounded before it becomes a label: see `call/limits.py`.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry import metrics

from .._version import __version__
from ..call import statuses
from ..call.limits import DistinctNames
from ..call.record import Call, EndedCall, ProviderError, Verdict
from ..call.verdict import admit_type
from . import names

MAX_MODELS: Final = 100

WATCHED: Final = ("overloaded_error", "api_error", "rate_limit_error")
WATCHED_ON_BEDROCK: Final = ("throttlingException", "internalServerException", "serviceUnavailableException")
WATCHED_ON_STREAMS: Final = (statuses.TRUNCATED, statuses.CONNECTION)
"""The hidden failures that alerts watch: their series are born at zero."""

Attributes = dict[str, Any]


class Metrics:
    """The instruments, and what is written to them."""

    def __init__(self, genai: bool, chunk_timing: bool, meter_provider: Any) -> None:
        meter = metrics.get_meter(names.SCOPE, __version__, meter_provider)
        self._genai = genai
        self._calls = create(meter, names.CALLS)
        self._attempts = create(meter, names.ATTEMPTS)
        self._tokens = create(meter, names.TOKENS)
        self._longest_gap = create(meter, names.LONGEST_GAP)
        self._open = create(meter, names.STREAMS_OPEN)
        self._inner_errors = create(meter, names.INNER_ERRORS)
        if genai:
            self._duration = create(meter, names.DURATION)
            self._first_chunk = create(meter, names.TIME_TO_FIRST_CHUNK)
            self._token_usage = create(meter, names.TOKEN_USAGE)
        self._chunk_time: Any = create(meter, names.TIME_PER_OUTPUT_CHUNK) if genai and chunk_timing else None
        self._models = DistinctNames(MAX_MODELS)
        self._response_models = DistinctNames(MAX_MODELS)
        self._born: set[tuple[str, str | None, bool]] = set()

    # --- while the call runs ---

    def begin(self, call: Call) -> None:
        """Born at zero: `rate()` cannot see a counter's birth at 1, so the first failure would be lost."""
        key = (call.provider, self._model(call.model), call.stream)
        if key in self._born:
            return
        self._born.add(key)
        if call.end_rule not in ("message", "completion"):
            return
        base = call_attributes(call, key[1])
        for verdict in watched_failures(call.provider, call.stream):
            self._calls.add(0, {**base, **verdict_attributes(verdict, 200)})

    def stream_began(self, call: Call) -> None:
        self._open.add(1, self._stream_attributes(call))
        if self._chunk_time is not None:
            call.on_gap = self._record_gap

    def _record_gap(self, call: Call, gap: float) -> None:
        self._chunk_time.record(gap, self._convention_attributes(call))

    def inner_error(self, call: Call, error: ProviderError) -> None:
        error_type = admit_type(error.type)
        row = statuses.documented(error_type)
        status = None if row is None else row[0]
        self._inner_errors.add(
            1,
            {
                names.OPERATION_NAME: call.operation,
                names.PROVIDER_NAME: call.provider,
                names.ERROR_TYPE: error_type,
                names.FAILURE: statuses.failure_of(error_type),
                **({} if status is None else {names.HTTP_STATUS: status}),
            },
        )

    # --- when it has ended ---

    def end(self, call: EndedCall, handle: Any, context: Any) -> None:
        base = call_attributes(call, self._model(call.model))
        outcome = {**base, names.OUTCOME: call.verdict.outcome}
        self._calls.add(1, {**base, **verdict_attributes(call.verdict, call.wire_status)}, context)
        self._add_attempts(call)
        for token_type, tokens in token_counts(call):
            self._tokens.add(tokens, {**outcome, names.TOKEN_TYPE: token_type})
        if call.streamed:
            self._open.add(-1, self._stream_attributes(call))
            if call.longest_gap is not None:
                self._longest_gap.record(call.longest_gap, outcome, context)
        if self._genai:
            self._record_genai(call, context)

    def _add_attempts(self, call: EndedCall) -> None:
        base = self._stream_attributes(call)
        for status, error_type in call.attempts:
            attributes = dict(base)
            if status is not None:
                attributes[names.WIRE_STATUS] = status
            if error_type is not None:
                attributes[names.ERROR_TYPE] = error_type
            self._attempts.add(1, attributes)

    def _record_genai(self, call: EndedCall, context: Any) -> None:
        base = self._convention_attributes(call)
        duration = dict(base)
        if call.verdict.error_type is not None:
            duration[names.ERROR_TYPE] = call.verdict.error_type
        status = reported_status(call.verdict, call.wire_status)
        if status is not None:
            duration[names.HTTP_STATUS] = status
        self._duration.record(call.duration, duration, context)
        if call.streamed and call.time_to_first_chunk is not None:
            self._first_chunk.record(call.time_to_first_chunk, base, context)
        for token_type, tokens in (("input", call.usage.all_input), ("output", call.usage.output)):
            if tokens is not None:
                self._token_usage.record(tokens, {**base, names.TOKEN_TYPE: token_type}, context)

    # --- attributes ---

    def _model(self, model: str | None) -> str | None:
        return None if model is None else self._models.admit(model)

    def _stream_attributes(self, call: Call | EndedCall) -> Attributes:
        model = self._model(call.model)
        attributes: Attributes = {names.PROVIDER_NAME: call.provider}
        if model is not None:
            attributes[names.REQUEST_MODEL] = model
        return attributes

    def _convention_attributes(self, call: Call | EndedCall) -> Attributes:
        attributes = self._stream_attributes(call)
        attributes[names.OPERATION_NAME] = call.operation
        if call.response_model is not None:
            attributes[names.RESPONSE_MODEL] = self._response_models.admit(call.response_model)
        if call.server_address is not None:
            attributes[names.SERVER_ADDRESS] = call.server_address
            attributes[names.SERVER_PORT] = call.server_port
        return attributes


def create(meter: Any, metric: names.Metric) -> Any:
    """The instrument for `metric`."""
    if metric.kind == "histogram":
        return meter.create_histogram(
            metric.name,
            metric.unit,
            metric.description,
            explicit_bucket_boundaries_advisory=metric.buckets,
        )
    return getattr(meter, f"create_{metric.kind}")(metric.name, metric.unit, metric.description)


def call_attributes(call: Call | EndedCall, model: str | None) -> Attributes:
    """What says which call it was: `names.CALL_ATTRIBUTES`."""
    attributes: Attributes = {
        names.OPERATION_NAME: call.operation,
        names.PROVIDER_NAME: call.provider,
        names.REQUEST_STREAM: call.stream,
    }
    if model is not None:
        attributes[names.REQUEST_MODEL] = model
    return attributes


def verdict_attributes(verdict: Verdict, wire_status: int | None) -> Attributes:
    """What says how it ended."""
    attributes: Attributes = {names.OUTCOME: verdict.outcome}
    if verdict.error_type is not None:
        attributes[names.PHASE] = verdict.phase
        attributes[names.FAILURE] = verdict.failure
        attributes[names.ERROR_TYPE] = verdict.error_type
    status = reported_status(verdict, wire_status)
    if status is not None:
        attributes[names.HTTP_STATUS] = status
    if wire_status is not None:
        attributes[names.WIRE_STATUS] = wire_status
    return attributes


def reported_status(verdict: Verdict, wire_status: int | None) -> int | None:
    """The status code of an error as corrected, and as it was on the wire for what is none."""
    return wire_status if verdict.error_type is None else verdict.status


def watched_failures(provider: str, stream: bool) -> list[Verdict]:
    """The hidden failures whose series a call of this kind is to find at zero."""
    types = (*WATCHED, *(WATCHED_ON_STREAMS if stream else ()))
    if provider == "aws.bedrock" and stream:
        types += WATCHED_ON_BEDROCK
    phases = ("first_chunk", "mid_stream") if stream else ("first_chunk",)
    verdicts = []
    for error_type in types:
        status, failure = statuses.ERROR_TYPES[error_type]
        outcome = "truncated" if error_type == statuses.TRUNCATED else "failed"
        verdicts += [Verdict(outcome, phase, error_type, failure, status) for phase in phases]
    return verdicts


def token_counts(call: EndedCall) -> list[tuple[str, int]]:
    """The tokens of `call` by kind; each token is of one kind."""
    usage = call.usage
    kinds = zip(names.TOKEN_TYPES, (usage.input, usage.output, usage.cache_read, usage.cache_write), strict=True)
    return [(kind, tokens) for kind, tokens in kinds if tokens]
