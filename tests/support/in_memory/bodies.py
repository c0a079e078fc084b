# SPDX-License-Identifier: Apache-2.0
"""Strategies for what a server may send: server-sent events and eventstream frames, whole, mutated, cut, and noise."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from after200.faults.eventstream import encode_chunk, encode_frame, error_headers, exception_headers

Json = dict[str, Any]

START: Json = {
    "type": "message_start",
    "message": {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1},
    },
}
OPENING = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TOOL = {
    "type": "content_block_start",
    "index": 1,
    "content_block": {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
}
CLOSING = {"type": "content_block_stop", "index": 0}
DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 9},
}
STOP = {"type": "message_stop"}


def event(payload: Json, name: str | None = None) -> bytes:
    """`payload` as a server-sent event, named as it says or by `name`."""
    return f"event: {name or payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


def chunk(text: str) -> Json:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def error(kind: object, message: object = "Overloaded") -> Json:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


ERRORS: list[Json] = [
    error("overloaded_error"),
    error("rate_limit_error", ""),
    error("api_error", "x" * 3000),
    error("made_up_error", "line\nbreak"),
    error(None, 7),
    {"type": "error", "error": "flat"},
    {"type": "error"},
    {"type": "rate_limit_error", "message": "Too many tokens"},
]
ODD: list[Json] = [
    {"type": "ping"},
    {"type": "content_block_delta"},
    {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "nowhere"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a": '}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
    {"type": "message_start", "message": None},
    {"type": "message_delta", "delta": None, "usage": None},
    {"type": "message_delta", "delta": {}, "usage": {"output_tokens": "many", "input_tokens": -1}},
    {"type": "new_event_of_next_year", "data": {}},
    {"type": 5},
    {},
    TOOL,
    CLOSING,
]

payloads = st.one_of(
    st.builds(chunk, st.text(max_size=8)),
    st.sampled_from(ODD),
    st.sampled_from(ERRORS),
    st.sampled_from([START, OPENING, DELTA, STOP]),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """The events of a message: as documented, or with some of them missing, doubled, or strange."""
    events = [START, OPENING, *(chunk(f"word {n} ") for n in range(draw(st.integers(0, 6)))), CLOSING, DELTA, STOP]
    for _ in range(max(draw(st.integers(-3, 3)), 0)):
        place = draw(st.integers(0, len(events)))
        change = draw(st.sampled_from(["insert", "insert", "delete", "repeat", "cut"]))
        if change == "insert":
            events.insert(place, draw(payloads))
        elif change == "delete":
            del events[place : place + 1]
        elif change == "repeat":
            events[place:place] = events[place : place + 1]
        else:
            del events[place:]
    return events


# --- server-sent events ---

FORMS = ["unnamed", "misnamed", "torn", "not json", "odd line", "no data"]
ODD_LINES = [
    "",
    ": a comment",
    "id: 7",
    "retry: 10",
    "event",
    "data",
    "data:",
    "event: ping",
    "nonsense",
    "\ufeffevent: error",
]


@st.composite
def server_sent_events(draw: st.DrawFn) -> bytes:
    """A body of server-sent events."""
    newline = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    lines: list[str] = []
    for payload in draw(conversations()):
        form = draw(st.sampled_from(FORMS)) if draw(st.integers(0, 19)) == 19 else "plain"
        name = "error" if form == "misnamed" else payload.get("type")
        data = json.dumps(payload, ensure_ascii=draw(st.booleans()))
        if form == "not json":
            data = data[:-1]
        if form == "odd line":
            lines.append(draw(st.sampled_from(ODD_LINES)))
        if form != "unnamed":
            lines.append(f"event: {name}")
        if form == "torn":
            middle = data.find(",") + 1
            lines += [f"data: {data[:middle]}", f"data: {data[middle:]}"]
        elif form != "no data":
            lines.append(f"data: {data}")
        lines.append("")
    return (newline.join(lines) + newline).encode("utf-8", "surrogatepass")


# --- eventstream frames ---

EXCEPTIONS = [
    "throttlingException",
    "modelStreamErrorException",
    "validationException",
    "ServiceUnavailableException",
    "newException",
]
ODD_FRAMES = [
    encode_frame(exception_headers("modelStreamErrorException"), b'{"message": "m", "originalStatusCode": 529}'),
    encode_frame(error_headers("InternalError", "no payload"), b""),
    encode_frame({":event-type": "other", ":message-type": "event"}, b"{}"),
    encode_frame({}, b""),
    encode_frame({":event-type": "chunk", ":message-type": "event"}, b"not json"),
    encode_frame({":event-type": "chunk", ":message-type": "event"}, json.dumps({"bytes": "%%%"}).encode()),
    encode_frame(
        {":event-type": "chunk", ":message-type": "event"},
        json.dumps({"bytes": base64.b64encode(b"\xff").decode()}).encode(),
    ),
]


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A body of eventstream frames."""
    encoded = [encode_chunk(json.dumps(payload).encode()) for payload in draw(conversations())]
    for _ in range(draw(st.integers(0, 2))):
        frame = draw(
            st.one_of(
                st.sampled_from(ODD_FRAMES),
                st.sampled_from(EXCEPTIONS).map(
                    lambda name: encode_frame(exception_headers(name), json.dumps({"message": name}).encode())
                ),
            )
        )
        encoded.insert(draw(st.integers(0, len(encoded))), frame)
    return b"".join(encoded)


# --- what may happen to any body ---


@st.composite
def mutated(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A body with bytes changed, put in, taken out, or cut off."""
    body = draw(bodies)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(body)))
        change = draw(st.sampled_from(["cut", "flip", "put in", "take out"]))
        if change == "cut":
            body = body[:place]
        elif change == "flip":
            body = (
                body[:place]
                + bytes(byte ^ draw(st.integers(1, 255)) for byte in body[place : place + 1])
                + body[place + 1 :]
            )
        elif change == "put in":
            body = body[:place] + draw(st.binary(max_size=6)) + body[place:]
        else:
            body = body[:place] + body[place + draw(st.integers(1, 40)) :]
    return body


def any_body(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.integers(0, 9).flatmap(
        lambda dice: bodies if dice < 6 else mutated(bodies) if dice < 9 else st.binary(max_size=60)
    )


@st.composite
def chunked(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> tuple[bytes, ...]:
    """A body in chunks, wherever they are cut."""
    body = draw(bodies)
    how = draw(st.sampled_from(["events", "one", "anywhere", "bytes"]))
    if how == "events":
        return tuple(part + b"\n\n" for part in body.split(b"\n\n") if part)
    if how == "one" or not body:
        return (body,)
    if how == "bytes":
        return tuple(body[place : place + 3] for place in range(0, min(len(body), 600), 3))
    cuts = sorted(draw(st.sets(st.integers(0, len(body)), max_size=6)))
    edges = [0, *cuts, len(body)]
    return tuple(body[start:end] for start, end in pairwise(edges))


sse_chunks = chunked(any_body(server_sent_events()))
frame_chunks = chunked(any_body(frames()))

whole_bodies = st.one_of(
    st.sampled_from(
        [
            json.dumps(
                {**START["message"], "content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn"}
            ).encode(),
            *(json.dumps(payload).encode() for payload in ERRORS),
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"<html>502</html>",
            b'{"id": ',
            b"\xff\xfe",
        ]
    ),
    mutated(st.just(json.dumps(START["message"]).encode())),
    st.binary(max_size=30),
)
