# SPDX-License-Identifier: Apache-2.0
"""Chunks that are only counted: which bytes are one, whole or line by line, and that nothing else passes for one."""

from __future__ import annotations

import pytest

from after200.call.events import CHUNK_NAME, is_plain_chunk, is_plain_data
from after200.call.record import Call
from after200.following.feeds import BodyFeed, make_reader
from after200.following.running import Ending, RunningCall

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


def ended(pieces: list[bytes], how: str = "read") -> tuple[object, ...]:
    """How a call ends whose body comes in these pieces."""
    call = Call(operation="chat", provider="anthropic", model="claude-test", stream=True, client="httpx")
    call.wire_status, call.streaming = 200, True
    running = RunningCall(call)
    running.feed = feed = BodyFeed(running, make_reader(running, "text/event-stream"), ())
    feed._wants_gaps = False
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
