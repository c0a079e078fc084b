# SPDX-License-Identifier: Apache-2.0
"""An ended call → points of the metrics in `names.METRICS`, whatever the sampler of the spans decides.

Attribute sets are built once for each that occurs. What comes from outside is bounded before it becomes a label: see
`call/limits.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanContext

from .. import names
from .._version import __version__
from ..call import statuses
from ..call.limits import DistinctNames
from ..call.record import Call, EndedCall, ProviderError, Verdict
from ..call.verdict import admit_type
from ..guard import guarded
from ..neighbours import report_double_counts
from .tallies import Key, Points, Tally, key_of

MAX_MODELS: Final = 100

WATCHED: Final = ("overloaded_error", "api_error", "rate_limit_error")
WATCHED_ON_BEDROCK: Final = ("throttlingException", "internalServerException", "serviceUnavailableException")
WATCHED_ON_STREAMS: Final = (statuses.TRUNCATED, statuses.CONNECTION)
"""The hidden failures that alerts watch: their series are born at zero."""

_models = DistinctNames(MAX_MODELS)
_response_models = DistinctNames(MAX_MODELS)


class Counters:
    """The counters of one meter provider. They outlive an instrumentation, as what they counted does."""

    def __init__(self, meter_provider: Any) -> None:
        meter = metrics.get_meter(names.SCOPE, __version__, meter_provider)
        self.points = Points()
        self.calls = observed(meter, names.CALLS, self._record_points)
        self.attempts = observed(meter, names.ATTEMPTS)
        self.tokens = observed(meter, names.TOKENS)
        self.open = observed(meter, names.STREAMS_OPEN)
        self.inner_errors = observed(meter, names.INNER_ERRORS)
        self.born: set[tuple[str, str | None, bool]] = set()

    def _record_points(self, options: CallbackOptions) -> Iterable[Observation]:
        """Asked before the histograms are collected, as every observable instrument is."""
        guarded(self.points.record)()
        return ()


class Metrics:
    """The instruments, and what is written to them."""

    def __init__(self, genai: bool, chunk_timing: bool, meter_provider: Any) -> None:
        meter = metrics.get_meter(names.SCOPE, __version__, meter_provider)
        self._counters = counters_of(meter_provider)
        self._longest_gap = histogram(meter, names.LONGEST_GAP)
        self._genai = genai
        if genai:
            self._duration = histogram(meter, names.DURATION)
            self._first_chunk = histogram(meter, names.TIME_TO_FIRST_CHUNK)
            self._token_usage = histogram(meter, names.TOKEN_USAGE)
        self._chunk_time: Any = histogram(meter, names.TIME_PER_OUTPUT_CHUNK) if genai and chunk_timing else None

    # --- while the call runs ---

    def begin(self, call: Call) -> None:
        """Born at zero: `rate()` cannot see a counter's birth at 1, so the first failure would be lost."""
        key = (call.provider, admit_model(call.model), call.stream)
        if key in self._counters.born:
            return
        self._counters.born.add(key)
        if self._genai:
            report_double_counts()
        if call.end_rule in ("message", "completion"):
            for verdict in watched_failures(call.provider, call.stream):
                self._counters.calls.add(call_key(call.operation, *key, verdict, 200), 0)

    def stream_began(self, call: Call) -> None:
        self._counters.open.add(stream_key(call.provider, admit_model(call.model)))
        if self._chunk_time is not None:
            call.on_gap = self._record_gap

    def _record_gap(self, call: Call, gap: float) -> None:
        self._chunk_time.record(gap, convention_attributes(call))

    def inner_error(self, call: Call, error: ProviderError) -> None:
        self._counters.inner_errors.add(inner_error_key(call.operation, call.provider, admit_type(error.type)))

    # --- when it has ended ---

    def end(self, call: EndedCall, handle: Any) -> None:
        """Counts `call`, and records how long it took, in the context of its span for the exemplars."""
        counters, verdict, model = self._counters, call.verdict, admit_model(call.model)
        span = None if handle is None else handle.span.get_span_context()
        # The message differs from call to call; no label is made of it.
        verdict = verdict._replace(message=None, exception_type=None) if verdict.message else verdict
        counters.calls.add(call_key(call.operation, call.provider, model, call.stream, verdict, call.wire_status))
        for attempt in call.attempts:
            counters.attempts.add(attempt_key(call.provider, model, *attempt))
        kind = (call.operation, call.provider, model, call.stream, verdict.outcome)
        usage = call.usage
        for token_type, tokens in zip(
            names.TOKEN_TYPES, (usage.input, usage.output, usage.cache_read, usage.cache_write), strict=True
        ):
            if tokens:
                counters.tokens.add(token_key(*kind, token_type), tokens)
        if call.streamed:
            counters.open.add(stream_key(call.provider, model), -1)
            if call.longest_gap is not None:
                counters.points.add(self._longest_gap, call.longest_gap, outcome_attributes(*kind), span)
        if self._genai:
            self._add_genai(call, span)

    def _add_genai(self, call: EndedCall, span: SpanContext | None) -> None:
        add = self._counters.points.add
        base = convention_attributes(call)
        verdict = call.verdict
        duration = dict(base)
        if verdict.error_type is not None:
            duration[names.ERROR_TYPE] = verdict.error_type
        status = reported_status(verdict, call.wire_status)
        if status is not None:
            duration[names.HTTP_STATUS] = status
        add(self._duration, call.duration, duration, span)
        if call.streamed and call.time_to_first_chunk is not None:
            add(self._first_chunk, call.time_to_first_chunk, base, span)
        for token_type, tokens in (("input", call.usage.all_input), ("output", call.usage.output)):
            if tokens is not None:
                add(self._token_usage, tokens, {**base, names.TOKEN_TYPE: token_type}, span)


