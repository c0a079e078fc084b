# SPDX-License-Identifier: Apache-2.0
"""The provider says inside the stream that it failed: every documented error type, at every place, and odd data.

A request that does not stream gets the same error as an HTTP error.
"""

from __future__ import annotations

from ..scenarios import CLOSED, COMPLETED, MID_STREAM, STOPPED, Scenario, scenario
from ..steps import Answer, End, Error, Event, Play, Status
from ..wires import encode_json, error_envelope
from .error_types import ANTHROPIC_ERRORS
from .http_errors import SOON, http_error

HOSTILE_TYPE = "overloaded_error\r\nx-forged: 1 " + "A" * 300
"""A type that no store of metrics should ever see: long, with spaces and line ends."""

TITLE = "Errors inside the stream"
_PLACES: dict[str, tuple[Play, str]] = {
    "first_event": ((Status(),), "as the first event"),
    "mid_stream": (MID_STREAM, "after some content"),
    "after_message_delta": (CLOSED, "after message_delta"),
}


def _family(error_type: str) -> tuple[Scenario, ...]:
    status, message = ANTHROPIC_ERRORS[error_type]
    whole = (http_error(status, error_type, message),)
    return tuple(
        scenario(f"{error_type}_{place}", f"{error_type} {words}", (*before, Error(error_type, message), End()), whole)
        for place, (before, words) in _PLACES.items()
    )


def _typed(name: str, description: str, error_type: str) -> Scenario:
    stream = (*MID_STREAM, Error(error_type, "Something went wrong"), End())
    return scenario(name, description, stream, (http_error(500, error_type, "Something went wrong"),))


def _odd(name: str, description: str, data: bytes, failure: str | None = None) -> Scenario:
    whole = Answer(529, data, {**SOON, "content-type": "application/json"}, failure)
    return scenario(name, description, (*MID_STREAM, Event("error", data, failure), End()), (whole,))


_OVERLOADED = error_envelope("overloaded_error", "Overloaded")
_UNNAMED = Event(None, _OVERLOADED, failure="overloaded_error")
_HTTP_529 = http_error(529, "overloaded_error", "Overloaded")
_NO_TYPE = encode_json({"type": "error", "error": {"message": "Overloaded"}})
_STRING = encode_json({"type": "error", "error": "overloaded"})
_LATE = Error("overloaded_error", "Overloaded")
_GZIP = Status(gzip="sound")

SCENARIOS: tuple[Scenario, ...] = (
    *(entry for error_type in ANTHROPIC_ERRORS for entry in _family(error_type)),
    scenario(
        "overloaded_error_after_message_stop",
        "overloaded_error after message_stop",
        (*STOPPED, _LATE, End()),
        (_HTTP_529,),
    ),
    scenario(
        "gzip_overloaded_mid_stream",
        "overloaded_error after some content, compressed",
        (_GZIP, *MID_STREAM[1:], _LATE, End()),
        (_HTTP_529,),
    ),
    _typed("unknown_error_mid_stream", "an error type nobody documents: quantum_flux_error", "quantum_flux_error"),
    _typed("hostile_type_mid_stream", "an error type of 300 characters with spaces and line ends", HOSTILE_TYPE),
    _odd("error_not_json", "an error event whose data is not JSON", b"upstream connect error or disconnect"),
    _odd("error_without_type", "an error event that names no type", _NO_TYPE),
    _odd("error_is_string", "an error event with a string where the object is expected", _STRING),
    _odd("error_empty", "an error event without data", b""),
    scenario(
        "error_unnamed",
        "an overloaded_error whose event has no name (the SDK drops it), then the end",
        (*MID_STREAM, _UNNAMED, End()),
        (_HTTP_529,),
    ),
    scenario(
        "error_unnamed_first_event",
        "an overloaded_error without a name as the first event, then the end",
        (Status(), _UNNAMED, End()),
        (_HTTP_529,),
    ),
    scenario(
        "error_unnamed_then_completed",
        "an overloaded_error whose event has no name, then message_stop all the same",
        (*MID_STREAM, _UNNAMED, *COMPLETED[len(MID_STREAM) :]),
        (_HTTP_529,),
    ),
)
