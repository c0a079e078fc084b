# SPDX-License-Identifier: Apache-2.0
"""One log record for each error, in the trace of its call; none for what is no error."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber

from after200.faults import FaultServer

from ..support.streams.seen import text
from ..support.telemetry import Telemetry
from ..support.traced_calls import LEAVINGS, TWINS, Twin, client_options, leave, read, traced_by

CREATE = "messages.create(stream=True)"
LINES = "messages.with_streaming_response.iter_lines"
OVERLOADED = "overloaded_error_mid_stream"
REQUEST_ID = {"anthropic.request.id": "req_01N"}
CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-test"}

LOGGED: dict[tuple[str, str], dict[str, Any]] = {
    (CREATE, OVERLOADED): {
        **CALL,
        "after200.phase": "mid_stream",
        "exception.type": "anthropic.APIStatusError",
        "exception.message": "Overloaded",
        "error.type": "overloaded_error",
        "after200.failure": "overloaded",
        "http.response.status_code": 529,
        "after200.wire.status_code": 200,
        **REQUEST_ID,
    },
    (LINES, OVERLOADED): {
        **CALL,
        "after200.phase": "mid_stream",
        "exception.message": "Overloaded",
        "error.type": "overloaded_error",
        "after200.failure": "overloaded",
        "http.response.status_code": 529,
        "after200.wire.status_code": 200,
        **REQUEST_ID,
    },
    (CREATE, "end_without_message_stop"): {
        **CALL,
        "after200.phase": "mid_stream",
        "exception.message": "The stream ended before its end event.",
        "error.type": "stream_truncated",
        "after200.failure": "truncated",
        "after200.wire.status_code": 200,
        **REQUEST_ID,
    },
    (CREATE, "http_404"): {
        **CALL,
        "after200.phase": "request",
        "exception.type": "anthropic.NotFoundError",
        "exception.message": "model: claude-nowhere",
        "error.type": "not_found_error",
        "after200.failure": "invalid_request",
        "http.response.status_code": 404,
        "after200.wire.status_code": 404,
        **REQUEST_ID,
    },
    (CREATE, "reset_before_response"): {
        **CALL,
        "after200.phase": "request",
        "exception.type": "anthropic.APIConnectionError",
        "exception.message": "The connection was lost.",
        "error.type": "connection_error",
        "after200.failure": "connection",
    },
}
"""How a call was made and what the server played → the attributes of its log record."""


def record_of(telemetry: Telemetry) -> Any:
    (record,) = telemetry.log_records()
    return record


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(("way", "scenario"), LOGGED)
def test_an_error_is_one_record_that_says_what_it_was(
    server: FaultServer, telemetry: Telemetry, way: str, scenario: str, twin: Twin
) -> None:
    with telemetry.instrumented():
        read(way, twin, client_options(server, scenario, max_retries=0))
    record = record_of(telemetry)
    said = {name: text(value) if isinstance(value, str) else value for name, value in record.attributes.items()}
    if "exception.type" in said:
        # Versions of the SDK differ in where they say that the class is from.
        said["exception.type"] = said["exception.type"].replace("._exceptions", "")
    assert LOGGED[way, scenario] == said
    assert ("gen_ai.client.operation.exception", SeverityNumber.WARN, "WARN", None) == (
        record.event_name,
        record.severity_number,
        record.severity_text,
        record.body,
    )


@pytest.mark.parametrize("twin", TWINS)
def test_what_is_no_error_is_not_logged(server: FaultServer, telemetry: Telemetry, twin: Twin) -> None:
    with telemetry.instrumented():
        read(CREATE, twin, client_options(server, "completed"))
        read(CREATE, twin, client_options(server, "http_529_then_completed"))
        for leaving in LEAVINGS.values():
            leave(leaving, twin, client_options(server, leaving.scenario))
    assert len(LEAVINGS) + 2 == telemetry.total("after200.calls")
    assert [] == telemetry.log_records()


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto"])
@pytest.mark.parametrize("scenario", [OVERLOADED, "http_529_always", "end_without_message_stop"])
def test_it_belongs_to_the_span_of_its_call(
    server: FaultServer, telemetry: Telemetry, mode: str, scenario: str, twin: Twin
) -> None:
    """In `auto` on a version with tracing of its own, that is the SDK's."""
    import anthropic

    traced = mode == "auto" and hasattr(anthropic._base_client, "start_api_call_span")
    options = client_options(server, scenario, **(traced_by(telemetry) if traced else {}))
    with telemetry.instrumented(spans=mode):
        read(CREATE, twin, options)
    (span,) = telemetry.spans
    record = record_of(telemetry)
    assert span.context is not None
    assert (span.context.trace_id, span.context.span_id, span.context.trace_flags) == (
        record.trace_id,
        record.span_id,
        record.trace_flags,
    )
    assert ("anthropic.messages.create" if traced else "chat claude-test") == span.name


def test_where_the_package_makes_no_span_it_belongs_to_what_is_current(
    server: FaultServer, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")
    with telemetry.instrumented(spans="none"), tracer.start_as_current_span("handler") as handler:
        read(CREATE, "sync", client_options(server, OVERLOADED))
    assert handler.get_span_context().span_id == record_of(telemetry).span_id


def test_an_error_of_a_call_that_is_sampled_out_is_logged_with_its_trace(
    server: FaultServer, telemetry: Telemetry
) -> None:
    parent = trace.SpanContext(0xABC, 0xDEF, is_remote=True)
    with trace.use_span(trace.NonRecordingSpan(parent)), telemetry.instrumented():
        read(CREATE, "sync", client_options(server, OVERLOADED))
    record = record_of(telemetry)
    assert (0xABC, 0) == (record.trace_id, record.trace_flags & trace.TraceFlags.SAMPLED)


def test_without_a_logger_provider_all_else_is_recorded(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(logger_provider=None):
        read(CREATE, "sync", client_options(server, OVERLOADED))
    assert [] == telemetry.log_records()
    assert 1 == len(telemetry.spans)
    assert 1 == telemetry.total("after200.calls")
