# SPDX-License-Identifier: Apache-2.0
"""Every metric that the package records: its name, kind, unit, attributes and buckets, and what it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .attributes import (
    ANSWER,
    CLIENT,
    ERROR_CODE,
    ERROR_TYPE,
    FAILURE,
    FALLBACK,
    HTTP_STATUS,
    OPERATION_NAME,
    OUTCOME,
    PHASE,
    PROVIDER_NAME,
    RATE_LIMIT_KIND,
    REFUSAL_CATEGORY,
    REQUEST_MODEL,
    REQUEST_STREAM,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
    SERVICE_TIER,
    SPEED,
    STOP_REASON,
    TOKEN_DETAIL,
    TOKEN_TYPE,
    TOOL_NAME,
    WIRE_STATUS,
)

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
    (*CALL_ATTRIBUTES, OUTCOME, PHASE, FAILURE, ERROR_TYPE, ERROR_CODE, HTTP_STATUS, WIRE_STATUS, CLIENT),
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
