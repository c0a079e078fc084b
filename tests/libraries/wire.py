# SPDX-License-Identifier: Apache-2.0
"""A server that plays the very bytes it is given, and waits or hangs up where it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..support.patience import PATIENCE_S

CONTINUE = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"


@dataclass(frozen=True)
class Played:
    """What one request is answered with."""

    sent: tuple[bytes, ...]
    """The bytes of the response, in the pieces in which they are sent."""

    then: str = "next"
    """`next`: read the next request; `close`: hang up; `wait`: send nothing more until the client hangs up."""


class WireServer:
    """Answers the requests of one client at a time, each with the next `Played`; the last one is played again."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._lock = threading.Lock()
        self._played: Sequence[Played] = ()
        self._next = 0
        self.requests: list[bytes] = []
        """Each request as it came: its head without the header fields of the connection, and its body."""
        self.waiting = threading.Event()
        """Set once a `Played` that waits has been sent."""
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, played: Sequence[Played]) -> None:
        """From here on, plays these to the requests that come."""
        with self._lock:
            self._played, self._next, self.requests = played, 0, []
            self.waiting.clear()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                while (request := read_request(lines)) is not None:
                    with self._lock:
                        self.requests.append(request)
                        played = self._played[min(self._next, len(self._played) - 1)]
                        self._next += 1
                    for piece in played.sent:
                        connection.sendall(piece)
                    if played.then == "close":
                        return
                    if played.then == "wait":
                        self.waiting.set()
                        lines.read(1)
        except OSError:
            return


def read_request(lines: object) -> bytes | None:
    """Returns the request line and the body; None when the client has hung up before it had sent all."""
    first = lines.readline()  # type: ignore[attr-defined]
    if not first:
        return None
    length, chunked = 0, False
    while (line := lines.readline().strip().lower()) != b"":  # type: ignore[attr-defined]
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
        chunked = chunked or line == b"transfer-encoding: chunked"
    body = lines.read(length)  # type: ignore[attr-defined]
    is_whole = len(body) == length
    while chunked and is_whole:
        size = lines.readline().strip()  # type: ignore[attr-defined]
        is_whole, chunked = size != b"", size not in (b"", b"0")
        body += lines.read(int(size or b"0", 16))  # type: ignore[attr-defined]
        lines.readline()  # type: ignore[attr-defined]
    return bytes(first + body) if is_whole else None
