# SPDX-License-Identifier: Apache-2.0
"""Bodies in pieces, cut wherever they can be, with every line end there is → what they say."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from binascii import crc32
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.bodies import (
    MAX_EVENT,
    BodyReader,
    FrameReader,
    LinesReader,
    SSEReader,
    WholeReader,
    reader_for,
)
from after200.call.documents import MAX_KEPT, Document
from after200.call.facts import CHUNK_CAME, TEXT_CAME, Facts, ProviderError
from after200.call.lines import LineSplitter, begins_like_events
from after200.names.endings import EndRule

from ..support.held import held
from .calls import CHUNK, DELTA, MESSAGE, OVERLOADED, START, STOP, known

LINE_ENDS = (b"\n", b"\r\n", b"\r")
MEDIA_TYPES = ("text/event-stream", "application/json", "application/vnd.amazon.eventstream", "application/x-jsonl", "")
EVENTS = (
    ("message_start", START),
    ("ping", '{"type":"ping"}'),
    ("content_block_delta", CHUNK),
    ("content_block_delta", CHUNK.replace("Hi", "ÄÖ\u2028\x85")),
    ("message_delta", DELTA),
    ("error", json.dumps(OVERLOADED)),
    ("message_stop", STOP),
)
SAID = {
    "id": "msg_1",
    "model": "claude-answering",
    "input": 3,
    "cache_read": 20,
    "cache_write": 100,
    "chunks": 2,
    "text": True,
    "stop_reason": "end_turn",
    "output": 7,
    "error": ProviderError("overloaded_error", "Overloaded"),
    "stopped": True,
}
IS_OVERLOADED = {"error": ProviderError("overloaded_error", "Overloaded")}


def sse(end: bytes) -> bytes:
    """Returns a stream with this line end."""
    return b"".join(b"event: " + name.encode() + end + b"data: " + data.encode() + end + end for name, data in EVENTS)


def read(reader: BodyReader, *pieces: bytes) -> dict[str, Any]:
    """Returns what a whole body says, as `known` does."""
    return known(all_facts(reader, *pieces))


def all_facts(reader: BodyReader, *pieces: bytes) -> list[Facts]:
    return [facts for piece in pieces for facts in reader.feed(piece)] + list(reader.finish())


def in_pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def sse_reader(*, stream: bool = True) -> SSEReader:
    return SSEReader("message", Document("message", stream=stream))


def frames(*, stream: bool = True) -> FrameReader:
    return FrameReader("message", Document("message", stream=stream))


# --- server-sent events ---


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
def test_a_stream_says_the_same_wherever_it_is_cut(end: bytes) -> None:
    body = sse(end)
    # After a lone `\r` at the very end, nobody knows whether a `\n` was to follow: that event is never over.
    expected = {name: value for name, value in SAID.items() if end != b"\r" or name != "stopped"}
    for cut in range(len(body) + 1):
        assert expected == read(sse_reader(), body[:cut], body[cut:]), cut


@given(end=st.sampled_from(LINE_ENDS[:2]), cuts=st.lists(st.integers(0, len(sse(b"\r\n"))), max_size=30))
def test_a_stream_says_the_same_in_any_pieces(end: bytes, cuts: list[int]) -> None:
    body = sse(end)
    edges = [0, *sorted(cuts), len(body)]
    assert SAID == read(sse_reader(), *(body[start:stop] for start, stop in pairwise(edges)))


@given(body=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_lines_are_the_same_in_any_pieces(body: bytes, cuts: list[int]) -> None:
    splitter = LineSplitter(MAX_EVENT)
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


@given(
    body=st.binary(max_size=300) | st.just(sse(b"\n")[:300]),
    size=st.integers(1, 50),
    rule=st.sampled_from(get_args(EndRule)),
    stream=st.booleans(),
)
def test_no_body_makes_a_reader_raise(body: bytes, size: int, rule: EndRule, stream: bool) -> None:
    for media_type in MEDIA_TYPES:
        read(reader_for(media_type, rule, stream=stream), *in_pieces(body, size))


ERROR_DATA = b'{"type":"overloaded_error","message":"m"}'
NO_TYPE: dict[str, Any] = {"error": ProviderError(None, None)}
HELLO = {"error": ProviderError("overloaded_error", "m")}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # The examples of the specification, with our payloads in the places of its own.
        # One field of several lines: they are joined by ends of lines, and JSON goes over them.
        (b'data: {"type":\ndata: "overloaded_error",\ndata: "message": "m"}\n\n', HELLO),
        # A comment; an event with an id; an event whose id is reset; an event that no blank line ends.
        (b": test stream\n\ndata: x\nid: 1\n\ndata: " + ERROR_DATA + b"\nid\n\ndata: third\n", HELLO),
        (b": test stream\n\ndata: x\nid: 1\n\ndata: y\nid\n\ndata: " + ERROR_DATA + b"\n", {}),
        # Data without a value: an empty line, two of them, and one that no blank line ends.
        (b"data\n\ndata\ndata\n\ndata:", {}),
        (b"event: error\ndata\n\n", NO_TYPE),
        # A single space after the colon is no part of the value, and a second one is.
        (b"data:" + ERROR_DATA + b"\n\ndata: x\n\n", HELLO),
        (b"event:message_stop\ndata:" + STOP.encode() + b"\n\n", {"stopped": True}),
        (b"event:  content_block_delta\ndata: x\n\n", {}),
        # The rest of its rules.
        (b"event: message_stop\ndata: " + STOP.encode() + b"\n\n", {"stopped": True}),
        (b"event: message_stop\ndata: " + STOP.encode() + b"\n", {}),
        (b"event: message_stop\n\n", {}),
        (b": a comment\nid: 7\nretry: 3\nevent: message_stop\ndata: " + STOP.encode() + b"\n\n", {"stopped": True}),
        (b"event: ping\nevent: message_stop\ndata: " + STOP.encode() + b"\n\n", {"stopped": True}),
        (b"event: message_stop\nevent\ndata: " + STOP.encode() + b"\n\n", {}),
        (b"event: error\n\ndata: " + STOP.encode() + b"\n\n", NO_TYPE),
        (b"Event: error\nDATA: " + ERROR_DATA + b"\n\nevent: ping\ndata: {}\n\n", {}),
        (b"event\nmessage_stop\n\n", {}),
        (b"event: error\ndata: \xff\xfe\n\n", NO_TYPE),
        (b"event: \xff\xfe\ndata: {}\n\n", {}),
        (b"event: content_block_delta\ndata: \xff\xfe\n\n", {"chunks": 1, "content": True}),
        (b"\n\n\n", {}),
    ],
    ids=repr,
)
def test_server_sent_events_are_read_as_the_specification_says(body: bytes, expected: dict[str, object]) -> None:
    for size in (1, 1000):
        assert expected == read(sse_reader(), *in_pieces(body, size))


def stop_event(end: bytes = b"\n") -> bytes:
    return b"event: message_stop" + end + b"data: " + STOP.encode() + end + end


def test_a_line_that_is_too_long_is_not_kept_and_what_follows_is_read() -> None:
    reader = sse_reader()
    list(reader.feed(b"event: message_delta\ndata: "))
    for _ in range(40):
        list(reader.feed(b"x" * (MAX_EVENT // 16)))
        assert held(reader) <= MAX_KEPT + MAX_EVENT + MAX_EVENT // 8
    assert {"stopped": True} == read(reader, b"\n\n" + stop_event())


def test_the_end_of_a_line_that_is_too_long_is_no_line_of_its_own() -> None:
    pieces = (b"data: " + b"x" * MAX_EVENT, b"event: error", b"\r", b"\n\r\n" + stop_event())
    assert {"stopped": True} == read(sse_reader(), *pieces)


def test_what_ends_a_line_that_is_too_long_is_dropped_with_it_and_the_next_line_is_whole() -> None:
    splitter = LineSplitter(8)
    assert [] == splitter.feed(b"x" * 9)
    assert [] == splitter.feed(b"event: error\nnext")
    assert [b"next line", b""] == splitter.feed(b" line\n\n")


def test_an_event_of_many_lines_does_not_grow_without_bounds() -> None:
    reader = sse_reader()
    line = b"data: " + b"x" * 65536 + b"\n"
    for _ in range(64):
        list(reader.feed(line))
        assert held(reader) <= MAX_KEPT + MAX_EVENT + 2 * len(line)
    assert {"stopped": True} == read(reader, b"\n" + stop_event())


def test_the_first_text_is_told_once() -> None:
    event = b"event: content_block_delta\ndata: " + CHUNK.encode() + b"\n\n"
    assert [TEXT_CAME, CHUNK_CAME] == all_facts(sse_reader(), event * 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"data: x", True),
        (b"data", True),
        (b"event:x", True),
        (b" id : 7", True),
        (b"retry", True),
        (b": comment", True),
        (b"\xef\xbb\xbfdata: x", True),
        (b"\r\n \nevent\r\n", True),
        (b"", True),
        (b"\n\n", True),
        (b"<html>\ndata: x", False),
        (b"<html>\n<style>\n:root {\n", False),
        (b"<html>\n<script>\nconst a = {\nid: 5,\ndata: {\n", False),
        (b"upstream\nevent: x", False),
        (b"data structure", False),
        (b"dat", False),
        (b"database", False),
        (b"events: x", False),
        (b"a: data: x", False),
        (b"{}", False),
    ],
)
def test_text_begins_like_events_by_its_first_line_that_is_not_blank(text: bytes, expected: bool) -> None:
    assert expected == begins_like_events(text)


# --- one kind in place of another: rules 4 to 6 of section 2 of the contract ---

WHOLE = json.dumps(MESSAGE).encode()
MESSAGE_SAID = {
    "id": "msg_1",
    "model": "claude-answering",
    "stop_reason": "end_turn",
    "content": True,
    "input": 3,
    "output": 7,
}


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/json", "text/html", ""])
@pytest.mark.parametrize(
    ("body", "stream", "expected"),
    [
        (WHOLE, False, {**MESSAGE_SAID, "answer": True}),
        (WHOLE, True, {**MESSAGE_SAID, "malformed": True}),
        (b" \n" + WHOLE, False, {**MESSAGE_SAID, "answer": True}),
        (json.dumps(MESSAGE, indent=2).encode(), False, {**MESSAGE_SAID, "answer": True}),
        (json.dumps(OVERLOADED).encode(), True, IS_OVERLOADED),
        (json.dumps(OVERLOADED).encode(), False, IS_OVERLOADED),
        (json.dumps(OVERLOADED, indent=2).encode(), True, IS_OVERLOADED),
        (sse(b"\n"), True, SAID),
        (sse(b"\n"), False, SAID),
        (b"\r\n\r\n" + sse(b"\r\n"), True, SAID),
        (b"event: message_start\nda", True, {}),
        (b"event: message_start\nda", False, {"malformed": True}),
        (b": keep alive\n\n: keep alive\n\n", True, {}),
        (b"", True, {}),
        (b"", False, {"malformed": True}),
        (b"<html>Bad gateway</html>", True, {"malformed": True}),
        (b"<html>Bad gateway</html>", False, {"malformed": True}),
        (b"upstream connect error", True, {"malformed": True}),
        (b"[1]", True, {"malformed": True}),
        (b"\xff\xfe", False, {"malformed": True}),
    ],
    ids=repr,
)
def test_a_body_is_judged_by_its_bytes_and_not_by_its_media_type(
    media_type: str, body: bytes, stream: bool, expected: dict[str, Any]
) -> None:
    for size in (1, 5, 10_000):
        assert expected == read(reader_for(media_type, "message", stream=stream), *in_pieces(body, size)), size


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/json"])
def test_a_reader_knows_whether_an_event_came(media_type: str) -> None:
    reader = reader_for(media_type, "message", stream=True)
    assert not reader.events
    list(reader.feed(b": comment\n\nevent: ping\ndata: {}\n"))
    assert not reader.events
    list(reader.feed(b"\n"))
    assert reader.events


def test_a_whole_document_has_no_events() -> None:
    reader = reader_for("application/json", "message", stream=False)
    all_facts(reader, WHOLE)
    assert not reader.events


@pytest.mark.parametrize("media_type", ["application/json", "text/event-stream", "application/vnd.amazon.eventstream"])
def test_a_document_of_many_megabytes_is_judged_whole_whatever_its_media_type(media_type: str) -> None:
    body = json.dumps({**MESSAGE, "content": [{"type": "text", "text": '"\\x' * MAX_EVENT}]}).encode()
    reader = reader_for(media_type, "message", stream=False)
    assert {**MESSAGE_SAID, "answer": True} == read(reader, *in_pieces(body, 65_536))


@pytest.mark.parametrize(
    ("media_type", "rule", "reader"),
    [
        ("text/event-stream", "message", SSEReader),
        ("Text/Event-Stream; charset=utf-8", "message", SSEReader),
        ("application/vnd.amazon.eventstream", "message", FrameReader),
        ("application/x-jsonl", "lines", LinesReader),
        ("application/binary", "lines", LinesReader),
        ("text/event-stream", "lines", LinesReader),
        ("application/json", "message", WholeReader),
        ("text/html", "completion", WholeReader),
        ("", "open", WholeReader),
    ],
)
def test_the_media_type_and_the_rule_say_how_a_body_is_read(media_type: str, rule: EndRule, reader: type) -> None:
    assert reader is type(reader_for(media_type, rule, stream=True))


# --- JSON Lines ---

ERRORED = json.dumps({"custom_id": "1", "result": {"type": "errored", "error": OVERLOADED}}).encode()
SUCCEEDED = json.dumps({"custom_id": "2", "result": {"type": "succeeded", "message": MESSAGE}}).encode()
FAILED_ENTRY = Facts(inner_error=ProviderError("overloaded_error", "Overloaded"), is_answer=True)
GOOD_ENTRY = Facts(is_answer=True)


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
def test_every_line_of_a_batch_s_results_is_read_wherever_it_is_cut(end: bytes) -> None:
    body = ERRORED + end + SUCCEEDED + end + ERRORED
    for cut in range(0, len(body) + 1, 3):
        assert [FAILED_ENTRY, GOOD_ENTRY, FAILED_ENTRY] == all_facts(LinesReader(), body[:cut], body[cut:]), cut


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SUCCEEDED + b"\n", [GOOD_ENTRY]),
        (SUCCEEDED + b"\n\n\r\n" + SUCCEEDED, [GOOD_ENTRY, GOOD_ENTRY]),
        (b'{"custom_id":"1","result":{"type":"canceled"}}', [GOOD_ENTRY]),
        (
            b'{"custom_id":"1","result":{"type":"errored"}}',
            [Facts(inner_error=ProviderError(None, None), is_answer=True)],
        ),
        (
            b'{"custom_id":"1","result":{"type":"errored","error":{"type":"api_error","message":"m"}}}',
            [Facts(inner_error=ProviderError("api_error", "m"), is_answer=True)],
        ),
        # The last line was cut.
        (SUCCEEDED + b"\n" + ERRORED[:-3], [GOOD_ENTRY, Facts(was_cut=True)]),
        # An error in place of an entry is the call's.
        (SUCCEEDED + b"\n" + json.dumps(OVERLOADED).encode(), [GOOD_ENTRY, Facts(**IS_OVERLOADED)]),
        (json.dumps(OVERLOADED).encode(), [Facts(**IS_OVERLOADED)]),
        # What is no entry.
        (b'{"type":"message"}', [Facts()]),
        (b'{"custom_id":"1","result":null}\n' + SUCCEEDED, [Facts(), GOOD_ENTRY]),
        # An entry of any length is one line.
        pytest.param(
            b'{"text":"' + b"x" * MAX_EVENT + b'",' + SUCCEEDED[1:] + b"\n" + ERRORED[:-3],
            [GOOD_ENTRY, Facts(was_cut=True)],
            id="a long entry",
        ),
        (b"<html>", [Facts(is_malformed=True)]),
        (b"", [Facts(is_malformed=True)]),
        (b"7\n[]\n", [Facts(is_malformed=True)]),
    ],
    ids=repr,
)
def test_the_lines_of_a_batch_s_results_say_what_they_say(body: bytes, expected: list[Facts]) -> None:
    assert expected == all_facts(LinesReader(), body)


# --- frames of Amazon Bedrock ---


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """Returns one frame: lengths, headers of strings, payload, and the two checksums."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    body = prelude + struct.pack(">I", crc32(prelude)) + packed + payload
    return body + struct.pack(">I", crc32(body))


