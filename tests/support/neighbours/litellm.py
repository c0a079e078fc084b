# SPDX-License-Identifier: Apache-2.0
"""What LiteLLM says of its calls, and what after200 says: the test holds it to be true, docs/neighbours.md shows it."""

from __future__ import annotations

from dataclasses import dataclass

from .expectations import DURATION, TOKENS, Framework

EXPORTED = ("opentelemetry-distro >= 0.59b0", "opentelemetry-exporter-otlp-proto-http >= 1.38")
"""What `opentelemetry-instrument` needs to export."""

LITELLM = Framework(
    "litellm",
    "litellm == 1.110.2",
    "litellm.integrations.opentelemetry",
    (DURATION, TOKENS),
    also=(
        *("prometheus-client", "boto3"),
        # What `litellm.anthropic.messages` imports of LiteLLM's proxy.
        *("fastapi", "orjson", "soundfile", "backoff", "redis"),
        # What `after200 demo` needs besides.
        *("h11 >= 0.14", *EXPORTED, "rich"),
    ),
)


@dataclass(frozen=True)
class Claim:
    """One call through LiteLLM."""

    way: str
    """The name of a function in `tests/neighbours/through_litellm.py`."""

    scenario: str
    sends: str
    """What the provider sends."""

    got: str | None
    """The finish reason, or the exception with its status; None where the application gets the bytes."""

    span: tuple[str, ...]
    """The spans of LiteLLM's OpenTelemetry callback: status, type of the error, status code."""

    counted: tuple[str, ...] | None
    """What LiteLLM's Prometheus callback counts: success, or failure with a status. None: it counts no sync calls."""

    recorded: tuple[str, ...]
    """The calls that after200 records: outcome, type of the error or kind of answer, corrected status."""


_SPAN_500 = ("ERROR, AnthropicError, 500",)
_BROKE_OFF = "MidStreamFallbackError, 500"
_OVERLOADED = ("failed, overloaded_error, 529",)
_UNHEALTHY = "overloaded_error_mid_stream"
_OVERLOAD = "`overloaded_error` after some content"
_CUT = "an end before `message_stop`"

CLAIMS = (
    Claim("completion", _UNHEALTHY, _OVERLOAD, _BROKE_OFF, _SPAN_500, None, _OVERLOADED),
    Claim("acompletion", "completed", "an answer", "stop", ("OK",), ("success",), ("completed, complete, 200",)),
    Claim("acompletion", _UNHEALTHY, _OVERLOAD, _BROKE_OFF, _SPAN_500, ("failure, 500",), _OVERLOADED),
    Claim(
        "acompletion",
        "rate_limit_error_mid_stream",
        "`rate_limit_error` after some content",
        _BROKE_OFF,
        _SPAN_500,
        ("failure, 500",),
        ("failed, rate_limit_error, 429",),
    ),
    Claim(
        "acompletion",
        "end_without_message_stop",
        _CUT,
        _BROKE_OFF,
        ("ERROR, RemoteProtocolError",),
        ("failure, None",),
        ("truncated, stream_truncated",),
    ),
    Claim(
        "acompletion",
        "reset_mid_stream",
        "a reset after some content",
        _BROKE_OFF,
        ("ERROR, ReadError",),
        ("failure, None",),
        ("failed, connection_error",),
    ),
    Claim(
        "acompletion",
        "http_529",
        "HTTP 529",
        "InternalServerError, 500",
        ("ERROR, InternalServerError, 500",),
        ("failure, 500",),
        _OVERLOADED,
    ),
    Claim(
        "acompletion",
        "refusal",
        "a refusal",
        "content_filter",
        ("OK",),
        ("success",),
        ("completed, refused, 200",),
    ),
    Claim("messages", "completed", "an answer", None, ("OK",), ("success",), ("completed, complete, 200",)),
    Claim("messages", _UNHEALTHY, _OVERLOAD, None, ("OK",), ("success",), _OVERLOADED),
    Claim(
        "messages",
        "end_without_message_stop",
        _CUT,
        None,
        ("OK",),
        ("success",),
        ("truncated, stream_truncated",),
    ),
    Claim("messages", "refusal", "a refusal", None, ("OK",), ("success",), ("completed, refused, 200",)),
    Claim(
        "bedrock",
        "bedrock_throttlingException_mid",
        "`throttlingException` after some content",
        "MidStreamFallbackError, 429",
        ("ERROR, BedrockError, 429",),
        ("failure, 429",),
        ("failed, throttlingException, 429",),
    ),
    Claim(
        "bedrock",
        "bedrock_chunk_error",
        "`overloaded_error` in a chunk",
        "MidStreamFallbackError, 503",
        _SPAN_500,
        ("failure, 500",),
        _OVERLOADED,
    ),
    Claim(
        "router",
        "http_529",
        "HTTP 529, then an answer of another model",
        "stop",
        ("ERROR, InternalServerError, 500", "OK"),
        ("failure, 500", "success"),
        (*_OVERLOADED, "completed, complete, 200"),
    ),
)
