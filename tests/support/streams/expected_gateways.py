# SPDX-License-Identifier: Apache-2.0
"""What gateways and proxies make of an answer. Sections 2 and 3 of the contract as a table."""

from __future__ import annotations

from dataclasses import replace

from .row import COMPLETED, HIDDEN_OVERLOAD, HTTP_529, NO_ANSWER, OVERLOADED, Row, event, http, malformed, truncated

_UNNAMED = replace(OVERLOADED, raises="never")
_FIRST = replace(_UNNAMED, phase="first_chunk")
_MESSAGE = "Provider returned error"


def _untyped(message: str | None, raises: str = "never", phase: str = "mid_stream"):  # type: ignore[no-untyped-def]
    return event(phase, "_OTHER", "other", False, None, message, raises)  # type: ignore[arg-type]


ERRORS = (
    Row("bare_error_first_event", _FIRST, "nothing", HTTP_529),
    Row("bare_error_mid_stream", _UNNAMED, "text", HTTP_529),
    Row("bare_error_named", OVERLOADED, "text", HTTP_529),
    Row("bare_error_untyped", _untyped(_MESSAGE), "text", http(502, "502", "server_error", True, _MESSAGE)),
    Row(
        "bare_error_string",
        _untyped("upstream unavailable"),
        "text",
        http(503, "503", "overloaded", True, "upstream unavailable"),
    ),
    Row("type_alone_first_event", _FIRST, "nothing", HTTP_529),
    Row("type_alone_mid_stream", _UNNAMED, "text", HTTP_529),
    Row("error_named_message_first_event", _FIRST, "nothing", HTTP_529),
    Row("error_named_message_mid_stream", _UNNAMED, "text", HTTP_529),
    Row("error_named_with_space", _UNNAMED, "text", HTTP_529),
    Row("error_named_content_block_delta", _UNNAMED, "text", HTTP_529),
    Row("error_in_chunk", _UNNAMED, "text", HTTP_529),
    *(
        Row(
            f"error_type_{word}",
            _untyped(_MESSAGE, "parsed"),
            "text",
            http(500, "500", "server_error", True, "HTTP 500"),
        )
        for word in ("error", "unknown", "none")
    ),
    Row("delta_without_data", COMPLETED, "stop", COMPLETED),
    Row("delta_without_data_then_overloaded", replace(OVERLOADED, phase="first_chunk"), "start", HTTP_529),
)

_CODED = replace(
    event(
        "first_chunk",
        "rate_limit_error",
        "billing",
        False,
        429,
        "Monthly spend limit reached",
        "never",
    ),
    code="enforced_spend_limit_reached",
)
_EVENTS_MALFORMED = malformed("first_chunk", "always")


def _hidden(scenario: str, ending: object = HIDDEN_OVERLOAD) -> Row:
    """The same failure, streamed and whole, of which the SDK tells the application nothing."""
    return Row(scenario, ending, "nothing", ending)  # type: ignore[arg-type]


BODIES = (
    _hidden("body_error_as_event_stream_200"),
    _hidden("body_bare_error_200"),
    _hidden("body_error_type_alone_200"),
    _hidden("body_error_200_gzip"),
    _hidden("body_error_untyped_200", _untyped(_MESSAGE, phase="first_chunk")),
    _hidden("body_error_string_200", _untyped("upstream unavailable", phase="first_chunk")),
    _hidden("body_error_code_200", _CODED),
    _hidden("body_message_only_200", NO_ANSWER),
    _hidden("body_null_200", NO_ANSWER),
    Row("body_html_as_json_200", NO_ANSWER, "nothing", malformed("first_chunk"), None, NO_ANSWER, NO_ANSWER),
    _hidden("body_html_as_event_stream_200", NO_ANSWER),
    _hidden("body_text_200", NO_ANSWER),
    Row("body_message_200", NO_ANSWER, "close", COMPLETED, chunks=0, has_text=False),
    Row("body_message_as_event_stream_200", NO_ANSWER, "close", COMPLETED, chunks=0, has_text=False),
    Row(
        "events_200", COMPLETED, "stop", NO_ANSWER, whole_application=COMPLETED, whole_lazy=COMPLETED, whole_seen="stop"
    ),
    Row(
        "events_as_json_200",
        COMPLETED,
        "stop",
        _EVENTS_MALFORMED,
        whole_application=COMPLETED,
        whole_lazy=COMPLETED,
        whole_seen="stop",
    ),
    Row("events_overloaded_200", OVERLOADED, "text", _UNNAMED, whole_seen="text"),
    Row(
        "events_overloaded_first_200",
        replace(OVERLOADED, phase="first_chunk"),
        "nothing",
        _FIRST,
    ),
    Row(
        "events_without_stop_200",
        truncated("mid_stream"),
        "text",
        NO_ANSWER,
        whole_application=truncated("mid_stream"),
        whole_lazy=truncated("mid_stream"),
        whole_seen="text",
    ),
    Row(
        "events_opened_200",
        truncated("first_chunk"),
        "start",
        NO_ANSWER,
        whole_application=truncated("first_chunk"),
        whole_lazy=truncated("first_chunk"),
        whole_seen="start",
    ),
)

_NEVER_A_RESPONSE = replace(malformed("request", "always"), wire=None)
_CUT_JSON = malformed("first_chunk", "parsed")

ENCODINGS = (
    Row(
        "gzip_absent",
        malformed("first_chunk"),
        "nothing",
        _NEVER_A_RESPONSE,
        malformed("first_chunk", "never"),
        whole_lazy=malformed("first_chunk", "never"),
    ),
    Row(
        "gzip_broken",
        malformed("mid_stream"),
        "text",
        _NEVER_A_RESPONSE,
        malformed("mid_stream", "never"),
        whole_lazy=malformed("first_chunk", "never"),
    ),
    Row("gzip_cut", truncated("mid_stream"), "text", _CUT_JSON, None, NO_ANSWER, NO_ANSWER),
    Row("gzip_cut_after_message_stop", COMPLETED, "stop", _CUT_JSON, None, NO_ANSWER, NO_ANSWER),
    Row("http_529_gzip", HTTP_529, "nothing", HTTP_529),
)

GATEWAYS = (*ERRORS, *BODIES, *ENCODINGS)
