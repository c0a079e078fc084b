# SPDX-License-Identifier: Apache-2.0
"""Bodies in pieces, cut wherever they can be, with every line end there is → what is known of the call."""

from __future__ import annotations

import json
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.bodies import (
    MAX_EVENT,
    BodyReader,
    EventStreamReader,
    JSONLinesReader,
    LineSplitter,
    WholeBodyReader,
    reader_for,
)
from after200.call.record import ProviderError

from .calls import CHUNK, DELTA, OVERLOADED, START, STOP, Recorded, known, new_call

LINE_ENDS = (b"\n", b"\r\n", b"\r")
EVENTS = (
    ("message_start", START),
    ("ping", '{"type":"ping"}'),
    ("content_block_delta", CHUNK),
    ("content_block_delta", CHUNK.replace("Hi", "ÄÖ\u2028\x85")),
    ("message_delta", DELTA),
    ("error", json.dumps(OVERLOADED)),
    ("message_stop", STOP),
)
TOLD = {
    "id": "msg_1",
    "model": "claude-answering",
    "input": 3,
    "cache_read": 20,
    "cache_write": 100,
    "chunks": 2,
    "finish": ("end_turn",),
    "output": 7,
    "error": ProviderError("overloaded_error", "Overloaded"),
    "stopped": True,
}


def sse(end: bytes) -> bytes:
    """A stream with this line end."""
    return b"".join(b"event: " + name.encode() + end + b"data: " + data.encode() + end + end for name, data in EVENTS)


def fed(reader: BodyReader, *pieces: bytes) -> None:
    for piece in pieces:
        reader.feed(piece)
    reader.finish()


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
def test_a_stream_tells_the_same_wherever_it_is_cut(end: bytes) -> None:
    body = sse(end)
    for cut in range(len(body) + 1):
        call = new_call()
        fed(EventStreamReader(call), body[:cut], body[cut:])
        # After a lone `\r` at the very end, nobody knows whether a `\n` was to follow: that event is never over.
        expected = TOLD if end != b"\r" else {**TOLD, "stopped": None}
        assert {name: value for name, value in expected.items() if value is not None} == known(call), cut


@given(end=st.sampled_from(LINE_ENDS[:2]), cuts=st.lists(st.integers(0, len(sse(b"\r\n"))), max_size=30))
def test_a_stream_tells_the_same_in_any_pieces(end: bytes, cuts: list[int]) -> None:
    body = sse(end)
    edges = [0, *sorted(cuts), len(body)]
    call = new_call()
    fed(EventStreamReader(call), *(body[start:stop] for start, stop in pairwise(edges)))
    assert TOLD == known(call)


@given(body=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_lines_are_the_same_in_any_pieces(body: bytes, cuts: list[int]) -> None:
    splitter = LineSplitter()
    lines: list[bytes] = []
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, stop in pairwise(edges):
        lines += splitter.feed(body[start:stop])
    whole = body.splitlines(keepends=True)
    over = [line.rstrip(b"\r\n") for line in whole if line.endswith((b"\n", b"\r"))]
    if body.endswith(b"\r"):
        assert over[:-1] == lines
        assert over[-1] == splitter.rest
    else:
        assert over == lines
        assert (b"" if not whole or whole[-1].endswith(b"\n") else whole[-1]) == splitter.rest


@given(body=st.binary(max_size=300), pieces=st.integers(1, 50))
def test_no_body_makes_a_reader_raise(body: bytes, pieces: int) -> None:
    for media_type in ("text/event-stream", "application/json", "application/x-jsonl", ""):
        call = new_call()
        call.signals = Recorded()
        fed(reader_for(call, media_type), *(body[at : at + pieces] for at in range(0, len(body), pieces)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"event: message_stop\ndata: {}\n\n", {"stopped": True}),
        (b"event:message_stop\ndata:{}\n\n", {"stopped": True}),
        (b"event: message_stop\n\n", {"stopped": True}),
        (b"event: message_stop\ndata: {}\n", {}),
        (b": a comment\nid: 7\nretry: 3\nevent: message_stop\n\n", {"stopped": True}),
        (b"event: ping\nevent: message_stop\ndata: {}\n\n", {"stopped": True}),
        (b"event\nmessage_stop\n\n", {}),
        (b"\n\n\n", {}),
        (
            b'data: {"type":"error",\ndata: "error":{"type":"api_error"}}\n\n',
            {"error": ProviderError("api_error", None)},
        ),
        (b'event: error\ndata: {"type":\ndata: "api_error"}\n\n', {"error": ProviderError("api_error", None)}),
        (b"event: error\ndata: \xff\xfe\n\n", {"error": ProviderError(None, None)}),
        (b"event: \xff\xfe\ndata: {}\n\n", {}),
        (b"event: content_block_delta\ndata: \xff\xfe\n\n", {"chunks": 1}),
    ],
)
def test_server_sent_events_are_read_as_the_specification_says(body: bytes, expected: dict[str, object]) -> None:
    call = new_call()
    fed(EventStreamReader(call), body)
    assert expected == known(call)


