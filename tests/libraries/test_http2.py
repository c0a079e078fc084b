# SPDX-License-Identifier: Apache-2.0
"""Streams over HTTP/2: several at once on one connection are each judged by their own bytes; one is reset."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx
import httpx2
import pytest

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, error
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .ways import HEADERS

STREAM = {**REQUEST, "stream": True}
BODIES = {
    "completed": body(*HEAD, CLOSING, DELTA, STOP),
    "overloaded": body(*HEAD, error("overloaded_error")),
    "truncated": body(*HEAD),
    "reset": body(*HEAD),
}
ENDINGS = {
    "completed": ("completed", None, None),
    "overloaded": ("failed", "mid_stream", "overloaded_error"),
    "truncated": ("truncated", "mid_stream", "stream_truncated"),
    "reset": ("failed", "mid_stream", "connection_error"),
}


class HTTP2Server:
    """Speaks HTTP/2 without TLS; `POST /NAME/v1/messages` is answered with the body of that name."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        paths: dict[int, str] = {}
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        with accepted:
            accepted.sendall(connection.data_to_send())
            while data := accepted.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        paths[event.stream_id] = dict(event.headers)[":path"]
                    elif isinstance(event, h2.events.StreamEnded):
                        self._answer(connection, event.stream_id, paths[event.stream_id].split("/")[1], accepted)
                accepted.sendall(connection.data_to_send())

    def _answer(self, connection: Any, stream_id: int, name: str, accepted: socket.socket) -> None:
        connection.send_headers(stream_id, [(":status", "200"), ("content-type", "text/event-stream")])
        for piece in BODIES[name]:
            connection.send_data(stream_id, piece)
            accepted.sendall(connection.data_to_send())
        if name == "reset":
            connection.reset_stream(stream_id)
        else:
            connection.end_stream(stream_id)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def served() -> Iterator[HTTP2Server]:
    server = HTTP2Server()
    yield server
    server.close()


def endings(telemetry: Telemetry) -> list[tuple[str | None, ...]]:
    return sorted(((call.outcome, call.phase, call.error_type) for call in telemetry.calls), key=str)


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_over_http2_is_what_its_bytes_say(name: str, served: HTTP2Server, telemetry: Telemetry) -> None:
    url = f"{served.url}/{name}/v1/messages"

    def read() -> tuple[bytes, str | None]:
        seen = b""
        with httpx.Client(http1=False, http2=True) as client:
            try:
                with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
                    for piece in response.iter_bytes():
                        seen += piece
            except httpx.HTTPError as exception:
                return seen, type(exception).__name__
        return seen, None

    bare = read()
    with recorded(telemetry):
        assert bare == read()
    assert [ENDINGS[name]] == endings(telemetry)
    assert [] == telemetry.open_spans


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_streams_at_once_on_one_connection_are_each_what_they_are(
    package: Any, served: HTTP2Server, telemetry: Telemetry
) -> None:
    async def main() -> None:
        async with package.AsyncClient(http1=False, http2=True) as client:

            async def read(name: str) -> None:
                url = f"{served.url}/{name}/v1/messages"
                async with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
                    async for _ in response.aiter_lines():
                        pass

            await read("completed")  # So that there is a connection when the others begin.
            await asyncio.gather(*map(read, BODIES), return_exceptions=True)

    with recorded(telemetry):
        asyncio.run(main())
    assert 1 == served.connections
    assert sorted([ENDINGS["completed"], *ENDINGS.values()], key=str) == endings(telemetry)
    assert [] == telemetry.open_spans
