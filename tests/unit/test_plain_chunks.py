# SPDX-License-Identifier: Apache-2.0
"""Chunks that are only counted: which bytes are one, whole, line by line or in a frame, and that nothing else is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.documents import Document
from after200.call.events import CHUNK_NAME, is_plain_chunk, is_plain_data
from after200.call.frames import FrameReader
from after200.call.record import Call
from after200.faults.eventstream import CHUNK_HEADERS, encode_chunk, encode_frame, exception_headers
from after200.following.feeds import BodyFeed, make_reader
from after200.following.running import Ending, RunningCall
from after200.names.endings import EndRule

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, chunk, error

COMPACT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n'
)
SPACED = COMPACT.replace(b'":', b'": ')


@pytest.mark.parametrize("data", [COMPACT, SPACED])
def test_a_chunk_in_either_form_is_plain_whole_and_by_its_lines(data: bytes) -> None:
    name, line, blank = data.splitlines(keepends=True)
    assert (True, CHUNK_NAME, True, b"\n") == (is_plain_chunk(data), name, is_plain_data(line), blank)


@pytest.mark.parametrize(
    "data",
    [
        COMPACT[:-1],
        COMPACT + COMPACT,
        COMPACT.replace(b"\n", b"\r\n"),
        COMPACT.replace(b'"delta"', b'"error":{},"delta"'),
        COMPACT.replace(b"\n\n", b"\ndata: more\n\n"),
        COMPACT.replace(b"content_block_delta", b"message_delta"),
        b"event: error\n" + COMPACT.partition(b"\n")[2],
        b"",
    ],
)
def test_no_other_bytes_are_a_plain_chunk(data: bytes) -> None:
    assert not is_plain_chunk(data)
    lines = data.splitlines(keepends=True)
    assert not (len(lines) == 3 and lines[0] == CHUNK_NAME and is_plain_data(lines[1]) and lines[2] == b"\n")


FRAME_TYPE = "application/vnd.amazon.eventstream"


def ended(pieces: list[bytes], how: str = "read", content_type: str = "text/event-stream") -> tuple[object, ...]:
    """How a call ends whose body comes in these pieces."""
    call = Call(operation="chat", provider="anthropic", model="claude-test", stream=True, client="httpx")
    call.wire_status, call.streaming = 200, True
    running = RunningCall(call)
    running.feed = feed = BodyFeed(running, make_reader(running, content_type), ())
    feed._records_chunk_gaps = False
    for piece in pieces:
        feed.feed(piece)
    running.end(Ending(how))  # type: ignore[arg-type]
    verdict = running.ended.verdict if running.ended is not None else None
    return verdict.outcome, verdict.error_type, call.progress.chunks, call.message.stop_reason  # type: ignore[union-attr]


ERROR_INSIDE = COMPACT.replace(b'"delta":', b'"error":{"type":"api_error"},"delta":')
CHUNKS = [chunk(f"word {number} ") for number in range(4)]
STREAMS = {
    "whole": [*body(*HEAD, *CHUNKS, CLOSING, DELTA, STOP)],
    "failed": [*body(*HEAD, *CHUNKS, error("overloaded_error"))],
    "cut": [*body(*HEAD, *CHUNKS)],
    "an error in a chunk": [
        *body(*HEAD, *CHUNKS),
        COMPACT.replace(b'"delta"', b'"error":{"type":"api_error"},"delta"'),
    ],
}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("how", ["read", "closed"])
@pytest.mark.parametrize("cut_at", [1, 7, 100, 5_000])
def test_a_call_ends_alike_however_its_body_is_cut(stream: str, how: str, cut_at: int) -> None:
    for data in (b"".join(STREAMS[stream]), b"".join(STREAMS[stream]).replace(b'": ', b'":')):
        lines = data.splitlines(keepends=True)
        pieces = [data[at : at + cut_at] for at in range(0, len(data), cut_at)]
        assert ended([data], how) == ended(lines, how) == ended(pieces, how)


@pytest.mark.parametrize("lines", range(1, 4))
def test_a_body_that_ends_between_the_lines_of_a_chunk_has_no_such_chunk(lines: int) -> None:
    begun = COMPACT.splitlines(keepends=True)[:lines]
    before = b"".join(STREAMS["cut"]).splitlines(keepends=True)
    assert ended([b"".join([*before, *begun])]) == ended([*before, *begun])
    assert ended([b"".join([*before, *begun])], "closed") == ended([*before, *begun], "closed")


# --- frames of Bedrock ---

PADDING = ',"p":"abcdef"'
CONVERSED = {":event-type": "contentBlockDelta", ":message-type": "event"}


def invoked(data: bytes, padding: str = PADDING) -> bytes:
    """The frame in which Bedrock sends an event of the Claude API."""
    return encode_frame(CHUNK_HEADERS, f'{{"bytes":"{b64encode(data).decode()}"{padding}}}'.encode())


def frames_of(events: Iterable[bytes]) -> list[bytes]:
    return [encode_chunk(event.partition(b"data: ")[2].strip()) for event in events]


def reader_after_text(rule: EndRule, frame: bytes) -> FrameReader:
    """A reader that has read the first text and a further chunk."""
    reader = FrameReader(rule, Document(rule, stream=True))
    assert not reader.is_plain_chunk(frame)
    list(reader.feed(frame + frame))
    return reader


CHUNK = COMPACT.splitlines()[1].removeprefix(b"data: ")
FRAMES: dict[EndRule, bytes] = {
    "message": invoked(CHUNK),
    "converse": encode_frame(CONVERSED, b'{"contentBlockIndex":0,"delta":{"text":"a"},"p":"abc"}'),
}


@pytest.mark.parametrize(
    ("rule", "frame"),
    [*FRAMES.items(), ("message", encode_chunk(CHUNK)), ("message", invoked(SPACED.splitlines()[1][6:], padding=""))],
)
def test_a_frame_with_a_chunk_is_plain_once_the_first_text_is_known(rule: EndRule, frame: bytes) -> None:
    assert reader_after_text(rule, frame).is_plain_chunk(frame)


@pytest.mark.parametrize("rule", FRAMES)
@given(st.data())
def test_a_frame_with_a_chunk_and_a_wrong_byte_is_not_plain(rule: EndRule, data: st.DataObject) -> None:
    frame = bytearray(FRAMES[rule])
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    assert not reader_after_text(rule, FRAMES[rule]).is_plain_chunk(bytes(frame))


@pytest.mark.parametrize(
    "frame",
    [
        FRAMES["message"] * 2,
        FRAMES["message"][:-1],
        b"",
        invoked(ERROR_INSIDE.splitlines()[1].removeprefix(b"data: ")),
        invoked(CHUNK.replace(b"content_block_delta", b"message_delta")),
        invoked(CHUNK[:-2]),
        invoked(CHUNK, padding=',"bytes":""'),
        invoked(CHUNK, padding=',"p":"a","bytes":"b"'),
        encode_frame(exception_headers("throttlingException"), b"{}"),
        encode_frame(CHUNK_HEADERS, b"{}"),
    ],
)
def test_no_other_bytes_are_a_plain_frame(frame: bytes) -> None:
    assert not reader_after_text("message", FRAMES["message"]).is_plain_chunk(frame)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("how", ["read", "closed"])
@pytest.mark.parametrize("cut_at", [1, 100, 5_000])
def test_a_call_ends_alike_however_its_frames_are_cut(stream: str, how: str, cut_at: int) -> None:
    frames = frames_of(STREAMS[stream])
    data = b"".join(frames)
    pieces = [data[at : at + cut_at] for at in range(0, len(data), cut_at)]
    expected = ended(STREAMS[stream], how)
    assert [expected] * 3 == [ended(each, how, FRAME_TYPE) for each in (frames, pieces, [data])]