def chunk_frame(data: str) -> bytes:
    return frame(
        {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"},
        json.dumps({"bytes": b64encode(data.encode()).decode()}).encode(),
    )


def exception_frame(kind: str, payload: dict[str, Any]) -> bytes:
    return frame({":message-type": "exception", ":exception-type": kind}, json.dumps(payload).encode())


FRAMES = b"".join(chunk_frame(data) for name, data in EVENTS)


def test_frames_say_the_same_wherever_they_are_cut() -> None:
    for cut in range(0, len(FRAMES) + 1, 7):
        assert SAID == read(frames(), FRAMES[:cut], FRAMES[cut:]), cut
    assert SAID == read(frames(), *in_pieces(FRAMES, 1))


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", ""])
def test_frames_say_the_same_under_another_media_type(media_type: str) -> None:
    for size in (1, 7, len(FRAMES)):
        assert SAID == read(reader_for(media_type, "message", stream=True), *in_pieces(FRAMES, size)), size


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            exception_frame("modelStreamErrorException", {"message": "m", "originalStatusCode": 529}),
            {"error": ProviderError("modelStreamErrorException", "m", None, 529)},
        ),
        (
            frame({":message-type": "error", ":error-code": "Boom", ":error-message": "m"}, b""),
            {"error": ProviderError("Boom", "m")},
        ),
        # An error payload inside an ordinary chunk, and one in its place.
        (chunk_frame('{"type":"api_error","message":"m"}'), {"error": ProviderError("api_error", "m")}),
        (frame({":message-type": "event"}, json.dumps(OVERLOADED).encode()), IS_OVERLOADED),
        # What says nothing: no payload, no base64, no JSON.
        (frame({":message-type": "event"}, b""), {}),
        (frame({":message-type": "event"}, b'{"bytes":"%"}'), {}),
        (frame({":message-type": "event"}, b'{"bytes":"eA=="}'), {}),
        # The first frame was cut.
        (chunk_frame(STOP)[:-1], {}),
    ],
    ids=range(8),
)
def test_a_frame_says_what_it_says(body: bytes, expected: dict[str, Any]) -> None:
    assert expected == read(frames(), body)


