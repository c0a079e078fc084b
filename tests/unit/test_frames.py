# SPDX-License-Identifier: Apache-2.0
"""Frames of AWS's event streams, with botocore as the oracle, and the payloads of Converse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st

from after200.call.converse import read_event, read_whole
from after200.call.documents import Document
from after200.call.facts import Facts, Message, ProviderError, Tokens, Usage
from after200.call.frames import FrameReader, read_frame
from after200.faults.eventstream import encode_frame, exception_headers

HEADERS = {":event-type": "chunk", ":message-type": "event", "x": "ä"}
FRAME = encode_frame(HEADERS, b'{"bytes": ""}')


def by_botocore(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    try:
        message = next(buffer, None)
    except (ParserError, UnicodeDecodeError, KeyError, IndexError, ValueError):
        return None
    return None if message is None else (message.headers, message.payload)


def test_a_sound_frame_is_read_as_botocore_reads_it() -> None:
    frame = read_frame(FRAME)
    assert frame is not None
    assert by_botocore(FRAME) == (frame.headers, frame.payload) == (HEADERS, b'{"bytes": ""}')


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_a_frame_with_a_wrong_byte_says_nothing(at: int, change: int) -> None:
    broken = bytes([*FRAME[:at], FRAME[at] ^ change, *FRAME[at + 1 :]])
    assert None is read_frame(broken) is by_botocore(broken)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    reader = FrameReader("converse", Document("converse", stream=True))
    assert [] == [facts for piece in (data, FRAME, data) for facts in reader.feed(piece) if facts.error]
    list(reader.finish())


def test_headers_of_every_type_are_passed_over() -> None:
    import struct
    import zlib

    values = [b"\0", b"\1", b"\2a", b"\3ab", b"\4abcd", b"\5abcdefgh", b"\6\0\3abc", b"\7\0\4text", b"\x08abcdefgh"]
    headers = b"".join(
        b"\2h" + str(number).encode() + value for number, value in enumerate([*values, b"\x09" + b"u" * 16])
    )
    prelude = struct.pack("!II", 16 + len(headers), len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers
    frame = body + struct.pack("!I", zlib.crc32(body))
    found = read_frame(frame)
    assert found is not None
    assert {"h7": "text"} == found.headers
    assert by_botocore(frame) is not None


@pytest.mark.parametrize(
    ("event", "payload", "facts"),
    [
        ("messageStart", {"role": "assistant"}, None),
        ("contentBlockStart", {"start": {"toolUse": {"name": "x"}}}, Facts(content=True)),
        ("contentBlockDelta", {"delta": {"text": "Hi"}}, Facts(chunk=True, text=True, content=True)),
        ("contentBlockDelta", {"delta": {"text": ""}}, Facts(chunk=True)),
        ("contentBlockDelta", {"delta": {"toolUse": {"input": "{"}}}, Facts(chunk=True, content=True)),
        ("contentBlockStop", {"contentBlockIndex": 0}, None),
        ("messageStop", {"stopReason": "end_turn"}, Facts(stopped=True, message=Message(stop_reason="end_turn"))),
        (
            "messageStop",
            {"stopReason": "guardrail_intervened"},
            Facts(stopped=True, message=Message(stop_reason="guardrail_intervened", guarded=True)),
        ),
        (
            "metadata",
            {"usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 6}},
            Facts(message=Message(usage=Usage(tokens=Tokens(3, 4, 5, 6)))),
        ),
        ("chunk", {"type": "overloaded_error"}, Facts(error=ProviderError("overloaded_error", None))),
        ("messageStop", "text", None),
        (None, {}, None),
    ],
)
def test_an_event_of_converse_says_what_bedrock_documents(
    event: str | None, payload: object, facts: Facts | None
) -> None:
    assert facts == read_event(event, payload)


def test_a_whole_body_of_converse_is_an_answer_an_error_or_neither() -> None:
    message = {
        "output": {"message": {"content": [{"text": "Hi"}]}},
        "stopReason": "max_tokens",
        "usage": {"inputTokens": 1},
    }
    said = Message(stop_reason="max_tokens", usage=Usage(tokens=Tokens(1)))
    assert Facts(message=said, is_answer=True, content=True) == read_whole(message)
    assert Facts(error=ProviderError("api_error", "no")) == read_whole(
        {"error": {"type": "api_error", "message": "no"}}
    )
    assert [Facts(is_malformed=True)] * 4 == [read_whole(body) for body in (None, {}, {"output": {}}, [1])]


def test_an_exception_frame_of_converse_is_its_error() -> None:
    reader = FrameReader("converse", Document("converse", stream=True))
    frame = encode_frame(exception_headers("throttlingException"), json.dumps({"message": "slow"}).encode())
    assert [Facts(error=ProviderError("throttlingException", "slow"))] == list(reader.feed(frame))
