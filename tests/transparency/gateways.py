# SPDX-License-Identifier: Apache-2.0
"""Strategies for what gateways make of a body: healthy and failing bodies of each wire format, transformed.

A body is drawn as events, transformed as events, written on a wire, and transformed as bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from after200.faults.eventstream import encode_chunk, encode_frame, exception_headers

from ..support.in_memory.bodies import CLOSING, DELTA, ERRORS, OPENING, START, STOP, TOOL, Json, chunk, error
from ..support.in_memory.transport import BREAKS, Answer

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"
FRAMES = "application/vnd.amazon.eventstream"


@dataclass(frozen=True)
class Event:
    """One event on its way: its name, and its data as JSON or as the text that a gateway made of it."""

    name: str | None
    data: Json | str | None

    @property
    def text(self) -> str | None:
        return json.dumps(self.data) if isinstance(self.data, dict) else self.data


Events = tuple[Event, ...]


def named(payload: Json) -> Event:
    return Event(payload["type"], payload)


MESSAGE: Json = {**START["message"], "content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn"}
ODD_COUNTS: Json = {
    **DELTA,
    "usage": {"input_tokens": "25", "output_tokens": 7.4, "cache_read_input_tokens": None, "cache_creation": {}},
    "error": {},
}
NEWER_EVENT: Json = {"type": "new_event_of_next_year", "data": {}}
DELTA_WITHOUT_REASON: Json = {**DELTA, "delta": {"stop_reason": None, "stop_sequence": None}}
TYPED = error("overloaded_error")
FAILURES: tuple[Event, ...] = (
    *(named(payload) for payload in ERRORS if isinstance(payload["type"], str)),
    Event("error", "Overloaded"),
    Event("error", None),
    Event(None, TYPED),
)
AFTERWARDS = (
    "data: [DONE]\n\n",
    ": bye\n\n",
    "\n\n",
    "garbage",
    '{"error":{"type":"api_error"}}\n',
    "event: error\n\n",
)


@st.composite
def healthy(draw: st.DrawFn) -> Events:
    """The events of a message that ends well."""
    payloads = [START, OPENING, *(chunk(f"word {n} ") for n in range(draw(st.integers(0, 4)))), CLOSING]
    if draw(st.integers(0, 5)) == 5:
        payloads += [TOOL, {"type": "content_block_stop", "index": 1}]
    if draw(st.integers(0, 5)) == 5:
        payloads.insert(draw(st.integers(1, len(payloads))), draw(st.sampled_from([{"type": "ping"}, NEWER_EVENT])))
    ending = [draw(st.sampled_from([DELTA] * 17 + [DELTA_WITHOUT_REASON, ODD_COUNTS, ODD_COUNTS])), STOP]
    return tuple(named(payload) for payload in [*payloads, *ending])


@st.composite
def failing(draw: st.DrawFn) -> Events:
    """The events of a message that an error ends."""
    events = draw(healthy())
    return (*events[: draw(st.integers(0, len(events)))], draw(st.sampled_from(FAILURES)))


# --- what is done to events ---


def bare(event: Event) -> Event:
    """Strips the envelope of an error."""
    if isinstance(event.data, dict) and isinstance(event.data.get("error"), dict):
        return replace(event, data={"error": event.data["error"]})
    return event


def alone(event: Event) -> Event:
    """Strips the envelope of an error, and its field."""
    if isinstance(event.data, dict) and isinstance(event.data.get("error"), dict):
        return replace(event, data=event.data["error"])
    return event


def each(change: Callable[[Event], Event]) -> Callable[[st.DrawFn, Events], Events]:
    return lambda draw, events: tuple(change(event) for event in events)


def one(change: Callable[[st.DrawFn, Event], Events]) -> Callable[[st.DrawFn, Events], Events]:
    """Changes one event, wherever it stands."""

    def changed(draw: st.DrawFn, events: Events) -> Events:
        if not events:
            return events
        place = draw(st.integers(0, len(events) - 1))
        return (*events[:place], *change(draw, events[place]), *events[place + 1 :])

    return changed


def renamed(draw: st.DrawFn, event: Event) -> Events:
    names = [None, "message", "error", "error ", "content_block_delta", "message_stop", "ping", "data", "api_error"]
    return (replace(event, name=draw(st.sampled_from(names))),)


def reordered(draw: st.DrawFn, events: Events) -> Events:
    return tuple(draw(st.permutations(events))) if len(events) < 12 else events


def with_another(draw: st.DrawFn, events: Events) -> Events:
    place = draw(st.integers(0, len(events)))
    return (*events[:place], draw(st.sampled_from(FAILURES)), *events[place:])


def with_error_beside(draw: st.DrawFn, event: Event) -> Events:
    data = {**event.data, "error": TYPED["error"]} if isinstance(event.data, dict) else event.data
    return (replace(event, data=data),)


def broken_json(draw: st.DrawFn, event: Event) -> Events:
    return (replace(event, data=(event.text or "")[:-1]),)


EVENT_CHANGES: dict[str, Callable[[st.DrawFn, Events], Events]] = {
    "no envelope": each(bare),
    "error alone": each(alone),
    "no names": each(lambda event: replace(event, name=None)),
    "another name": one(renamed),
    "dropped": one(lambda draw, event: ()),
    "emptied": one(lambda draw, event: (replace(event, data=draw(st.sampled_from([None, "", "{}"]))),)),
    "repeated": one(lambda draw, event: (event, event)),
    "broken": one(broken_json),
    "reordered": reordered,
    "cut": lambda draw, events: events[: draw(st.integers(0, len(events)))],
    "another error": with_another,
    "error beside": one(with_error_beside),
}


# --- wires ---


def as_sse(events: Events) -> bytes:
    fields = []
    for event in events:
        name = "" if event.name is None else f"event: {event.name}\n"
        data = "" if event.text is None else f"data: {event.text}\n"
        fields.append(f"{name}{data}\n")
    return "".join(fields).encode()


def as_frames(events: Events) -> bytes:
    """Frames; an event named `error` becomes an exception frame, as far as its type is one of AWS' own."""
    frames = []
    for event in events:
        text = (event.text or "").encode()
        if event.name == "error" and not isinstance(event.data, dict):
            frames.append(encode_frame(exception_headers("throttlingException"), b'{"message": "Slow down"}'))
        else:
            frames.append(encode_chunk(text))
    return b"".join(frames)


