# SPDX-License-Identifier: Apache-2.0
"""What the contract wants recorded of a call, written out: the whole span and the series of `after200.calls`.

A `Fault` is one row of a table: how the call ended, and under which names. The rest of the span follows from how far
the provider came (`known`), the platform, and whether the call streamed.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from after200.faults import FaultServer

from ..contract import WORTH_A_RETRY
from ..telemetry import SECONDS, Telemetry, described, series
from .clients import MODEL, PLATFORMS, REQUEST
from .readers import Way

TRUNCATED = "The stream ended before its end event."
MALFORMED = "The body could not be decoded."

Known = Literal["nothing", "start", "text", "delta"]
"""How far the provider came: nothing; `message_start`; the four chunks of text; `message_delta` with the last usage."""


class Fault(NamedTuple):
    """How a call ended. Without `error_type` it did so well."""

    outcome: str
    error_type: str | None = None
    status: int | None = None
    failure: str | None = None
    message: str | None = None
    phase: str | None = None
    known: Known = "text"
    wire: int | None = 200
    original_status: int | None = None


def failed(error_type: str, status: int | None, failure: str, message: str | None, **fields: Any) -> Fault:
    """A failure in the stream; by default after some content."""
    return Fault("failed", error_type, status, failure, message, **{"phase": "mid_stream", **fields})


def refused(error_type: str, status: int, failure: str, message: str | None) -> Fault:
    """An HTTP error in place of an answer."""
    return Fault("failed", error_type, status, failure, message, "request", "nothing", status)


COMPLETED = Fault("completed", status=200, known="delta")
CUT = Fault("truncated", "stream_truncated", None, "truncated", TRUNCATED, "mid_stream")


def expected_span(fault: Fault, way: Way, platform: str, server: FaultServer) -> dict[str, Any]:
    """The whole span of a call that ended so."""
    attributes: dict[str, Any] = {
        "name": f"chat {MODEL}",
        "kind": "CLIENT",
        "status": "UNSET" if fault.error_type is None else "ERROR",
        "description": fault.message,
        "events": [],
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PLATFORMS[platform].provider,
        "gen_ai.request.model": MODEL,
        "gen_ai.request.max_tokens": REQUEST["max_tokens"],
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "after200.outcome": fault.outcome,
        "http.response.status_code": fault.status,
        "after200.wire.status_code": fault.wire,
        "aws.bedrock.original_status_code": fault.original_status,
    }
    if way.streams:
        attributes["gen_ai.request.stream"] = True
    if fault.wire is not None and PLATFORMS[platform].wire != "bedrock":
        attributes["anthropic.request.id"] = "req_N"
    if fault.error_type is not None:
        attributes |= {
            "error.type": fault.error_type,
            "after200.phase": fault.phase,
            "after200.failure": fault.failure,
            "after200.retryable": WORTH_A_RETRY[fault.failure],
        }
    attributes |= _known(fault, way)
    return {name: value for name, value in attributes.items() if value is not None or name == "description"}


def _known(fault: Fault, way: Way) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    streamed = way.streams and fault.phase != "request"
    if streamed:
        attributes["after200.stream.chunks"] = 4 if fault.known in ("text", "delta") else 0
        attributes["after200.stream.longest_gap"] = SECONDS
    if fault.outcome == "completed":
        attributes["after200.answer"] = "complete"
    if fault.known == "nothing":
        return attributes
    attributes |= {
        "gen_ai.response.id": "msg_N",
        "gen_ai.response.model": MODEL,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_write.input_tokens": 0,
    }
    if streamed and fault.known != "start":
        attributes |= {
            "gen_ai.response.time_to_first_chunk": SECONDS,
            "after200.stream.time_to_first_text": SECONDS,
        }
    if fault.known == "delta":
        attributes |= {"gen_ai.response.finish_reasons": ("end_turn",), "gen_ai.usage.output_tokens": 7}
    return attributes


def recorded_span(span: ReadableSpan) -> dict[str, Any]:
    """What was recorded on `span`, with ids that do not count up."""
    return {
        name: re.sub(r"_01\d{22}", "_N", value) if isinstance(value, str) else value
        for name, value in described(span).items()
    }


def expected_calls(fault: Fault, way: Way, platform: str) -> dict[str, int]:
    """The one series of `after200.calls` that is not at zero."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PLATFORMS[platform].provider,
        "gen_ai.request.model": MODEL,
        "gen_ai.request.stream": way.streams,
        "after200.outcome": fault.outcome,
        "after200.phase": fault.phase,
        "after200.failure": fault.failure,
        "error.type": fault.error_type,
        "http.response.status_code": fault.status,
        "after200.wire.status_code": fault.wire,
    }
    return {series("after200.calls", {name: value for name, value in attributes.items() if value is not None}): 1}


def recorded_calls(telemetry: Telemetry) -> dict[str, int]:
    """The series of `after200.calls` that are not at zero."""
    return {
        name: value for name, value in telemetry.all_points().items() if name.startswith("after200.calls{") and value
    }
