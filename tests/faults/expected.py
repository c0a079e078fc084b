# SPDX-License-Identifier: Apache-2.0
"""What the SDK alone makes of every scenario of the Anthropic wire: the tables that the tests of this folder go by."""

from __future__ import annotations

from after200.faults.catalog import FAMILIES, SCENARIOS, answers, error_codes, healthy, server_tools, usage
from after200.faults.catalog.error_codes import ERROR_CODES
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS

Seen = tuple[str | None, str, str | None]
COMPLETED = "message_stop"
DELTA = "content_block_delta"
IN_STREAM = "APIStatusError 200"
RESET, CUT, READ_TIMEOUT = "ReadError", "RemoteProtocolError", "ReadTimeout"
CONNECTION, TIMEOUT = "APIConnectionError", "APITimeoutError"
NOT_JSON, NOT_UTF8, NOT_GZIP = "JSONDecodeError", "UnicodeDecodeError", "DecodingError"
OVERLOADED = "overloaded_error"
HOSTILE = "hostile_type_mid_stream"
EVERYWHERE = [name for name, scenario in SCENARIOS.items() if not scenario.only]
ANSWERS = [
    scenario.name
    for family in (healthy, answers, server_tools, usage)
    for scenario in FAMILIES[family.TITLE]
    if not scenario.only and scenario.name != "web_search_failed_then_overloaded"
]
"""The scenarios whose call completes."""


def _http(status: int, failure: str | None = None) -> Seen:
    return f"* {status}", "end", failure


_ERROR_EVENTS: dict[str, Seen] = {
    **{
        f"{error_type}_{place}": (IN_STREAM, "end", error_type)
        for error_type in ANTHROPIC_ERRORS
        for place in ("first_event", "mid_stream", "after_message_delta")
    },
    **{f"{code}_mid_stream": (IN_STREAM, "end", error_type) for code, (_, error_type, _) in ERROR_CODES.items()},
    "overloaded_error_after_message_stop": (IN_STREAM, "end", OVERLOADED),
    "gzip_overloaded_mid_stream": (IN_STREAM, "end", OVERLOADED),
    "web_search_failed_then_overloaded": (IN_STREAM, "end", OVERLOADED),
    "unknown_error_mid_stream": (IN_STREAM, "end", "quantum_flux_error"),
    "error_not_json": (IN_STREAM, "end", None),
    "error_without_type": (IN_STREAM, "end", None),
    "error_is_string": (IN_STREAM, "end", None),
    "error_empty": (IN_STREAM, "end", None),
    "error_unnamed": (DELTA, "end", OVERLOADED),
    "error_unnamed_first_event": (None, "end", OVERLOADED),
    "error_unnamed_then_completed": (COMPLETED, "end", OVERLOADED),
}

_GATEWAYS: dict[str, Seen] = {
    "bare_error_first_event": (None, "end", OVERLOADED),
    "bare_error_mid_stream": (DELTA, "end", OVERLOADED),
    "bare_error_named": (IN_STREAM, "end", OVERLOADED),
    "bare_error_untyped": (DELTA, "end", None),
    "bare_error_string": (DELTA, "end", None),
    "type_alone_first_event": (None, "end", OVERLOADED),
    "type_alone_mid_stream": (DELTA, "end", OVERLOADED),
    **{
        f"error_named_{stem}": ("error", "end", OVERLOADED)
        for stem in ("message_first_event", "message_mid_stream", "with_space", "content_block_delta")
    },
    "error_in_chunk": (DELTA, "end", OVERLOADED),
    **{f"error_type_{word}": (IN_STREAM, "end", None) for word in ("error", "unknown", "none")},
    "delta_without_data": (COMPLETED, "end", None),
    "delta_without_data_then_overloaded": (IN_STREAM, "end", OVERLOADED),
    "overloaded_mid_stream_no_retry": (IN_STREAM, "end", OVERLOADED),
    "events_200": (COMPLETED, "end", None),
    "events_as_json_200": (COMPLETED, "end", None),
    "events_overloaded_200": (IN_STREAM, "end", OVERLOADED),
    "events_overloaded_first_200": (IN_STREAM, "end", OVERLOADED),
    "events_without_stop_200": (DELTA, "end", None),
    "events_opened_200": ("content_block_start", "end", None),
    "gzip_absent": (NOT_GZIP, "end", None),
    "gzip_broken": (NOT_GZIP, "end", None),
    "gzip_cut": (DELTA, "end", None),
    "gzip_cut_after_message_stop": (COMPLETED, "end", None),
    "http_529_gzip": _http(529, OVERLOADED),
}

BODIES: dict[str, tuple[str, str | None]] = {
    "body_error_200": ("error", OVERLOADED),
    "body_error_as_event_stream_200": ("error", OVERLOADED),
    "body_error_200_gzip": ("error", OVERLOADED),
    "body_bare_error_200": ("None", OVERLOADED),
    "body_error_type_alone_200": (OVERLOADED, OVERLOADED),
    "body_error_untyped_200": ("None", None),
    "body_error_string_200": ("None", None),
    "body_error_code_200": ("error", "rate_limit_error"),
    "body_message_only_200": ("None", None),
    "body_null_200": ("NoneType", None),
    "body_not_json_200": (NOT_JSON, None),
    "body_html_200": ("str", None),
    "body_html_as_json_200": (NOT_JSON, None),
    "body_html_as_event_stream_200": ("str", None),
    "body_text_200": ("str", None),
    "body_empty_200": (NOT_JSON, None),
    "body_message_200": ("message", None),
    "body_message_as_event_stream_200": ("message", None),
}
"""A whole body with HTTP 200 → what a call that does not stream is given: the `type` of the message, the class of what
is no message, or the exception; and the error type on the wire. A stream is given no event, and ends without a word."""