# --- instruments ---

_counters: weakref.WeakKeyDictionary[Any, Counters] = weakref.WeakKeyDictionary()
_global_counters: list[Counters] = []


def counters_of(meter_provider: Any) -> Counters:
    """The counters of `meter_provider`; a meter has each observable instrument once, and keeps its callback."""
    if meter_provider is None:
        if not _global_counters:
            _global_counters.append(Counters(None))
        return _global_counters[0]
    if meter_provider not in _counters:
        _counters[meter_provider] = Counters(meter_provider)
    return _counters[meter_provider]


def observed(meter: Any, metric: names.Metric, *before: Any) -> Tally:
    """A tally that the observable instrument for `metric` reports, after what is to be asked `before`."""
    tally = Tally(lasting=metric.kind == "counter")
    create = getattr(meter, f"create_observable_{metric.kind}")
    create(metric.name, callbacks=[*before, tally.observe], unit=metric.unit, description=metric.description)
    return tally


def histogram(meter: Any, metric: names.Metric) -> Any:
    """The histogram for `metric`, with the conventions' advice on its buckets."""
    return meter.create_histogram(
        metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
    )


# --- attributes ---


def admit_model(model: str | None) -> str | None:
    """`model` as a label."""
    return None if model is None else _models.admit(model)


def convention_attributes(call: Call | EndedCall) -> dict[str, Any]:
    """The attributes of every `gen_ai.client.*` metric. Shared: not to be changed."""
    response_model = call.response_model
    return _convention_attributes(
        call.operation,
        call.provider,
        admit_model(call.model),
        None if response_model is None else _response_models.admit(response_model),
        call.server_address,
        call.server_port,
    )


@lru_cache(maxsize=1024)
def _convention_attributes(*values: Any) -> dict[str, Any]:
    return {name: value for name, value in zip(names.CONVENTION_ATTRIBUTES, values, strict=True) if value is not None}


def call_attributes(operation: str, provider: str, model: str | None, stream: bool) -> dict[str, Any]:
    """What says which call it was: `names.CALL_ATTRIBUTES`."""
    return dict(zip(names.CALL_ATTRIBUTES, (operation, provider, model, stream), strict=True))


@lru_cache(maxsize=4096)
def call_key(
    operation: str, provider: str, model: str | None, stream: bool, verdict: Verdict, wire_status: int | None
) -> Key:
    """What says which call it was, and how it ended."""
    return key_of(
        {
            **call_attributes(operation, provider, model, stream),
            names.OUTCOME: verdict.outcome,
            names.PHASE: verdict.phase,
            names.FAILURE: verdict.failure,
            names.ERROR_TYPE: verdict.error_type,
            names.HTTP_STATUS: reported_status(verdict, wire_status),
            names.WIRE_STATUS: wire_status,
        }
    )


@lru_cache(maxsize=1024)
def attempt_key(provider: str, model: str | None, status: int | None, error_type: str | None) -> Key:
    """What an attempt was answered."""
    values = (provider, model, status, error_type)
    return key_of(dict(zip(names.ATTEMPTS.attributes, values, strict=True)))


@lru_cache(maxsize=1024)
def stream_key(provider: str, model: str | None) -> Key:
    """Where a stream is from."""
    return key_of(dict(zip(names.STREAMS_OPEN.attributes, (provider, model), strict=True)))


@lru_cache(maxsize=1024)
def token_key(operation: str, provider: str, model: str | None, stream: bool, outcome: str, token_type: str) -> Key:
    """What kind of tokens, and what came of the call that used them."""
    attributes = outcome_attributes(operation, provider, model, stream, outcome)
    return key_of({**attributes, names.TOKEN_TYPE: token_type})


@lru_cache(maxsize=1024)
def outcome_attributes(operation: str, provider: str, model: str | None, stream: bool, outcome: str) -> dict[str, Any]:
    """What says which call it was, and what came of it. Shared: not to be changed."""
    return dict(key_of({**call_attributes(operation, provider, model, stream), names.OUTCOME: outcome}))


@lru_cache(maxsize=1024)
def inner_error_key(operation: str, provider: str, error_type: str) -> Key:
    """What an error inside a body is."""
    row = statuses.documented(error_type)
    status = None if row is None else row[0]
    values = (operation, provider, error_type, statuses.failure_of(error_type), status)
    return key_of(dict(zip(names.INNER_ERRORS.attributes, values, strict=True)))


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
