# SPDX-License-Identifier: Apache-2.0
"""Whatever a client does, the server goes on serving the others, and prints nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from after200.faults import FaultServer

from .clients import ASKED, MESSAGES, ask, connect, post, read_all, request_head, sse_events

GARBAGE = {
    "bytes": b"\x00\xff\x16\x03\x01" * 100 + b"\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no method": b"\r\nHTTP/1.1\r\n\r\n",
    "bad length": b"POST /completed/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "endless header": b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000,
    "bad chunk": b"POST /completed/v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


def still_serves(server: FaultServer) -> bool:
    return post(server, f"/completed{MESSAGES}")[0] == 200


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_answered_as_such_and_hung_up_on(server: FaultServer, garbage: bytes) -> None:
    sock = connect(server)
    sock.sendall(garbage)
    received, _ = read_all(sock)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in (b"400", b"431")
    assert b"connection: close" in head
    assert json.loads(body)["error"]["message"].startswith("not an HTTP request")
    assert still_serves(server)


ODD_TARGETS = ["/", "//", "/%", "/completed/%ff%00", "//[", "/[::1]:x", "/a@b@c/v1/messages", "http://[/x", "*", "/ä?#"]


@pytest.mark.parametrize("target", ODD_TARGETS)
def test_an_odd_path_is_not_found(server: FaultServer, target: str) -> None:
    sock = connect(server)
    sock.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
    assert read_all(sock)[0].split(b" ")[1] in (b"404", b"400")
    assert still_serves(server)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), whole=st.booleans())
def test_any_bytes_at_all(server: FaultServer, data: bytes, whole: bool) -> None:
    sock = connect(server)
    sock.sendall(b"POST /completed/v1/messages HTTP/1.1\r\nHost: x\r\n" * whole + data)
    sock.shutdown(socket.SHUT_WR)
    read_all(sock)


BODIES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"model":7,"stream":"yes","messages":"none","tools":[7]}',
    b'{"tools":[{"name":7,"input_schema":{"properties":{"x":7},"required":7}}],"messages":[7]}',
    b'{"tools":[{"name":7,"input_schema":{"properties":7,"required":[{},"x"]}}],"messages":[{"content":[7]}]}',
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("scenario", ["completed", "tool_use", "mix"])
def test_an_odd_body_is_served_all_the_same(server: FaultServer, scenario: str, body: bytes) -> None:
    sock = connect(server)
    sock.sendall(request_head(scenario, len(body), "Connection: close") + body)
    assert read_all(sock)[0].split(b" ")[1] == b"200"


def test_a_body_larger_than_the_api_takes_is_refused(server: FaultServer) -> None:
    size = 33 * 1024 * 1024
    sock = connect(server)
    sock.sendall(request_head("completed", size))
    with contextlib.suppress(OSError):  # refused before all of it was sent
        sock.sendall(b" " * size)
    sock.close()
    assert still_serves(server)


def test_half_open_connections_hold_nobody_up(server: FaultServer) -> None:
    socks = [connect(server) for _ in range(50)]
    for number, sock in enumerate(socks):
        sock.sendall(request_head("completed", 9)[:number])
    assert still_serves(server)
    for sock in socks:
        sock.close()
    assert still_serves(server)


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("scenario", ["long", "completed_slow", "stall_mid_stream", "stall_before_response"])
def test_clients_that_leave_are_noticed(server: FaultServer, scenario: str, rudely: bool) -> None:
    sock = ask(server, scenario)
    read_until(
        sock, {"stall_before_response": b"", "stall_mid_stream": b'"."}}\n\n\r\n'}.get(scenario, b"HTTP/1.1 200")
    )
    if rudely:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    (served,) = server.wait_for(lambda log: len(log) == 1)
    expected = {"stalled"} if scenario.startswith("stall") else {"client_left", "end"}
    assert served.finished in expected
    assert served.finished == "end" or len(served.events_sent) < 2006
    assert still_serves(server)


def read_until(sock: socket.socket, last: bytes) -> None:
    received = b""
    while last not in received:
        received += sock.recv(1)


def test_a_client_that_does_not_read_is_waited_for(server: FaultServer) -> None:
    sock = ask(server, "long")
    assert still_serves(server)
    received, _ = read_all(sock)
    assert received.endswith(b"0\r\n\r\n")


def test_requests_sent_ahead_are_served_in_order(server: FaultServer) -> None:
    body = json.dumps({**ASKED, "stream": True}).encode()
    sock = connect(server)
    for scenario in ("completed_slow", "refusal"):
        sock.sendall(request_head(scenario, len(body)) + body)
    sock.sendall(request_head("http_529", len(body), "Connection: close") + body)
    received, _ = read_all(sock)
    assert [line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 529 Overloaded",
    ]
    assert [served.scenario for served in server.log] == ["completed_slow", "refusal", "http_529"]


def test_a_client_that_waits_for_100_continue_gets_it(server: FaultServer) -> None:
    body = json.dumps(ASKED).encode()
    sock = connect(server)
    sock.sendall(request_head("completed", len(body), "Connection: close", "Expect: 100-continue"))
    assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(body)
    assert read_all(sock)[0].startswith(b"HTTP/1.1 200 OK")


async def test_a_thousand_streams_at_once(server: FaultServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Six hundred hold a stream open, four hundred more come and go, and none disturbs another."""
    _allow_open_files(2500)
    scenarios = ["completed", "overloaded_error_mid_stream", "end_without_message_stop", "reset_mid_stream"]
    stalled = [await _open(server, "stall_mid_stream") for _ in range(600)]
    await asyncio.gather(*(reader.readuntil(b"content_block_start") for reader, _ in stalled))
    assert server.log == ()
    answers = await asyncio.gather(*(_read(server, scenarios[number % 4]) for number in range(400)))
    ends = {"completed": "message_stop", "overloaded_error_mid_stream": "error"}
    for number, body in enumerate(answers):
        names = [name for name, _ in sse_events(b"\n\n".join(body.split(b"\r\n")[1::2]))]
        assert names[-1] == ends.get(scenarios[number % 4], "content_block_delta")
    for _, writer in stalled:
        writer.close()
    log = await asyncio.to_thread(server.wait_for, lambda log: len(log) == 1000, 30)
    finished = [served.finished for served in log]
    assert {kind: finished.count(kind) for kind in finished} == {"end": 300, "reset": 100, "stalled": 600}
    assert capfd.readouterr() == ("", "")


async def _open(server: FaultServer, scenario: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = json.dumps({**ASKED, "stream": True}).encode()
    writer.write(request_head(scenario, len(body), "Connection: close") + body)
    return reader, writer


async def _read(server: FaultServer, scenario: str) -> bytes:
    reader, writer = await _open(server, scenario)
    received = bytearray()
    try:
        while data := await reader.read(65536):
            received += data
    except ConnectionResetError:
        assert scenario == "reset_mid_stream"
    writer.close()
    return bytes(received).partition(b"\r\n\r\n")[2]


def _allow_open_files(number: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        pytest.skip(f"needs {number} open files, the system allows {hard}")
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
