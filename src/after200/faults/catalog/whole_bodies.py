# SPDX-License-Identifier: Apache-2.0
"""HTTP 200, and the body is not what was asked for: an error as JSON, a page, JSON for a stream, a stream for JSON.

A streaming request and one that does not stream get the same answer, but for the scenarios `events_*`.
"""

from __future__ import annotations

from ..scenarios import COMPLETED, MID_STREAM, OPENED, Scenario, scenario
from ..steps import Answer, Cut, End, Error, Reset, Status, Whole
from ..wires import error_envelope
from .gateways import BARE, ENVELOPE, OVERLOADED, STRING, TYPE_ALONE, UNTYPED

TITLE = "Gateways: HTTP 200 with another body than was asked for"
_PAGE = b"<html><body>One moment, please</body></html>\n"
_TEXT = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"
_NOT_JSON = b'{"id":"msg_01","type":"message","role":"assistant","content":[{"type":"te'
_TIMED_OUT: dict[str, object] = {"message": "Endpoint request timed out"}
_CODED = error_envelope("rate_limit_error", "Monthly spend limit reached", "enforced_spend_limit_reached")
_EVENTS, _JSON = {"content-type": "text/event-stream"}, {"content-type": "application/json"}
_HTML, _PLAIN = {"content-type": "text/html"}, {"content-type": "text/plain"}

_BODIES: tuple[tuple[str, str, Answer], ...] = (
    ("error", "whose whole body is an overloaded_error", Answer(200, ENVELOPE, failure=OVERLOADED)),
    (
        "error_as_event_stream",
        "whose whole body is an overloaded_error; the content type says event stream",
        Answer(200, ENVELOPE, _EVENTS, failure=OVERLOADED),
    ),
    ("bare_error", "whose whole body is an error without outer type", Answer(200, BARE, failure=OVERLOADED)),
    ("error_type_alone", "whose whole body is a type and a message", Answer(200, TYPE_ALONE, failure=OVERLOADED)),
    ("error_untyped", "whose whole body is an error with a message and a code of 502, no type", Answer(200, UNTYPED)),
    ("error_string", "whose whole body is an error that is a string", Answer(200, STRING)),
    ("error_code", "whose whole body is an error with a code", Answer(200, _CODED, failure="rate_limit_error")),
    ("message_only", "whose whole body is a message about a timeout, no error", Answer(200, _TIMED_OUT)),
    ("null", "whose whole body is null", Answer(200, b"null")),
    ("not_json", "whose body breaks off: not JSON", Answer(200, _NOT_JSON)),
    ("html", "with an HTML page", Answer(200, _PAGE, _HTML)),
    ("html_as_json", "with an HTML page; the content type says JSON", Answer(200, _PAGE, _JSON)),
    ("html_as_event_stream", "with an HTML page; the content type says event stream", Answer(200, _PAGE, _EVENTS)),
    ("text", "with the plain text of a proxy", Answer(200, _TEXT, _PLAIN)),
    ("empty", "with an empty body", Answer(200, b"")),
)

SCENARIOS: tuple[Scenario, ...] = (
    *(scenario(f"body_{stem}_200", f"HTTP 200 {words}", (answer,)) for stem, words, answer in _BODIES),
    scenario("body_message_200", "HTTP 200 with a whole message, also for a streaming request", (Whole(),)),
    scenario(
        "body_message_as_event_stream_200",
        "HTTP 200 with a whole message, also for a streaming request; the content type says event stream",
        (Whole(headers=_EVENTS),),
    ),
    scenario("body_cut", "HTTP 200, half of the announced body, then a reset", (Whole(only=0.5), Reset())),
    scenario(
        "body_short", "HTTP 200, half of the announced body, then the connection closes", (Whole(only=0.5), Cut())
    ),
    scenario("events_200", "an event stream that completes, also for a call that does not stream", COMPLETED),
    scenario(
        "events_as_json_200",
        "an event stream that completes, also for a call that does not stream; the content type says JSON",
        (Status(headers=_JSON), *COMPLETED[1:]),
    ),
    scenario(
        "events_overloaded_200",
        "an event stream with an overloaded_error after some content, also for a call that does not stream",
        (*MID_STREAM, Error(OVERLOADED, "Overloaded"), End()),
    ),
    scenario(
        "events_overloaded_first_200",
        "an event stream that is nothing but an overloaded_error, also for a call that does not stream",
        (Status(), Error(OVERLOADED, "Overloaded"), End()),
    ),
    scenario(
        "events_without_stop_200",
        "an event stream that ends after some content, also for a call that does not stream",
        (*MID_STREAM, End()),
    ),
    scenario(
        "events_opened_200",
        "an event stream that ends after message_start, also for a call that does not stream",
        (*OPENED, End()),
    ),
)