_BEFORE: dict[str, Seen] = {
    **{f"http_{status}": _http(status, error_type) for status, error_type in TYPE_OF_STATUS.items()},
    **{f"http_{status}_html": _http(status) for status in (413, 429, 500, 502, 503, 504, 529)},
    **{f"http_{status}_{code}": _http(status, error_type) for code, (status, error_type, _) in ERROR_CODES.items()},
    **{f"http_{status}_no_retry": _http(status, TYPE_OF_STATUS[status]) for status in (429, 500, 529)},
    "http_400_retry": _http(400, "invalid_request_error"),
    "http_400_retry_then_completed": _http(400, "invalid_request_error"),
    "http_529_always": _http(529, OVERLOADED),
    **{f"http_{status}_then_completed": _http(status, TYPE_OF_STATUS[status]) for status in (408, 429, 500, 503, 529)},
    "http_503_then_529_then_completed": _http(503, OVERLOADED),
    "http_529_then_overloaded_mid_stream": _http(529, OVERLOADED),
    "http_429_retry_after_then_completed": _http(429, "rate_limit_error"),
    "http_529_retry_after_ms_then_completed": _http(529, OVERLOADED),
    "http_429_then_529_retry_after_then_completed": _http(429, "rate_limit_error"),
    "overloaded_mid_stream_then_completed": (IN_STREAM, "end", OVERLOADED),
    "reset_then_completed": (CONNECTION, "reset", None),
}

_TRANSPORT: dict[str, Seen] = {
    "body_cut": (RESET, "reset", None),
    "body_short": (CUT, "cut", None),
    "reset_before_response": (CONNECTION, "reset", None),
    **{f"reset_{place}": (RESET, "reset", None) for place in ("first_event", "mid_stream", "after_message_delta")},
    "reset_after_message_stop": (RESET, "reset", None),
    "half_chunk": (CUT, "cut", None),
    "cut_before_response": (CONNECTION, "cut", None),
    "cut_mid_stream": (CUT, "cut", None),
    "stall_before_response": (TIMEOUT, "stalled", None),
    "stall_first_event": (READ_TIMEOUT, "stalled", None),
    "stall_mid_stream": (READ_TIMEOUT, "stalled", None),
    "end_before_first_event": (None, "end", None),
    "end_before_content": ("content_block_start", "end", None),
    "end_without_message_stop": (DELTA, "end", None),
    "end_after_message_delta": ("message_delta", "end", None),
    "ping_only_then_end": (None, "end", None),
    "not_json_mid_stream": (NOT_JSON, "end", None),
    "not_utf8_mid_stream": (NOT_UTF8, "end", None),
}

STREAMED: dict[str, Seen] = {
    **dict.fromkeys(ANSWERS, (COMPLETED, "end", None)),
    **_ERROR_EVENTS,
    **_GATEWAYS,
    **{name: (None, "end", failure) for name, (_, failure) in BODIES.items()},
    **_BEFORE,
    **_TRANSPORT,
}
"""What a stream ends with in the application's hands: the last event's type (None: no event), or the exception raised;
and how the server saw it: how it ended, the type it sent."""

WHOLE: dict[str, str] = {
    **{name: "message" for name, (seen, _, failure) in STREAMED.items() if seen == COMPLETED and failure is None},
    **{
        name: seen
        for name, (seen, _, _) in STREAMED.items()
        if seen and seen.startswith(("* ", "API")) and "200" not in seen
    },
    **{name: CONNECTION for name, (seen, _, _) in STREAMED.items() if seen in (RESET, CUT, NOT_GZIP)},
    **{name: TIMEOUT for name, (seen, _, _) in STREAMED.items() if seen == READ_TIMEOUT},
    **{name: NOT_JSON for name in SCENARIOS if name.startswith(("end_", "not_json", "gzip_cut"))},
    **{name: given for name, (given, _) in BODIES.items()},
    **{name: "str" for name in SCENARIOS if name.startswith("events_")},
    "events_as_json_200": NOT_JSON,
    "ping_only_then_end": NOT_JSON,
    "not_utf8_mid_stream": NOT_UTF8,
}
"""The same for a call that does not stream; what is missing here is an HTTP error, as its stream carries an error."""

FINISHED = {"gzip_absent": ("end", "client_left")}
"""How the server saw the end where it depends on who is faster: the client leaves at a byte that it cannot decode."""

CODED = {name: code for code in ERROR_CODES for name in SCENARIOS if name.endswith((f"_{code}", f"{code}_mid_stream"))}
"""Scenario → the error code that the SDK finds in it."""

assert (
    len(CODED)
    == 2 * len(ERROR_CODES)
    == sum(any(code in scenario.name for code in ERROR_CODES) for scenario in error_codes.SCENARIOS)
)
