# SPDX-License-Identifier: Apache-2.0
"""What each scenario of the fault server should come to, written out: section 2 and 3 of the contract as a table."""

from __future__ import annotations

from dataclasses import replace

from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS

from ..contract import CLAUDE_API, WORTH_A_RETRY
from .expected_answers import ANSWERS
from .expected_codes import CODES
from .expected_gateways import GATEWAYS
from .row import (
    COMPLETED,
    HIDDEN_OVERLOAD,
    HTTP_529,
    NO_ANSWER,
    OVERLOADED,
    Ending,
    Place,
    Row,
    Usage,
    event,
    http,
    lost,
    malformed,
    timed_out,
    truncated,
)


def documented(error_type: str) -> tuple[str, str, bool, int, str]:
    """An error type of the Claude API, its failure, whether that is worth a retry, its status, the server's message."""
    status, failure = CLAUDE_API[error_type]
    return error_type, failure, WORTH_A_RETRY[failure], status, ANTHROPIC_ERRORS[error_type][1]


# --- the table ---

UNNAMED = replace(OVERLOADED, raises="never")
FLUX = "Something went wrong"

HEALTHY = (
    Row("completed", COMPLETED, "stop", COMPLETED),
    Row("max_tokens", COMPLETED, "stop", COMPLETED, finish_reason="max_tokens", answer="cut"),
    Row("cached", COMPLETED, "stop", COMPLETED, usage=Usage(8, 7, 1416, 2227)),
    Row("thinking", COMPLETED, "stop", COMPLETED, chunks=6),
    Row("gzip_completed", COMPLETED, "stop", COMPLETED),
)

ERROR_EVENTS = tuple(
    Row(
        f"{error_type}_{place}",
        event(phase, error_type, failure, retryable, status, message),
        seen,
        http(status, error_type, failure, retryable, message),
    )
    for error_type, failure, retryable, status, message in map(documented, CLAUDE_API)
    for place, phase, seen in (
        ("first_event", "first_chunk", "nothing"),
        ("mid_stream", "mid_stream", "text"),
        ("after_message_delta", "mid_stream", "close"),
    )
)

ODD_ERROR_EVENTS = (
    Row("overloaded_error_after_message_stop", OVERLOADED, "stop", HTTP_529),
    Row("gzip_overloaded_mid_stream", OVERLOADED, "text", HTTP_529),
    Row(
        "unknown_error_mid_stream",
        event("mid_stream", "quantum_flux_error", "other", False, None, FLUX),
        "text",
        http(500, "quantum_flux_error", "server_error", True, FLUX),
    ),
    Row(
        "hostile_type_mid_stream",
        event("mid_stream", "_OTHER", "other", False, None, FLUX),
        "text",
        http(500, "500", "server_error", True, FLUX),
    ),
    Row(
        "error_not_json",
        event("mid_stream", "_OTHER", "other", False, None, None),
        "text",
        http(529, "529", "overloaded", True, "upstream connect error or disconnect"),
    ),
    Row(
        "error_without_type",
        event("mid_stream", "_OTHER", "other", False, None, "Overloaded"),
        "text",
        http(529, "529", "overloaded", True, "Overloaded"),
    ),
    Row(
        "error_is_string",
        event("mid_stream", "_OTHER", "other", False, None, "overloaded"),
        "text",
        http(529, "529", "overloaded", True, "overloaded"),
    ),
    Row(
        "error_empty",
        event("mid_stream", "_OTHER", "other", False, None, None),
        "text",
        http(529, "529", "overloaded", True, "HTTP 529"),
    ),
    Row("error_unnamed", UNNAMED, "text", HTTP_529),
    Row("error_unnamed_first_event", replace(UNNAMED, phase="first_chunk"), "nothing", HTTP_529),
    Row("error_unnamed_then_completed", UNNAMED, "stop", HTTP_529),
)

HTTP_ERRORS = tuple(
    Row(f"http_{status}", http(status, *rest), "nothing", http(status, *rest))
    for status, (error_type, failure, retryable, _, message) in (
        (status, documented(error_type)) for status, error_type in TYPE_OF_STATUS.items()
    )
    for rest in ((error_type, failure, retryable, message),)
) + tuple(
    Row(f"http_{status}_html", http(status, str(status), *rest), "nothing", http(status, str(status), *rest))
    for status, *rest in (
        (413, "invalid_request", False, "HTTP 413"),
        (429, "rate_limited", True, "HTTP 429"),
        (500, "server_error", True, "HTTP 500"),
        (502, "server_error", True, "HTTP 502"),
        (503, "overloaded", True, "HTTP 503"),
        (504, "timeout", True, "HTTP 504"),
        (529, "overloaded", True, "HTTP 529"),
    )
)

