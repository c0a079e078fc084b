# SPDX-License-Identifier: Apache-2.0
"""Every attribute that the package writes: its name, its type with its unit, what it says, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

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

CLIENT: Final = "after200.client"
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
_OWN_AND_LOG: Final[tuple[Place, ...]] = ("span", "log")
_METRICS_ONLY: Final[tuple[Place, ...]] = ()

ATTRIBUTES: Final[dict[str, Attribute]] = {
    OPERATION_NAME: Attribute(
        "string",
        "`chat` for Messages; `text_completion`, `batch_results` and `invoke_agent` for the other streams",
        _OWN_AND_LOG,
    ),
    PROVIDER_NAME: Attribute(
        "string",
        "`aws.bedrock` for Bedrock clients, `gcp.vertex_ai` for Vertex clients, `anthropic` for every other",
        _OWN_AND_LOG,
    ),
    REQUEST_MODEL: Attribute(
        "string", "the model asked for; on metrics at most 100 in a process, then `_OTHER`", _OWN_AND_LOG
    ),
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
        "double, s",
        "the time from the application's call to the first `content_block_delta`; on the SDK's own span this clock "
        "starts before the span does, so it can be a little more than the span's duration",
    ),
    USAGE_INPUT_TOKENS: Attribute("integer", "all input tokens, those read from and written to the cache included"),
    USAGE_OUTPUT_TOKENS: Attribute(
        "integer", "the highest count that the provider reported; absent when the stream broke before it reported one"
    ),
    USAGE_CACHE_READ_INPUT_TOKENS: Attribute("integer", "the input tokens that were read from the cache"),
    USAGE_CACHE_WRITE_INPUT_TOKENS: Attribute("integer", "the input tokens that were written to the cache"),
    ANTHROPIC_REQUEST_ID: Attribute("string", "the `request-id` of the response, which support asks for", _OWN_AND_LOG),
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
    CLIENT: Attribute(
        "string",
        "the HTTP library that sent the call: `httpx`, `aiohttp`, `requests` or `botocore`; absent where the SDK did",
        _OWN_AND_LOG,
    ),
    OUTCOME: Attribute("string", "how the call ended, see [outcomes](#outcomes)", _BOTH),
    PHASE: Attribute("string", "how far the call had come when it failed, see [phases](#phases)", _ALL),
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
        "double, s",
        "the time from the application's call to the first text; streams that had text. On the SDK's own span this "
        "clock starts before the span does, so it can be a little more than the span's duration",
        _BOTH,
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
