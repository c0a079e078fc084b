# SPDX-License-Identifier: Apache-2.0
"""Every attribute, metric, unit and event name the package writes, once.

The signals, the dashboards, the rules and the documentation take their names from here. The package keeps its own
constants because the conventions for generative AI still change between releases of
`opentelemetry-semantic-conventions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SCOPE: Final = "after200"

# --- attributes of the conventions -----------------------------------------------------------------------------------

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
HTTP_STATUS: Final = "http.response.status_code"
HTTP_RESEND_COUNT: Final = "http.request.resend_count"
ERROR_TYPE: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"

# --- attributes of the provider --------------------------------------------------------------------------------------

ANTHROPIC_REQUEST_ID: Final = "anthropic.request.id"
BEDROCK_ORIGINAL_STATUS: Final = "aws.bedrock.original_status_code"

# --- attributes of this package --------------------------------------------------------------------------------------

OUTCOME: Final = "after200.outcome"
PHASE: Final = "after200.phase"
FAILURE: Final = "after200.failure"
RETRYABLE: Final = "after200.retryable"
WIRE_STATUS: Final = "after200.wire.status_code"
STREAM_CHUNKS: Final = "after200.stream.chunks"
STREAM_LONGEST_GAP: Final = "after200.stream.longest_gap"

# --- events ----------------------------------------------------------------------------------------------------------

EXCEPTION_EVENT: Final = "gen_ai.client.operation.exception"

# --- metrics ---------------------------------------------------------------------------------------------------------

CALL_ATTRIBUTES: Final = (OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, REQUEST_STREAM)
"""What `CONTRACT.md` calls A: the attributes that say which call it was."""

CONVENTION_ATTRIBUTES: Final = (
    OPERATION_NAME,
    PROVIDER_NAME,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
)
"""The attributes that the conventions give every `gen_ai.client.*` metric."""

DURATION_BUCKETS: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
TOKEN_BUCKETS: Final = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One instrument: its name, kind, unit, the attributes a point can have, and what it counts or measures."""

    name: str
    kind: Literal["counter", "up_down_counter", "histogram"]
    unit: str
    attributes: tuple[str, ...]
    description: str
    buckets: tuple[float, ...] | None = None


CALLS: Final = Metric(
    "after200.calls",
    "counter",
    "{call}",
    (*CALL_ATTRIBUTES, OUTCOME, PHASE, FAILURE, ERROR_TYPE, HTTP_STATUS, WIRE_STATUS),
    "Calls that ended, by how they ended. Automatic retries are part of the call.",
)
ATTEMPTS: Final = Metric(
    "after200.attempts",
    "counter",
    "{attempt}",
    (PROVIDER_NAME, REQUEST_MODEL, WIRE_STATUS, ERROR_TYPE),
    "HTTP requests sent for calls, by what each was answered.",
)
TOKENS: Final = Metric(
    "after200.tokens",
    "counter",
    "{token}",
    (*CALL_ATTRIBUTES, OUTCOME, TOKEN_TYPE),
    "Tokens by kind and by how the call that used them ended.",
)
LONGEST_GAP: Final = Metric(
    "after200.stream.longest_gap",
    "histogram",
    "s",
    (*CALL_ATTRIBUTES, OUTCOME),
    "The longest time in a stream from one chunk to the next, or from the last chunk to the end.",
    DURATION_BUCKETS,
)
STREAMS_OPEN: Final = Metric(
    "after200.streams.open",
    "up_down_counter",
    "{stream}",
    (PROVIDER_NAME, REQUEST_MODEL),
    "Streams that began and have not ended.",
)
INNER_ERRORS: Final = Metric(
    "after200.inner_errors",
    "counter",
    "{error}",
    (OPERATION_NAME, PROVIDER_NAME, ERROR_TYPE, FAILURE, HTTP_STATUS),
    "Errors that a body reports of something else than the call: an entry of a batch, an agent's session.",
)
DURATION: Final = Metric(
    "gen_ai.client.operation.duration",
    "histogram",
    "s",
    (*CONVENTION_ATTRIBUTES, ERROR_TYPE, HTTP_STATUS),
    "GenAI operation duration.",
    DURATION_BUCKETS,
)
TIME_TO_FIRST_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    CONVENTION_ATTRIBUTES,
    "Time from sending the request to the first chunk (a content_block_delta) of a stream.",
    DURATION_BUCKETS,
)
TIME_PER_OUTPUT_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_per_output_chunk",
    "histogram",
    "s",
    CONVENTION_ATTRIBUTES,
    "Time from one chunk of a stream to the next.",
    DURATION_BUCKETS,
)
TOKEN_USAGE: Final = Metric(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    (*CONVENTION_ATTRIBUTES, TOKEN_TYPE),
    "Number of input and output tokens used.",
    TOKEN_BUCKETS,
)

METRICS: Final = (
    CALLS,
    ATTEMPTS,
    TOKENS,
    LONGEST_GAP,
    STREAMS_OPEN,
    INNER_ERRORS,
    DURATION,
    TIME_TO_FIRST_CHUNK,
    TIME_PER_OUTPUT_CHUNK,
    TOKEN_USAGE,
)

# --- allowed values --------------------------------------------------------------------------------------------------

OTHER: Final = "_OTHER"

OUTCOMES: Final = ("completed", "failed", "truncated", "closed", "cancelled", "abandoned")
PHASES: Final = ("request", "first_chunk", "mid_stream")
TOKEN_TYPES: Final = ("input", "output", "cache_read", "cache_write")
