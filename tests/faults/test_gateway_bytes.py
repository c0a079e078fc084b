# SPDX-License-Identifier: Apache-2.0
"""The very bytes of what gateways do to an answer, over SSE and over the wire of Amazon Bedrock."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from after200.faults import FaultServer
from after200.faults.steps import Gzip
from after200.faults.wires import compress, encode_json

from .clients import ASKED, MESSAGES, ask, post, read_all, sse_events, stream

TYPED = {"type": "overloaded_error", "message": "Overloaded"}
ENVELOPE = {"type": "error", "error": TYPED}
UNTYPED = {"error": {"message": "Provider returned error", "code": 502}}
STRING = {"error": "upstream unavailable"}
CHUNK = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
EVENTS = {
    "bare_error_first_event": (None, {"error": TYPED}),
    "bare_error_mid_stream": (None, {"error": TYPED}),
    "bare_error_named": ("error", {"error": TYPED}),
    "bare_error_untyped": (None, UNTYPED),
    "bare_error_string": (None, STRING),
    "type_alone_first_event": (None, TYPED),
    "type_alone_mid_stream": (None, TYPED),
    "error_named_message_first_event": ("message", ENVELOPE),
    "error_named_message_mid_stream": ("message", ENVELOPE),
    "error_named_with_space": ("error ", ENVELOPE),
    "error_named_content_block_delta": ("content_block_delta", ENVELOPE),
    "error_in_chunk": ("content_block_delta", {**CHUNK, "error": TYPED}),
    "error_type_error": ("error", {"type": "error", "error": {"type": "error", "message": "Provider returned error"}}),
    "error_type_none": ("error", {"type": "error", "error": {"type": "None", "message": "Provider returned error"}}),
}
HTTP = {
    "bare_error_mid_stream": (529, {"error": TYPED}),
    "bare_error_untyped": (502, UNTYPED),
    "bare_error_string": (503, STRING),
    "type_alone_mid_stream": (529, TYPED),
}
BODIES: dict[str, tuple[str, object]] = {
    "body_error_as_event_stream_200": ("text/event-stream", ENVELOPE),
    "body_bare_error_200": ("application/json", {"error": TYPED}),
    "body_error_type_alone_200": ("application/json", TYPED),
    "body_error_untyped_200": ("application/json", UNTYPED),
    "body_error_string_200": ("application/json", STRING),
    "body_message_only_200": ("application/json", {"message": "Endpoint request timed out"}),
    "body_null_200": ("application/json", None),
}
PAGES = {
    "body_html_200": ("text/html", b"<html>"),
    "body_html_as_json_200": ("application/json", b"<html>"),
    "body_html_as_event_stream_200": ("text/event-stream", b"<html>"),
    "body_text_200": ("text/plain", b"upstream connect error"),
    "body_empty_200": ("application/json", b""),
}


@pytest.mark.parametrize("scenario", EVENTS)
def test_the_event_that_says_the_error(server: FaultServer, scenario: str) -> None:
    name, data = EVENTS[scenario]
    received = stream(server, scenario)
    said, text = sse_events(received)[-1]
    assert (said, json.loads(text)) == (name, data)
    line = b"data: " if name is None else b"event: " + name.encode() + b"\ndata: "
    assert received.endswith(line + text.encode() + b"\n\n")
    assert (len(sse_events(received)) == 1) == scenario.endswith("first_event")


@pytest.mark.parametrize("scenario", EVENTS)
def test_the_same_payload_over_the_wire_of_bedrock(server: FaultServer, scenario: str) -> None:
    _, data = EVENTS[scenario]
    path = f"/{scenario}/model/claude-test/invoke-with-response-stream"
    *_, last = _chunks_of(post(server, path)[2])
    assert last == data


def _chunks_of(body: bytes) -> Iterator[Any]:
    """What the frames of an AWS event stream hold, read by the two lengths that each of them begins with."""
    while body:
        total, headers = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        payload = json.loads(body[12 + headers : total - 4])
        yield json.loads(base64.b64decode(payload["bytes"]))
        body = body[total:]


@pytest.mark.parametrize("scenario", HTTP)
def test_a_call_that_does_not_stream_gets_the_payload_as_an_http_error(server: FaultServer, scenario: str) -> None:
    status, headers, body = post(server, f"/{scenario}{MESSAGES}")
    assert (status, json.loads(body)) == HTTP[scenario]
    assert headers["retry-after-ms"] == "1"


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("scenario", BODIES)
def test_a_whole_body_in_place_of_the_answer(server: FaultServer, scenario: str, streaming: bool) -> None:
    status, headers, body = post(server, f"/{scenario}{MESSAGES}", {**ASKED, "stream": streaming})
    found = json.loads(body)
    if isinstance(found, dict) and found.get("type") == "error":
        assert found.pop("request_id") == headers["request-id"]
    assert (status, headers["content-type"], found) == (200, *BODIES[scenario])


@pytest.mark.parametrize("scenario", PAGES)
def test_a_page_in_place_of_the_answer(server: FaultServer, scenario: str) -> None:
    status, headers, body = post(server, f"/{scenario}{MESSAGES}", {**ASKED, "stream": True})
    content_type, begin = PAGES[scenario]
    assert (status, headers["content-type"]) == (200, content_type)
    assert body.startswith(begin)
    assert bool(body) == bool(begin)


@pytest.mark.parametrize(
    ("scenario", "content_type"),
    [("body_message_200", "application/json"), ("body_message_as_event_stream_200", "text/event-stream")],
)
def test_a_whole_message_in_place_of_a_stream(server: FaultServer, scenario: str, content_type: str) -> None:
    _, headers, body = post(server, f"/{scenario}{MESSAGES}", {**ASKED, "stream": True})
    message = json.loads(body)
    assert (headers["content-type"], message["type"], message["stop_reason"]) == (content_type, "message", "end_turn")
    assert [served.answer for served in server.wait_idle()] == [None]


@pytest.mark.parametrize(
    ("scenario", "content_type", "last"),
    [
        ("events_200", "text/event-stream; charset=utf-8", "message_stop"),
        ("events_as_json_200", "application/json", "message_stop"),
        ("events_overloaded_200", "text/event-stream; charset=utf-8", "error"),
        ("events_overloaded_first_200", "text/event-stream; charset=utf-8", "error"),
        ("events_without_stop_200", "text/event-stream; charset=utf-8", "content_block_delta"),
        ("events_opened_200", "text/event-stream; charset=utf-8", "ping"),
    ],
)
def test_an_event_stream_in_place_of_a_body(server: FaultServer, scenario: str, content_type: str, last: str) -> None:
    status, headers, body = post(server, f"/{scenario}{MESSAGES}")
    assert (status, headers["content-type"], sse_events(body)[-1][0]) == (200, content_type, last)
    assert [(served.streaming, served.events_sent[-1]) for served in server.wait_idle()] == [(False, last)]


def test_an_event_without_data_has_no_data_line(server: FaultServer) -> None:
    body = stream(server, "delta_without_data")
    assert body.count(b"event: content_block_delta\n\n") == 1
    assert body.index(b"event: content_block_delta\n\n") < body.index(b"event: content_block_delta\ndata: ")
    assert next(data for name, data in sse_events(body) if name == "content_block_delta") == ""


def test_done_after_message_stop(server: FaultServer) -> None:
    assert stream(server, "done_after_message_stop").endswith(b'{"type":"message_stop"}\n\ndata: [DONE]\n\n')


def _coded(server: FaultServer, scenario: str, streaming: bool) -> tuple[str, bytes]:
    """The content encoding, and the body as it was on the wire."""
    received, _ = read_all(ask(server, scenario, stream=streaming))
    head, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    if lines.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(body))
    return lines.get("content-encoding", ""), body


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


@pytest.mark.parametrize(
    ("scenario", "streaming", "holds"),
    [
        ("gzip_completed", True, b"event: message_stop"),
        ("gzip_completed", False, b'"stop_reason":"end_turn"'),
        ("gzip_refusal", True, b'"category":"bio"'),
        ("gzip_refusal", False, b'"category":"bio"'),
        ("body_error_200_gzip", True, b'"type":"overloaded_error"'),
        ("body_error_200_gzip", False, b'"type":"overloaded_error"'),
        ("http_529_gzip", False, b'"type":"overloaded_error"'),
    ],
)
def test_a_body_that_is_compressed(server: FaultServer, scenario: str, streaming: bool, holds: bytes) -> None:
    encoding, body = _coded(server, scenario, streaming)
    inflate = zlib.decompressobj(wbits=31)
    assert encoding == "gzip"
    assert holds in inflate.decompress(body)
    assert inflate.eof


@pytest.mark.parametrize("streaming", [True, False])
def test_a_body_that_the_header_says_is_compressed(server: FaultServer, streaming: bool) -> None:
    encoding, body = _coded(server, "gzip_absent", streaming)
    assert (encoding, body[:1]) == ("gzip", b"e" if streaming else b"{")
    (served,) = server.wait_idle()
    assert (served.answer, served.content.tokens) == (None, ())


@pytest.mark.parametrize("streaming", [True, False])
def test_a_compressed_body_that_breaks(server: FaultServer, streaming: bool) -> None:
    encoding, body = _coded(server, "gzip_broken", streaming)
    assert encoding == "gzip"
    with pytest.raises(zlib.error):
        zlib.decompressobj(wbits=31).decompress(body)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("scenario", ["gzip_cut", "gzip_cut_after_message_stop"])
def test_a_compressed_body_whose_end_is_missing(server: FaultServer, scenario: str, streaming: bool) -> None:
    _, body = _coded(server, scenario, streaming)
    inflate = zlib.decompressobj(wbits=31)
    assert (b"message_stop" in inflate.decompress(body)) == (streaming and scenario == "gzip_cut_after_message_stop")
    assert not inflate.eof
    assert [served.finished for served in server.wait_idle()] == ["end"]


@pytest.mark.parametrize("number", [1, 132, 1296, 987654321])
@pytest.mark.parametrize("how", ["cut", "broken"])
def test_a_reader_decodes_the_first_half_of_a_body_however_well_its_ids_compress(how: Gzip, number: int) -> None:
    body = encode_json({"id": f"msg_01{number:022d}", "content": "Hello! How can I help you today?"})
    inflate = zlib.decompressobj(wbits=31)
    decoded, packed = b"", compress(body, how)
    with contextlib.suppress(zlib.error):
        for place in range(len(packed)):
            decoded += inflate.decompress(packed[place : place + 1])
    assert (body[: len(body) // 2], False) == (decoded, inflate.eof)