RETRIES = (
    Row("http_529_always", HTTP_529, "nothing", HTTP_529, attempts=((529, "529"), (529, "529")), retries=2),
    *(
        Row(f"http_{status}_then_completed", COMPLETED, "stop", COMPLETED, attempts=((status, str(status)),), retries=2)
        for status in (408, 429, 500, 503, 529)
    ),
    Row(
        "http_503_then_529_then_completed",
        COMPLETED,
        "stop",
        COMPLETED,
        attempts=((503, "503"), (529, "529")),
        retries=2,
    ),
    Row(
        "http_529_then_overloaded_mid_stream",
        OVERLOADED,
        "text",
        HTTP_529,
        attempts=((529, "529"),),
        retries=1,
    ),
    Row("overloaded_mid_stream_then_completed", OVERLOADED, "text", HTTP_529),
    Row(
        "reset_then_completed",
        COMPLETED,
        "stop",
        COMPLETED,
        attempts=((None, "connection_error"),),
        retries=2,
    ),
)

_LOST_BEFORE = lost("request", wire=None)
_LOST_FIRST = lost("first_chunk")
_TIMED_OUT_BEFORE = timed_out("request", wire=None)
_MALFORMED = malformed("first_chunk")
_TRUNCATED = truncated("first_chunk")

BROKEN_CONNECTIONS = (
    Row("reset_before_response", _LOST_BEFORE, "nothing", _LOST_BEFORE),
    Row("cut_before_response", _LOST_BEFORE, "nothing", _LOST_BEFORE),
    Row("reset_first_event", _LOST_FIRST, "nothing", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("reset_mid_stream", lost("mid_stream"), "text", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("reset_after_message_delta", lost("mid_stream"), "close", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("reset_after_message_stop", lost("mid_stream"), "stop", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("half_chunk", lost("mid_stream"), "text", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("cut_mid_stream", lost("mid_stream"), "text", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("stall_before_response", _TIMED_OUT_BEFORE, "nothing", _TIMED_OUT_BEFORE, timeout=0.5),
    Row(
        "stall_first_event",
        timed_out("first_chunk"),
        "nothing",
        _TIMED_OUT_BEFORE,
        whole_lazy=timed_out("first_chunk"),
        timeout=0.5,
    ),
    Row(
        "stall_mid_stream",
        timed_out("mid_stream"),
        "text",
        _TIMED_OUT_BEFORE,
        whole_lazy=timed_out("first_chunk"),
        timeout=0.5,
    ),
)


def _undecodable(scenario: str, stream: Ending, seen: Place, stream_lazy: Ending | None = None, **chunks: int) -> Row:
    """A whole body that cannot be decoded: the SDK raises for it, or the application holds bytes that are no answer."""
    row = Row(scenario, stream, seen, _MALFORMED, stream_lazy, NO_ANSWER, NO_ANSWER)
    return replace(row, **chunks)  # type: ignore[arg-type]


SILENT_ENDS = (
    _undecodable("end_before_first_event", _TRUNCATED, "nothing"),
    _undecodable("ping_only_then_end", _TRUNCATED, "nothing"),
    _undecodable("end_before_content", _TRUNCATED, "start"),
    _undecodable("end_without_message_stop", truncated("mid_stream"), "text"),
    _undecodable("end_after_message_delta", truncated("mid_stream"), "close"),
    # A chunk is what its event's name says; only bytes that are not UTF-8 never come to be one in the SDK's hands.
    _undecodable("not_json_mid_stream", malformed("mid_stream"), "text", truncated("mid_stream"), chunks=5),
    _undecodable("not_utf8_mid_stream", malformed("mid_stream"), "text", truncated("mid_stream"), chunks_lazy=5),
)

WHOLE_BODIES = (
    Row("body_error_200", HIDDEN_OVERLOAD, "nothing", HIDDEN_OVERLOAD),
    _undecodable("body_not_json_200", NO_ANSWER, "nothing"),
    _undecodable("body_empty_200", _TRUNCATED, "nothing"),
    Row("body_html_200", NO_ANSWER, "nothing", NO_ANSWER),
    Row("body_cut", _LOST_FIRST, "nothing", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
    Row("body_short", _LOST_FIRST, "nothing", _LOST_BEFORE, whole_lazy=_LOST_FIRST),
)

BASIC_ROWS = (
    *HEALTHY,
    *ERROR_EVENTS,
    *ODD_ERROR_EVENTS,
    *HTTP_ERRORS,
    *RETRIES,
    *BROKEN_CONNECTIONS,
    *SILENT_ENDS,
    *WHOLE_BODIES,
)
ROWS = (*BASIC_ROWS, *ANSWERS, *CODES, *GATEWAYS)
ROW_OF = {row.scenario: row for row in ROWS}
