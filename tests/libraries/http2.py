# SPDX-License-Identifier: Apache-2.0
"""A server of HTTP/2 without TLS that plays the very frames it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events
from h2.exceptions import ProtocolError

from ..support.patience import PATIENCE_S


@dataclass(frozen=True)
class Answered:
    """What one request is answered with."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes, ...] = ()
    """The body, each piece in a DATA frame of its own."""

    end: str = "whole"
    """`whole`: an empty DATA frame ends the stream; `trailers`: a HEADERS frame does; `reset`: RST_STREAM; `goaway`,
    `refused`: GOAWAY, which counts this stream or not, then the server hangs up; `cut`: it just does; `wait`: nothing
    more comes."""

    hints: bool = False
    """Whether an informational response comes first."""


class HTTP2Server:
    """Answers each request, of any number of streams and connections."""

    def __init__(self, answer: Callable[[str], Answered]) -> None:
        """`answer`: the path of a request → what it is answered with."""
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        self.requests: list[bytes] = []
        """Each request as it came: its method, its path and its body."""
        self.waiting = threading.Event()
        """Set once an answer that waits has been sent."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            accepted.settimeout(PATIENCE_S)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            with accepted:
                _Connection(self, accepted).serve()
        except (OSError, ProtocolError):  # The client has hung up, or left the stream.
            return


class PlayedHTTP2Server(HTTP2Server):
    """Answers each request with the next `Answered`; the last one is played again."""

    def __init__(self) -> None:
        super().__init__(self._next_answer)
        self._lock = threading.Lock()
        self._played: Sequence[Answered] = ()
        self._next = 0

    def play(self, played: Sequence[Answered]) -> None:
        """From here on, plays these to the requests that come."""
        with self._lock:
            self._played, self._next, self.requests = played, 0, []
            self.waiting.clear()

    def _next_answer(self, path: str) -> Answered:
        with self._lock:
            answered = self._played[min(self._next, len(self._played) - 1)]
            self._next += 1
        return answered


class _Connection:
    """One connection of the server's."""

    def __init__(self, server: HTTP2Server, accepted: socket.socket) -> None:
        self._server = server
        self._socket = accepted
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}

    def serve(self) -> None:
        self._h2.initiate_connection()
        self._send()
        while data := self._socket.recv(65536):
            for event in self._h2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._requests[event.stream_id] = dict(event.headers), bytearray()
                elif isinstance(event, h2.events.DataReceived):
                    self._requests[event.stream_id][1].extend(event.data)
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded) and not self._answered(event.stream_id):
                    self._hang_up()
                    return
            self._send()

    def _answered(self, stream_id: int) -> bool:
        """Answers the request of a stream; returns whether the connection goes on."""
        headers, body = self._requests.pop(stream_id)
        self._server.requests.append(f"{headers[':method']} {headers[':path']}\n".encode() + bytes(body))
        answered = self._server._answer(headers[":path"])
        if answered.hints:
            self._h2.send_headers(stream_id, [(":status", "103"), ("link", "</style.css>")])
        self._h2.send_headers(stream_id, [(":status", str(answered.status)), *answered.headers])
        for piece in answered.pieces:
            self._h2.send_data(stream_id, piece)
            self._send()
        if answered.end == "whole":
            self._h2.end_stream(stream_id)
        elif answered.end == "trailers":
            self._h2.send_headers(stream_id, [("x-checksum", "abc")], end_stream=True)
        elif answered.end == "reset":
            self._h2.reset_stream(stream_id)
        elif answered.end in ("goaway", "refused"):
            self._h2.close_connection(last_stream_id=stream_id if answered.end == "goaway" else 0)
        self._send()
        if answered.end == "wait":
            self._server.waiting.set()
        return answered.end not in ("goaway", "refused", "cut")

    def _hang_up(self) -> None:
        # What the client has sent meanwhile is read: else it would get a reset in place of what was sent to it.
        self._socket.shutdown(socket.SHUT_WR)
        while self._socket.recv(65536):
            pass

    def _send(self) -> None:
        self._socket.sendall(self._h2.data_to_send())