def test_a_line_that_is_too_long_is_not_kept_and_what_follows_is_read() -> None:
    call = new_call()
    reader = EventStreamReader(call)
    reader.feed(b"event: message_delta\ndata: ")
    for _ in range(40):
        reader.feed(b"x" * (MAX_EVENT // 16))
        assert size(reader) <= MAX_EVENT + MAX_EVENT // 8
    reader.feed(b"\n\nevent: message_stop\ndata: {}\n\n")
    assert {"stopped": True} == known(call)


def test_the_end_of_a_line_that_is_too_long_is_no_line_of_its_own() -> None:
    call = new_call()
    reader = EventStreamReader(call)
    reader.feed(b"data: " + b"x" * MAX_EVENT)
    reader.feed(b"event: error")
    reader.feed(b"\r")
    fed(reader, b"\n\r\nevent: message_stop\n\n")
    assert {"stopped": True} == known(call)


def test_an_event_of_many_lines_does_not_grow_without_bounds() -> None:
    call = new_call()
    reader = EventStreamReader(call)
    line = b"data: " + b"x" * 65536 + b"\n"
    for _ in range(64):
        reader.feed(line)
        assert size(reader) <= MAX_EVENT + 2 * len(line)
    fed(reader, b"\n\r\nevent: message_stop\n\n")
    assert {"stopped": True} == known(call)


def size(reader: EventStreamReader) -> int:
    """How much a reader holds."""
    return sys.getsizeof(reader._lines._rest) + sum(sys.getsizeof(data) for data in reader._data)


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-answering",
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 7},
}
MESSAGE_TOLD = {"id": "msg_1", "model": "claude-answering", "finish": ("end_turn",), "input": 3, "output": 7}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps(MESSAGE).encode(), MESSAGE_TOLD),
        (json.dumps(OVERLOADED).encode(), {"error": ProviderError("overloaded_error", "Overloaded")}),
        (b"<html>", {}),
        (b"\xff\xfe", {}),
        (b"", {}),
        (b"[1]", {}),
    ],
)
def test_a_whole_body_tells_the_same_in_any_pieces(body: bytes, expected: dict[str, object]) -> None:
    for cut in range(len(body) + 1):
        call = new_call(stream=False)
        fed(WholeBodyReader(call), body[:cut], body[cut:])
        assert {**expected, "stopped": True} == known(call)


def test_a_whole_body_in_answer_to_a_stream_s_request_is_not_its_end_event() -> None:
    call = new_call(stream=True)
    fed(WholeBodyReader(call), json.dumps(MESSAGE).encode())
    assert MESSAGE_TOLD == known(call)


def test_a_whole_body_that_is_too_long_is_not_kept() -> None:
    call = new_call(stream=False)
    reader = WholeBodyReader(call)
    for _ in range(40):
        reader.feed(b"x" * (MAX_EVENT // 16))
        assert sum(len(part) for part in reader._parts) <= MAX_EVENT
    reader.finish()
    assert {"stopped": True} == known(call)


ENTRY = json.dumps({"custom_id": "1", "result": {"type": "errored", "error": OVERLOADED}}).encode()


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
def test_every_line_of_a_batch_s_results_is_read_wherever_it_is_cut(end: bytes) -> None:
    body = ENTRY + end + ENTRY + end + ENTRY
    for cut in range(0, len(body) + 1, 3):
        call = new_call(end_rule="lines")
        call.signals = Recorded()
        fed(JSONLinesReader(call), body[:cut], body[cut:])
        assert [ProviderError("overloaded_error", "Overloaded")] * 3 == call.signals.inner_errors
        assert not call.cut_short


def test_a_last_line_that_cannot_be_decoded_was_cut() -> None:
    call = new_call(end_rule="lines")
    call.signals = Recorded()
    fed(JSONLinesReader(call), ENTRY + b"\n" + ENTRY[:-3])
    assert call.cut_short
    assert 1 == len(call.signals.inner_errors)


@pytest.mark.parametrize(
    ("media_type", "reader"),
    [
        ("text/event-stream", EventStreamReader),
        ("Text/Event-Stream; charset=utf-8", EventStreamReader),
        ("application/x-jsonl", JSONLinesReader),
        ("application/json", WholeBodyReader),
        ("text/html", WholeBodyReader),
        ("", WholeBodyReader),
    ],
)
def test_the_media_type_says_how_a_body_is_read(media_type: str, reader: type) -> None:
    assert reader is type(reader_for(new_call(), media_type))
