# SPDX-License-Identifier: Apache-2.0
"""Plain clients: no SDK, so that a test sees the very bytes."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from after200.faults import FaultServer

from ..support.patience import PATIENCE_S

MESSAGES = "/v1/messages"
ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}


def post(server: FaultServer, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    try:
        connection.request("POST", path, json.dumps(ASKED if body is None else body))
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def stream(server: FaultServer, scenario: str) -> bytes:
    """The body of a streamed answer."""
    return post(server, f"/{scenario}{MESSAGES}", {**ASKED, "stream": True})[2]


def connect(server: FaultServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)


def ask(server: FaultServer, scenario: str, **fields: Any) -> socket.socket:
    """A connection on which a streaming request has been sent; the server closes it after the answer."""
    body = json.dumps({**ASKED, "stream": True, **fields}).encode()
    sock = connect(server)
    sock.sendall(request_head(scenario, len(body), "Connection: close") + body)
    return sock


def request_head(scenario: str, length: int, *headers: str) -> bytes:
    """The request line and the headers of a request for this scenario."""
    lines = [f"POST /{scenario}{MESSAGES} HTTP/1.1", "Host: test", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def read_all(sock: socket.socket) -> tuple[bytes, str]:
    """Everything up to the end, and how the end came: "fin" or "rst"."""
    received = bytearray()
    with sock:
        while True:
            try:
                data = sock.recv(65536)
            except ConnectionResetError:
                return bytes(received), "rst"
            if not data:
                return bytes(received), "fin"
            received += data


def sse_events(body: bytes) -> list[tuple[str | None, str]]:
    """The events of an SSE body: name (None without one) and data."""
    events = []
    for block in filter(None, body.decode().split("\n\n")):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        events.append((lines.get("event"), lines.get("data", "")))
    return events
