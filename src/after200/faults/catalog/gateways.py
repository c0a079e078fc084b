# SPDX-License-Identifier: Apache-2.0
"""What stands between the client and the provider says errors in its own way: events of another name or shape.

Reported of LLM gateways, API gateways and proxies. A request that does not stream gets the same payload as an HTTP
error. Over Amazon Bedrock's wire an event has no name, so there the payload alone makes the difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..scenarios import COMPLETED, MID_STREAM, OPENED, WHOLE, Scenario, failing, scenario
from ..steps import Answer, Delay, End, Error, Event, Healthy, Play, Status
from ..wires import error_envelope
from .http_errors import SOON, http_error

TITLE = "Gateways: an error in another shape, or under another name"
OVERLOADED = "overloaded_error"
ENVELOPE = error_envelope(OVERLOADED, "Overloaded")
BARE = {"error": ENVELOPE["error"]}
TYPE_ALONE: dict[str, object] = {"type": OVERLOADED, "message": "Overloaded"}
CHUNK_WITH_ERROR: dict[str, object] = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": ""},
    **BARE,
}
UNTYPED: dict[str, object] = {"error": {"message": "Provider returned error", "code": 502}}
STRING: dict[str, object] = {"error": "upstream unavailable"}
_HTTP_529 = http_error(529, OVERLOADED, "Overloaded")
_NO_DATA = Event("content_block_delta", None)
_WORDS_FOR_NOTHING = {"error": "error", "unknown": "unknown", "none": "None"}


def _http(status: int, body: dict[str, object], failure: str | None) -> Answer:
    return Answer(status, body, SOON, failure)


def _places(
    stem: str, words: str, name: str | None, data: dict[str, object], whole: Answer, failure: str | None
) -> Iterator[Scenario]:
    """The event as the first one, and after some content."""
    event = Event(name, data, failure)
    places: dict[str, tuple[Play, str]] = {
        "first_event": ((Status(),), "as the first event"),
        "mid_stream": (MID_STREAM, "after some content"),
    }
    for place, (before, where) in places.items():
        yield scenario(f"{stem}_{place}", f"{words} {where}", (*before, event, End()), (whole,))


def _named(stem: str, name: str) -> Scenario:
    event = Event(name, ENVELOPE, failure=OVERLOADED)
    return failing(f"error_named_{stem}", f"an overloaded_error whose event is named {name!r}", event, whole=_HTTP_529)


def _word_for_nothing(stem: str, word: str) -> Scenario:
    description = f"an error whose type is {word!r}, a word for nothing, after some content"
    event = Event("error", error_envelope(word, "Provider returned error"))
    return failing(f"error_type_{stem}", description, event, whole=_http(500, error_envelope(word, ""), None))


SCENARIOS: tuple[Scenario, ...] = (
    *_places(
        "bare_error",
        "an unnamed event that has the error and no outer type,",
        None,
        BARE,
        _http(529, BARE, OVERLOADED),
        OVERLOADED,
    ),
    failing(
        "bare_error_named",
        "an error event that has the error and no outer type, after some content",
        Event("error", BARE, failure=OVERLOADED),
        whole=_http(529, BARE, OVERLOADED),
    ),
    failing(
        "bare_error_untyped",
        "an unnamed event whose error has a message and a code of 502, no type, after some content",
        Event(None, UNTYPED),
        whole=_http(502, UNTYPED, None),
    ),
    failing(
        "bare_error_string",
        "an unnamed event whose error is a string, after some content",
        Event(None, STRING),
        whole=_http(503, STRING, None),
    ),
    *_places(
        "type_alone",
        "an unnamed event that is nothing but type and message,",
        None,
        TYPE_ALONE,
        _http(529, TYPE_ALONE, OVERLOADED),
        OVERLOADED,
    ),
    *_places(
        "error_named_message",
        "an overloaded_error whose event is named 'message',",
        "message",
        ENVELOPE,
        _HTTP_529,
        OVERLOADED,
    ),
    _named("with_space", "error "),
    _named("content_block_delta", "content_block_delta"),
    failing(
        "error_in_chunk",
        "a content_block_delta that has an overloaded_error beside its delta, after some content",
        Event("content_block_delta", CHUNK_WITH_ERROR, failure=OVERLOADED),
        whole=_HTTP_529,
    ),
    *(_word_for_nothing(stem, word) for stem, word in _WORDS_FOR_NOTHING.items()),
    scenario(
        "delta_without_data",
        "a content_block_delta without data, 0.1 s before the first real one; then completed",
        (*OPENED, _NO_DATA, Delay(0.1), *COMPLETED[len(OPENED) :]),
        WHOLE,
    ),
    scenario(
        "delta_without_data_then_overloaded",
        "a content_block_delta without data, then overloaded_error before any content",
        (*OPENED, _NO_DATA, Error(OVERLOADED, "Overloaded"), End()),
        (_HTTP_529,),
    ),
    scenario(
        "overloaded_mid_stream_no_retry",
        "x-should-retry: false with the HTTP 200, then overloaded_error after some content",
        (
            Status(headers={"x-should-retry": "false"}),
            Healthy("start"),
            Healthy("text"),
            Error(OVERLOADED, "Overloaded"),
            End(),
        ),
        (_HTTP_529,),
    ),
)