def as_json(events: Events) -> bytes:
    """What a gateway answers that collects a stream: the error in it, or the message."""
    for event in events:
        if isinstance(event.data, dict) and ("error" in event.data or event.data.get("type") == "error"):
            return json.dumps(event.data).encode()
    return json.dumps(MESSAGE).encode()


def as_json_lines(events: Events) -> bytes:
    return b"".join(f"{event.text}\n".encode() for event in events if event.text)


# --- what is done to bytes ---

ENCODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", lambda body: gzip.compress(body, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "gzip that is none": ("gzip", lambda body: body),
    "gzip that is cut": ("gzip", lambda body: gzip.compress(body, mtime=0)[:-12]),
    "gzip that breaks": ("gzip", lambda body: _broken(gzip.compress(body, mtime=0))),
    "unknown": ("zip64", lambda body: body),
    "none": ("none", lambda body: body),
    "a charset": ("UTF-8", lambda body: body),
    "twice": ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body, mtime=0), mtime=0)),
    "two, and a name that is none": ("deflate, none, GZIP", lambda body: gzip.compress(zlib.compress(body), mtime=0)),
}


def _broken(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes(byte ^ 0xFF for byte in body[middle : middle + 4]) + body[middle + 4 :]


def pieces(draw: st.DrawFn, body: bytes) -> tuple[bytes, ...]:
    """A body in chunks, wherever they are cut."""
    size = draw(st.sampled_from([len(body) or 1, 400, 37]))
    return tuple(body[place : place + size] for place in range(0, len(body), size))


@st.composite
def answers(draw: st.DrawFn, *, frames: bool, stream: bool) -> tuple[Answer, str]:
    """What a client receives that asked for a stream, or for a whole body; and the text of it."""
    events: Events = draw(healthy() if draw(st.booleans()) else failing())
    for change in draw(st.lists(st.sampled_from(sorted(EVENT_CHANGES)), max_size=3)):
        events = EVENT_CHANGES[change](draw, events)
    usual = (FRAMES, as_frames) if frames and stream else (SSE, as_sse) if stream else (JSON, as_json)
    others = [usual] * 9 + [(SSE, as_sse), (JSON, as_json), (JSON, as_json_lines), (SSE, as_json), (JSON, as_sse)]
    content, write = draw(st.sampled_from(others))
    body, texts = write(events), as_sse(events)
    if draw(st.integers(0, 19)) == 19:
        body = texts = draw(odd_bodies)
    if draw(st.integers(0, 5)) == 5:
        afterwards = draw(st.sampled_from(AFTERWARDS)).encode()
        body, texts = body + afterwards, texts + afterwards
    if draw(st.integers(0, 5)) == 5:
        body = body[: draw(st.integers(0, len(body)))]
    headers = {"content-type": draw(st.sampled_from([content] * 9 + ["text/plain"])), "request-id": "req_1"}
    if draw(st.integers(0, 5)) == 5:
        headers["content-encoding"], encode = ENCODED[draw(st.sampled_from(sorted(ENCODED)))]
        body = encode(body)
    breaks = draw(st.sampled_from([None] * 19 + ["reset"])) if BREAKS else None
    answer = Answer(pieces(draw, body), draw(st.sampled_from([200] * 27 + [529, 529, 400, 302, 304])), headers, breaks)
    return answer, texts.decode()


odd_bodies = st.sampled_from(
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"<html>502 Bad Gateway</html>",
        b'{"message": "Endpoint request timed out"}',
        b'{"error": "upstream unavailable"}',
        b'{"error": {"message": "Provider returned error", "code": 502}}',
        b'{"type": "message"}',
        b'{"content": []}',
        json.dumps({**MESSAGE, "error": TYPED["error"]}).encode(),
        json.dumps([MESSAGE]).encode(),
        json.dumps({"data": MESSAGE}).encode(),
    ]
)