def test_a_frame_with_a_wrong_checksum_says_nothing_and_the_next_is_read() -> None:
    broken = bytearray(chunk_frame(CHUNK))
    broken[-1] ^= 1
    assert {"stopped": True} == read(frames(), bytes(broken) + chunk_frame(STOP))


def test_a_frame_that_is_too_long_is_not_kept_and_what_follows_is_read() -> None:
    reader = frames()
    too_long = frame({":message-type": "event"}, b"x" * (MAX_EVENT + 1))
    for piece in in_pieces(too_long, 65_536):
        list(reader.feed(piece))
        assert held(reader) <= MAX_KEPT + 2 * 65_536
    assert {"stopped": True} == read(reader, chunk_frame(STOP))


@pytest.mark.parametrize("length", [0, 1, 12, 15])
def test_what_follows_an_impossible_length_is_no_frame(length: int) -> None:
    garbage = struct.pack(">I", length) + b"\0" * 12
    assert {"chunks": 1, "text": True} == read(frames(), chunk_frame(CHUNK), garbage)
    assert {"chunks": 1, "text": True} == read(frames(), chunk_frame(CHUNK) + garbage)


@pytest.mark.parametrize(
    ("body", "stream", "expected"),
    [
        (WHOLE, False, {**MESSAGE_SAID, "answer": True}),
        (WHOLE, True, {**MESSAGE_SAID, "malformed": True}),
        (json.dumps(OVERLOADED).encode(), True, IS_OVERLOADED),
        (b"<html>", True, {"malformed": True}),
        (b"", True, {}),
        # The first frame was cut.
        (chunk_frame(CHUNK)[:-1], True, {}),
        (chunk_frame(CHUNK)[:12], True, {}),
        (chunk_frame(CHUNK)[:3], True, {}),
        (chunk_frame(CHUNK)[:10] + b"no", True, {"malformed": True}),
    ],
    ids=repr,
)
def test_what_comes_in_place_of_frames_is_judged_by_its_bytes(
    body: bytes, stream: bool, expected: dict[str, Any]
) -> None:
    for size in (1, 10_000):
        assert expected == read(frames(stream=stream), *in_pieces(body, size))
