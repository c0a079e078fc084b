# SPDX-License-Identifier: Apache-2.0
"""Every attribute, metric, unit and allowed value that the package writes, each once and with its description.

This module imports nothing of the package, so that the hooks, the signals, the fault server, the dashboards and the
documentation can all take their names from it. The package keeps its own constants because the conventions for
generative AI still change between releases of `opentelemetry-semantic-conventions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SCOPE: Final = "after200"
"""The name of the tracer, the meter and the logger."""

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.38.0"
"""The version of the conventions that the names of `gen_ai.*`, `server.*`, `http.*` and `error.*` are taken from."""

OTHER: Final = "_OTHER"
"""The value that stands for every value beyond a bound, and for an error without a usable type."""

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
TOOL_NAME: Final = "gen_ai.tool.name"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
HTTP_STATUS: Final = "http.response.status_code"
HTTP_RESEND_COUNT: Final = "http.request.resend_count"
ERROR_TYPE: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"

# --- attributes of the provider --------------------------------------------------------------------------------------

ANTHROPIC_REQUEST_ID: Final = "anthropic.request.id"
STOP_REASON: Final = "anthropic.message.stop_reason"
SERVICE_TIER: Final = "anthropic.response.service_tier"
SPEED: Final = "anthropic.response.speed"
BEDROCK_ORIGINAL_STATUS: Final = "aws.bedrock.original_status_code"

# --- attributes of this package --------------------------------------------------------------------------------------

OUTCOME: Final = "after200.outcome"
PHASE: Final = "after200.phase"
FAILURE: Final = "after200.failure"
RETRYABLE: Final = "after200.retryable"
ERROR_CODE: Final = "after200.error.code"
WIRE_STATUS: Final = "after200.wire.status_code"
ANSWER: Final = "after200.answer"
REFUSAL_CATEGORY: Final = "after200.refusal.category"
FALLBACK: Final = "after200.fallback"
STREAM_CHUNKS: Final = "after200.stream.chunks"
STREAM_LONGEST_GAP: Final = "after200.stream.longest_gap"
STREAM_TIME_TO_FIRST_TEXT: Final = "after200.stream.time_to_first_text"
CALL_RETRY_WAIT: Final = "after200.retry.wait"
SERVER_TOOL_ERRORS: Final = "after200.server_tool.errors"
TOKEN_DETAIL: Final = "after200.token.detail"
RATE_LIMIT_KIND: Final = "after200.rate_limit.kind"

# --- events ----------------------------------------------------------------------------------------------------------

EXCEPTION_EVENT: Final = "gen_ai.client.operation.exception"
"""The event name of the log record of an error."""

# --- what each attribute says ----------------------------------------------------------------------------------------

Place = Literal["span", "sdk_span", "log"]
"""Where an attribute stands besides metrics: on our own span, on the SDK's own span, on the log record of an error."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its type in OpenTelemetry's words (with the unit of a number), what it says, and where it stands.

    Which metrics have an attribute stands with the metrics.
    """

    type: str
    description: str
    on: tuple[Place, ...] = ("span",)


_BOTH: Final[tuple[Place, ...]] = ("span", "sdk_span")
_ALL: Final[tuple[Place, ...]] = ("span", "sdk_span", "log")
_METRICS_ONLY: Final[tuple[Place, ...]] = ()

ATTRIBUTES: Final[dict[str, Attribute]] = {
    OPERATION_NAME: Attribute(
        "string", "`chat` for Messages; `text_completion`, `batch_results` and `invoke_agent` for the other streams"
    ),
    PROVIDER_NAME: Attribute(
        "string", "`aws.bedrock` for Bedrock clients, `gcp.vertex_ai` for Vertex clients, `anthropic` for every other"
    ),
    REQUEST_MODEL: Attribute("string", "the model asked for; on metrics at most 100 in a process, then `_OTHER`"),
    REQUEST_STREAM: Attribute("boolean", "whether the call streams; a span has it only when it is true"),
    SERVER_ADDRESS: Attribute("string", "the host that the client sends its requests to"),
    SERVER_PORT: Attribute("integer", "the port of that host"),
    REQUEST_MAX_TOKENS: Attribute("integer", "the request's `max_tokens`"),
    REQUEST_TEMPERATURE: Attribute("double", "the request's `temperature`"),
    REQUEST_TOP_P: Attribute("double", "the request's `top_p`"),
    REQUEST_TOP_K: Attribute("integer", "the request's `top_k`"),
    REQUEST_STOP_SEQUENCES: Attribute("string[]", "the request's `stop_sequences`, at most 16"),
    RESPONSE_ID: Attribute("string", "the id of the message"),
    RESPONSE_MODEL: Attribute("string", "the model that answered"),
    RESPONSE_FINISH_REASONS: Attribute("string[]", "the stop reason, as the provider names it", _BOTH),
    RESPONSE_TIME_TO_FIRST_CHUNK: Attribute(
        "double, s", "the time from sending the request to the first `content_block_delta`"
    ),
    USAGE_INPUT_TOKENS: Attribute("integer", "all input tokens, those read from and written to the cache included"),
    USAGE_OUTPUT_TOKENS: Attribute(
        "integer", "the highest count that the provider reported; absent when the stream broke before it reported one"
    ),
    USAGE_CACHE_READ_INPUT_TOKENS: Attribute("integer", "the input tokens that were read from the cache"),
    USAGE_CACHE_WRITE_INPUT_TOKENS: Attribute("integer", "the input tokens that were written to the cache"),
    ANTHROPIC_REQUEST_ID: Attribute(
        "string", "the `request-id` of the response, which support asks for", ("span", "log")
    ),
    HTTP_RESEND_COUNT: Attribute("integer", "how many attempts the SDK made after the first; only when above 0"),
    HTTP_STATUS: Attribute(
        "integer",
        "on an error the corrected status: the status that the provider documents for it, absent where it documents "
        "none; otherwise the wire status",
        _ALL,
    ),
    WIRE_STATUS: Attribute(
        "integer", "the status code on the HTTP status line; absent when there was no response", _ALL
    ),
    ERROR_TYPE: Attribute(
        "string", "why the call failed, see [error types](#error-types); absent when it did not fail", _ALL
    ),
    ERROR_CODE: Attribute(
        "string",
        "the provider's `error.details.error_code`, where the error has one; at most 50 undocumented codes in a "
        "process, then `_OTHER`",
        _ALL,
    ),
    OUTCOME: Attribute("string", "how the call ended, see [outcomes](#outcomes)", _BOTH),
    PHASE: Attribute("string", "how far the call had come when it failed, see [phases](#phases)", _BOTH),
    FAILURE: Attribute("string", "one name per failure, whatever the provider, see [failures](#failures)", _ALL),
    RETRYABLE: Attribute("boolean", "whether a retry can help; on errors only", _BOTH),
    ANSWER: Attribute("string", "what a completed call was answered, see [answers](#answers)", _BOTH),
    REFUSAL_CATEGORY: Attribute(
        "string", "the category of a refusal, `none` when the provider gives none; refusals only", _BOTH
    ),
    FALLBACK: Attribute(
        "boolean", "true when another model than the one asked for gave the answer, else absent", _BOTH
    ),
    STREAM_CHUNKS: Attribute("integer", "how many `content_block_delta` events with data came; streams only", _BOTH),
    STREAM_LONGEST_GAP: Attribute("double, s", "the longest time between two chunks; streams only", _BOTH),
    STREAM_TIME_TO_FIRST_TEXT: Attribute(
        "double, s", "the time from sending the request to the first text; streams that had text", _BOTH
    ),
    CALL_RETRY_WAIT: Attribute("double, s", "how long the SDK waited between attempts, when it did", _BOTH),
    SERVER_TOOL_ERRORS: Attribute(
        "string[]",
        "`tool:code` of each server tool that failed inside the answer, each once, at most 16",
        _BOTH,
    ),
    BEDROCK_ORIGINAL_STATUS: Attribute("integer", "`originalStatusCode` of a Bedrock error frame", _BOTH),
    EXCEPTION_TYPE: Attribute("string", "the class of the exception that the application received", ("log",)),
    EXCEPTION_MESSAGE: Attribute("string", "the provider's message in one line, at most 1024 characters", ("log",)),
    TOKEN_TYPE: Attribute(
        "string", "`input`, `output`, `cache_read` or `cache_write`; on `gen_ai.*` `input` or `output`", _METRICS_ONLY
    ),
    TOKEN_DETAIL: Attribute("string", "a part of a token type, see [token details](#token-details)", _METRICS_ONLY),
    TOOL_NAME: Attribute("string", "the server tool: its block's type without `_tool_result`", _METRICS_ONLY),
    STOP_REASON: Attribute("string", "the stop reason, as the provider names it", _METRICS_ONLY),
    SERVICE_TIER: Attribute("string", "the service tier that served the call (`usage.service_tier`)", _METRICS_ONLY),
    SPEED: Attribute("string", "the speed that served the call (`usage.speed`)", _METRICS_ONLY),
    RATE_LIMIT_KIND: Attribute("string", "which limit, see [rate limits](#rate-limits)", _METRICS_ONLY),
}
"""Every attribute → what it says. Names in Markdown, since the documentation prints them."""

# --- allowed values --------------------------------------------------------------------------------------------------

Outcome = Literal["completed", "failed", "truncated", "closed", "cancelled", "abandoned"]
Phase = Literal["request", "first_chunk", "mid_stream"]
Failure = Literal[
    "overloaded",
    "rate_limited",
    "billing",
    "timeout",
    "server_error",
    "connection",
    "truncated",
    "malformed",
    "denied",
    "invalid_request",
    "other",
]
Answer = Literal["complete", "cut", "refused", "paused", "guarded", "empty", "other"]

OUTCOMES: Final[dict[Outcome, str]] = {
    "completed": "the provider finished an answer: `message_stop`, or a whole body that is a message",
    "failed": "the provider reported a failure, the connection failed, or what arrived is not an answer",
    "truncated": "the stream ended without its end event, and nobody raised an exception",
    "closed": "the application closed or left the stream early",
    "cancelled": "the task that read the stream was cancelled or interrupted while it read",
    "abandoned": "the application dropped the stream without closing it or reading it to its end",
}
ERROR_OUTCOMES: Final[tuple[Outcome, ...]] = ("failed", "truncated")
"""The outcomes that are errors."""

PHASES: Final[dict[Phase, str]] = {
    "request": "no response, or an HTTP error status",
    "first_chunk": "after the 200, before the first content",
    "mid_stream": "after the first content",
}
FAILURES: Final[dict[Failure, str]] = {
    "overloaded": "the provider has no capacity: 529, 503, `overloaded_error` and the like",
    "rate_limited": "a rate limit or a quota is used up: 429",
    "billing": "nobody gets an answer until somebody pays or raises a limit: 402, a spend limit",
    "timeout": "the provider, or our own client, waited too long: 408, 504",
    "server_error": "any other fault of the provider: 5xx",
    "connection": "the connection failed",
    "truncated": "the stream ended without its end event",
    "malformed": "what arrived cannot be decoded, or is not an answer",
    "denied": "the caller is not allowed to do this: 401, 403",
    "invalid_request": "the request is wrong: any other 4xx",
    "other": "anything else",
}
ANSWERS: Final[dict[Answer, str]] = {
    "complete": "the model said all it wanted to say: `end_turn`, `stop_sequence`, `tool_use`",
    "cut": "a limit cut the answer: `max_tokens`, `model_context_window_exceeded`",
    "refused": "a classifier or the model refused: `refusal`",
    "paused": "a long turn is paused and can be continued: `pause_turn`",
    "guarded": "a guardrail of Amazon Bedrock stepped in",
    "empty": "`end_turn` without one content block",
    "other": "any other stop reason, or none",
}
TOKEN_TYPES: Final = ("input", "output", "cache_read", "cache_write")
TOKEN_DETAILS: Final[dict[str, str]] = {
    "ttl_5m": "of `cache_write`: written to the cache for five minutes",
    "ttl_1h": "of `cache_write`: written to the cache for one hour",
    "thinking": "of `output`: spent on thinking",
    "compaction": "of any type: spent on compacting the context; billed, and not in the provider's own totals",
}
RATE_LIMIT_KINDS: Final[dict[str, str]] = {
    "requests": "`anthropic-ratelimit-requests-*`",
    "tokens": "`anthropic-ratelimit-tokens-*`",
    "input_tokens": "`anthropic-ratelimit-input-tokens-*`",
    "output_tokens": "`anthropic-ratelimit-output-tokens-*`",
    "priority_input_tokens": "`anthropic-priority-input-tokens-*`",
    "priority_output_tokens": "`anthropic-priority-output-tokens-*`",
}

# --- metrics ---------------------------------------------------------------------------------------------------------

CALL_ATTRIBUTES: Final = (OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, REQUEST_STREAM)
"""The attributes that say which call it was; the contract calls them A."""

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
    """One instrument: its name, its kind, its unit, the attributes a point can have, and what it counts or measures.

    `buckets` are the explicit bucket boundaries that the conventions advise for a histogram, in its unit.
    """

    name: str
    kind: Literal["counter", "up_down_counter", "gauge", "histogram"]
    unit: str
    attributes: tuple[str, ...]
    description: str
    buckets: tuple[float, ...] | None = None


CALLS: Final = Metric(
    "after200.calls",
    "counter",
    "{call}",
    (*CALL_ATTRIBUTES, OUTCOME, PHASE, FAILURE, ERROR_TYPE, ERROR_CODE, HTTP_STATUS, WIRE_STATUS),
    "Calls that ended, by how they ended. Automatic retries are part of the call.",
)
ANSWERS_RECEIVED: Final = Metric(
    "after200.answers",
    "counter",
    "{answer}",
    (*CALL_ATTRIBUTES, ANSWER, STOP_REASON, REFUSAL_CATEGORY, FALLBACK, SERVICE_TIER, SPEED),
    "Answers that completed calls received, by whether they are usable.",
)
SERVER_TOOL_CALLS: Final = Metric(
    "after200.server_tool.calls",
    "counter",
    "{call}",
    (PROVIDER_NAME, REQUEST_MODEL, TOOL_NAME, ERROR_TYPE),
    "Results of tools that ran at the provider, by the error that each reports.",
)
ATTEMPTS: Final = Metric(
    "after200.attempts",
    "counter",
    "{attempt}",
    (PROVIDER_NAME, REQUEST_MODEL, WIRE_STATUS, FAILURE, ERROR_TYPE),
    "HTTP requests that were sent for calls, by how each was answered.",
)
RETRY_WAIT: Final = Metric(
    "after200.retry.wait",
    "counter",
    "s",
    (PROVIDER_NAME, REQUEST_MODEL, FAILURE),
    "Time that the SDK waited between attempts, by the failure of the attempt that caused the wait.",
)
TOKENS: Final = Metric(
    "after200.tokens",
    "counter",
    "{token}",
    (*CALL_ATTRIBUTES, OUTCOME, TOKEN_TYPE, TOKEN_DETAIL),
    "Tokens by type and detail, and by how the call that used them ended. All series together are what is billed.",
)
RATE_LIMIT_UTILIZATION: Final = Metric(
    "after200.rate_limit.utilization",
    "gauge",
    "1",
    (PROVIDER_NAME, REQUEST_MODEL, RATE_LIMIT_KIND),
    "The highest share of a rate limit that was used up in the last minute, from the headers of the responses.",
)
RATE_LIMIT_LIMIT: Final = Metric(
    "after200.rate_limit.limit",
    "gauge",
    "1",
    (PROVIDER_NAME, REQUEST_MODEL, RATE_LIMIT_KIND),
    "The rate limit that the last response named, in requests or tokens.",
)
LONGEST_GAP: Final = Metric(
    "after200.stream.longest_gap",
    "histogram",
    "s",
    (*CALL_ATTRIBUTES, OUTCOME),
    "The longest time in a stream from one chunk to the next, or from the last chunk to the end.",
    DURATION_BUCKETS,
)
TIME_TO_FIRST_TEXT: Final = Metric(
    "after200.stream.time_to_first_text",
    "histogram",
    "s",
    CALL_ATTRIBUTES,
    "Time from sending the request to the first text of a stream.",
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
    "Errors that a response body reports of something else than the call: an entry of a batch, a session of an agent.",
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
    ANSWERS_RECEIVED,
    SERVER_TOOL_CALLS,
    ATTEMPTS,
    RETRY_WAIT,
    TOKENS,
    RATE_LIMIT_UTILIZATION,
    RATE_LIMIT_LIMIT,
    LONGEST_GAP,
    TIME_TO_FIRST_TEXT,
    STREAMS_OPEN,
    INNER_ERRORS,
    DURATION,
    TIME_TO_FIRST_CHUNK,
    TIME_PER_OUTPUT_CHUNK,
    TOKEN_USAGE,
)
