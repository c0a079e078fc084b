# SPDX-License-Identifier: Apache-2.0
"""The very bytes that leave the socket, and how the connection ends: read with no HTTP library in between."""

from __future__ import annotations

import json
import zlib

import pytest

from after200.faults import FaultServer

from .clients import ASKED, MESSAGES, ask, connect, post, read_all, sse_events, stream

NAMES = ["message_start", "content_block_start", "ping", *["content_block_delta"] * 4]
CLOSED = [*NAMES, "content_block_stop", "message_delta"]
COMPLETED = [*CLOSED, "message_stop"]


def head_and_body(received: bytes) -> tuple[list[str], bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


def test_a_completed_stream_is_what_the_api_sends(server: FaultServer) -> None:
    status, headers, body = post(server, f"/completed{MESSAGES}", {**ASKED, "stream": True})
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert headers["request-id"].startswith("req_")
    events = sse_events(body)
    assert [name for name, _ in events] == COMPLETED
    data = [json.loads(text) for _, text in events]
    assert [entry["type"] for entry in data] == COMPLETED
    message_id = data[0]["message"].pop("id")
    assert message_id.startswith("msg_")
    usage = {
        "input_tokens": 12,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
        "service_tier": "standard",
    }
    assert data[0] == {
        "type": "message_start",
        "message": {
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        },
    }
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    assert data[-2] == {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}}
    assert "".join(entry["delta"]["text"] for entry in data if entry["type"] == "content_block_delta") == (
        "Hello from Claude."
    )


def test_every_event_is_a_chunk_of_its_own(server: FaultServer) -> None:
    received, ended = read_all(ask(server, "half_chunk"))
    head, body = head_and_body(received)
    assert head[0] == "HTTP/1.1 200 OK"
    assert "transfer-encoding: chunked" in head
    chunks = body.split(b"\r\n")
    sizes, datas = chunks[0::2], chunks[1::2]
    assert [len(data) == int(size, 16) for size, data in zip(sizes, datas, strict=True)] == [True] * 7 + [False]
    assert 0 < len(datas[-1]) < int(sizes[-1], 16)
    assert ended == "fin"


@pytest.mark.parametrize(
    ("scenario", "names", "ended"),
    [
        ("reset_first_event", [], "rst"),
        ("reset_mid_stream", NAMES, "rst"),
        ("reset_after_message_delta", CLOSED, "rst"),
        ("reset_after_message_stop", COMPLETED, "rst"),
        ("cut_mid_stream", NAMES, "fin"),
    ],
)
def test_what_was_sent_before_the_connection_broke_arrives(
    server: FaultServer, scenario: str, names: list[str], ended: str
) -> None:
    received, how = read_all(ask(server, scenario))
    head, body = head_and_body(received)
    assert head[0] == "HTTP/1.1 200 OK"
    sent = b"".join(body.split(b"\r\n")[1::2])
    assert [name for name, _ in sse_events(sent)] == names
    assert not body.endswith(b"0\r\n\r\n")
    assert how == ended
    assert [served.finished for served in server.log] == ["reset" if ended == "rst" else "cut"]


@pytest.mark.parametrize(("scenario", "ended"), [("reset_before_response", "rst"), ("cut_before_response", "fin")])
def test_no_answer_at_all(server: FaultServer, scenario: str, ended: str) -> None:
    assert read_all(ask(server, scenario)) == (b"", ended)
    assert [(served.wire_status, served.finished) for served in server.log] == [
        (None, "reset" if ended == "rst" else "cut")
    ]


@pytest.mark.parametrize(
    ("scenario", "names"),
    [
        ("end_before_first_event", []),
        ("end_before_content", NAMES[:3]),
        ("end_without_message_stop", NAMES),
        ("end_after_message_delta", CLOSED),
        ("ping_only_then_end", ["ping", "ping"]),
    ],
)
def test_the_body_ends_properly_and_message_stop_is_missing(
    server: FaultServer, scenario: str, names: list[str]
) -> None:
    assert [name for name, _ in sse_events(stream(server, scenario))] == names
    assert [served.finished for served in server.log] == ["end"]


@pytest.mark.parametrize(
    ("scenario", "last"),
    [
        ("error_not_json", ("error", "upstream connect error or disconnect")),
        ("error_without_type", ("error", '{"type":"error","error":{"message":"Overloaded"}}')),
        ("error_is_string", ("error", '{"type":"error","error":"overloaded"}')),
        ("error_empty", ("error", "")),
        ("error_unnamed", (None, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')),
    ],
)
def test_odd_error_events(server: FaultServer, scenario: str, last: tuple[str | None, str]) -> None:
    assert sse_events(stream(server, scenario))[-1] == last


def test_a_hostile_type_cannot_forge_an_sse_line(server: FaultServer) -> None:
    body = stream(server, "hostile_type_mid_stream")
    assert b"\r" not in body
    error_type = json.loads(sse_events(body)[-1][1])["error"]["type"]
    assert len(error_type) > 300
    assert {" ", "\r", "\n"} <= set(error_type)


def test_a_compressed_stream_is_flushed_event_by_event(server: FaultServer) -> None:
    received, _ = read_all(ask(server, "gzip_overloaded_mid_stream"))
    head, body = head_and_body(received)
    assert "content-encoding: gzip" in head
    inflate = zlib.decompressobj(wbits=31)
    pieces = [inflate.decompress(chunk) for chunk in _chunks(body)]
    assert [name for piece in pieces for name, _ in sse_events(piece)] == [*NAMES, "error"]
    assert all(piece.endswith(b"\n\n") for piece in pieces[:-1])
    assert inflate.eof


def _chunks(body: bytes) -> list[bytes]:
    chunks = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return chunks[:-1]


@pytest.mark.parametrize(("scenario", "ended"), [("body_cut", "rst"), ("body_short", "fin")])
def test_a_whole_body_is_shorter_than_announced(server: FaultServer, scenario: str, ended: str) -> None:
    received, how = read_all(ask(server, scenario, stream=False))
    head, body = head_and_body(received)
    (length,) = (int(line.partition(": ")[2]) for line in head if line.startswith("content-length"))
    assert (len(body), how) == (length // 2, ended)


def test_http_errors_have_the_body_of_the_api_and_ask_for_a_quick_retry(server: FaultServer) -> None:
    status, headers, body = post(server, f"/http_529{MESSAGES}")
    error = {"type": "overloaded_error", "message": "Overloaded"}
    assert json.loads(body) == {"type": "error", "error": error, "request_id": headers["request-id"]}
    assert (status, headers["retry-after-ms"]) == (529, "1")
    status, headers, body = post(server, f"/http_529_html{MESSAGES}")
    assert (status, headers["content-type"]) == (529, "text/html")
    assert body.startswith(b"<html>")


def test_an_old_client_gets_the_stream_without_chunks(server: FaultServer) -> None:
    sock = connect(server)
    body = json.dumps({**ASKED, "stream": True}).encode()
    sock.sendall(b"POST /completed/v1/messages HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    received, ended = read_all(sock)
    head, sent = head_and_body(received)
    assert not any(line.startswith(("transfer-encoding", "content-length")) for line in head)
    assert [name for name, _ in sse_events(sent)] == COMPLETED
    assert ended == "fin"
