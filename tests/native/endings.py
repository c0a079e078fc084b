# SPDX-License-Identifier: Apache-2.0
"""The ways in which a stream ends, as a table: what the server plays or the application does → what after200 says.

What is written down here is what after200 puts on a span, whoever made it; the same for the SDK's and for its own.
"""

from __future__ import annotations

from typing import Any, Final

from ..support.telemetry import SECONDS

Said = dict[str, Any]

DELTAS: Final = 4
"""How many deltas the healthy part of a stream has."""


def ended(outcome: str, chunks: int | None, *, gap: bool | None = None, wire: int | None = 200) -> Said:
    """What is said of a call that is no error."""
    said: Said = {"after200.outcome": outcome}
    if wire is not None:
        said |= {"after200.wire.status_code": wire, "http.response.status_code": wire}
    if outcome == "completed":
        said |= {"after200.answer": "complete", "gen_ai.response.finish_reasons": ("end_turn",)}
    return {**said, **_stream(chunks, outcome not in ("closed", "abandoned") if gap is None else gap)}


def erred(
    error_type: str,
    failure: str,
    status: int | None,
    description: str,
    chunks: int | None,
    *,
    outcome: str = "failed",
    retryable: bool = True,
    wire: int | None = 200,
    phase: str = "",
) -> Said:
    """What is said of an error. Chunks: `None` when there was no stream."""
    said: Said = {
        "status": "ERROR",
        "description": description,
        "after200.outcome": outcome,
        "after200.phase": phase or ("mid_stream" if chunks else "first_chunk"),
        "after200.failure": failure,
        "after200.retryable": retryable,
        "error.type": error_type,
    }
    if status is not None:
        said["http.response.status_code"] = status
    if wire is not None:
        said["after200.wire.status_code"] = wire
    return {**said, **_stream(chunks, None)}


def _stream(chunks: int | None, gap: bool | None) -> Said:
    if chunks is None:
        return {}
    said: Said = {"after200.stream.chunks": chunks}
    if gap is not False:
        said["after200.stream.longest_gap"] = SECONDS
    if chunks:
        said["after200.stream.time_to_first_text"] = SECONDS
    return said


_OVERLOADED: Final = ("overloaded_error", "overloaded", 529, "Overloaded")
_CUT_SHORT: Final = ("stream_truncated", "truncated", None, "The stream ended before its end event.")
_LOST: Final = ("connection_error", "connection", None, "The connection was lost.")
_MALFORMED: Final = ("stream_malformed", "malformed", None, "The body could not be decoded.")

STOPPED: Final[Said] = {"gen_ai.response.finish_reasons": ("end_turn",)}
"""What is known of a message whose `message_delta` came."""

RETRIED: Final[Said] = {"http.request.resend_count": 1, "after200.retry.wait": SECONDS}

STREAMED: Final[dict[str, Said]] = {
    "completed": ended("completed", DELTAS),
    "http_529_then_completed": ended("completed", DELTAS) | RETRIED,
    "overloaded_error_first_event": erred(*_OVERLOADED, 0),
    "overloaded_error_mid_stream": erred(*_OVERLOADED, DELTAS),
    "overloaded_error_after_message_stop": erred(*_OVERLOADED, DELTAS) | STOPPED,
    "unknown_error_mid_stream": erred(
        "quantum_flux_error", "other", None, "Something went wrong", DELTAS, retryable=False
    ),
    "error_unnamed": erred(*_OVERLOADED, DELTAS),
    "error_unnamed_then_completed": erred(*_OVERLOADED, DELTAS) | STOPPED,
    "end_before_first_event": erred(*_CUT_SHORT, 0, outcome="truncated"),
    "end_without_message_stop": erred(*_CUT_SHORT, DELTAS, outcome="truncated"),
    "reset_first_event": erred(*_LOST, 0),
    "reset_mid_stream": erred(*_LOST, DELTAS),
    "half_chunk": erred(*_LOST, DELTAS),
    "http_529_always": erred(*_OVERLOADED, None, wire=529, phase="request") | RETRIED,
}
"""A scenario → what is said of a stream that was read to its end."""

DECODED: Final[dict[str, Said]] = {
    "not_json_mid_stream": erred(*_MALFORMED, DELTAS + 1, retryable=False),
}
"""The same, where the SDK decodes the content: what the application decodes for itself is not judged."""

WHOLE: Final[dict[str, Said]] = {
    "completed": ended("completed", None),
    "http_529_then_completed": ended("completed", None) | RETRIED,
    "http_529_always": STREAMED["http_529_always"],
    "body_error_200": erred(*_OVERLOADED, None),
}
"""A scenario → what is said of a call that does not stream."""


def written_on(own: Said, said: Said) -> Said:
    """The span `own` once after200 has said `said` on it: a status that is not known is not there either."""
    return {**{name: value for name, value in own.items() if name != "http.response.status_code"}, **said}
