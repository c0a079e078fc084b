# SPDX-License-Identifier: Apache-2.0
"""Errors before any stream: an HTTP status that says so, with a JSON or an HTML body, and what a retry finds.

All ask for a retry after one millisecond, so that tests of retries are quick.
"""

from __future__ import annotations

from ..scenarios import COMPLETED, MID_STREAM, WHOLE, Scenario, scenario, sequence
from ..steps import Answer, End, Error, Play, Reset
from ..wires import error_envelope
from .error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS

TITLE = "Errors before the stream, and what a retry finds"
SOON = {"retry-after-ms": "1"}
_JSON = tuple(sorted(TYPE_OF_STATUS))
_HTML = (413, 429, 500, 502, 503, 504, 529)
_GOOGLE = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
_PAGE = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center><hr>cloudflare</body></html>\n"


def http_error(status: int, error_type: str, message: str) -> Answer:
    """An HTTP error with the API's JSON body."""
    return Answer(status, error_envelope(error_type, message), SOON, failure=error_type)


def _json(status: int) -> Scenario:
    error_type = TYPE_OF_STATUS[status]
    answer = http_error(status, error_type, ANTHROPIC_ERRORS[error_type][1])
    return scenario(f"http_{status}", f"HTTP {status} with a JSON body, {error_type}", (answer,))


def _html(status: int) -> Scenario:
    answer = Answer(status, _PAGE % (status, status), {**SOON, "content-type": "text/html"})
    return scenario(f"http_{status}_html", f"HTTP {status} with an HTML body", (answer,))


def _google(status: int) -> Scenario:
    body = {"error": {"code": status, "message": "Refused by the platform", "status": _GOOGLE[status]}}
    description = f"HTTP {status} with the JSON body of Google Cloud, {_GOOGLE[status]}"
    return scenario(f"vertex_http_{status}", description, (Answer(status, body, SOON),), only="vertex")


_BY_STATUS = {status: _json(status) for status in _JSON}
_COMPLETED = scenario("completed", "", COMPLETED, WHOLE)
_RESET = scenario("reset", "", (Reset(),))
_529: Play = _BY_STATUS[529].attempt(0).stream
_OVERLOADED = scenario("overloaded", "", (*MID_STREAM, Error("overloaded_error", "Overloaded"), End()), _529)


def _then_completed(status: int) -> Scenario:
    return sequence(
        f"http_{status}_then_completed",
        f"HTTP {status} on the first attempt, then completed",
        _BY_STATUS[status],
        _COMPLETED,
    )


SCENARIOS: tuple[Scenario, ...] = (
    *_BY_STATUS.values(),
    *(_html(status) for status in _HTML),
    *(_google(status) for status in _GOOGLE),
    scenario("http_529_always", "HTTP 529 on every attempt", _529),
    *(_then_completed(status) for status in (408, 429, 500, 503, 529)),
    sequence(
        "http_503_then_529_then_completed",
        "HTTP 503, then HTTP 529, then completed",
        _BY_STATUS[503],
        _BY_STATUS[529],
        _COMPLETED,
    ),
    sequence(
        "http_529_then_overloaded_mid_stream",
        "HTTP 529, then overloaded_error after some content",
        _BY_STATUS[529],
        _OVERLOADED,
    ),
    sequence(
        "overloaded_mid_stream_then_completed",
        "overloaded_error after some content, then completed when the application asks again",
        _OVERLOADED,
        _COMPLETED,
    ),
    sequence("reset_then_completed", "the connection is reset before an answer, then completed", _RESET, _COMPLETED),
)
