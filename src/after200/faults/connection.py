# SPDX-License-Identifier: Apache-2.0
"""One connection of a client: reads requests with h11, writes responses byte by byte.

h11 reads and never writes, because a response that is wrong on purpose is nothing it would let through.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import h11

MAX_BODY = 32 * 1024 * 1024
"""The request size that the Claude API accepts."""
_READ = 64 * 1024
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}


class ClientLeftError(Exception):
    """The client closed its end while it was being served."""


class BadRequestError(Exception):
    """What came is not a request to be served; `status` is the answer it deserves."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Incoming:
    """One HTTP request, as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    http11: bool

    @property
    def keep_alive(self) -> bool:
        return self.http11 and "close" not in self.headers.get("connection", "").lower()


class Connection:
    """Reads requests, one at a time, and writes one response to each."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = h11.Connection(h11.SERVER)
        self._left = asyncio.Event()
        self._chunked = False
        self.reusable = True

    async def next_request(self) -> Incoming | None:
        """The next request, or None when the client is done; raises `BadRequestError`."""
        try:
            return await self._read_request()
        except h11.RemoteProtocolError as error:
            raise BadRequestError(error.error_status_hint, f"not an HTTP request: {error}") from None

    async def _read_request(self) -> Incoming | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._parser.next_event()
            if event is h11.NEED_DATA:
                if self._parser.they_are_waiting_for_100_continue:
                    self._parser.send(h11.InformationalResponse(status_code=100, headers=[]))
                    self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._parser.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY:
                    raise BadRequestError(413, f"the request body is larger than {MAX_BODY} bytes")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return self._incoming(head, bytes(body))
            else:
                return None

    def _incoming(self, head: h11.Request, body: bytes) -> Incoming:
        self._restart_parser()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        target = head.target.decode("latin-1")
        return Incoming(head.method.decode("latin-1"), target, headers, body, head.http_version == b"1.1")

    def _restart_parser(self) -> None:
        """A parser per request: h11 would want to see the responses too before it reads on."""
        rest, eof = self._parser.trailing_data
        self._parser = h11.Connection(h11.SERVER)
        if rest:
            self._parser.receive_data(rest)
        if eof:
            self._parser.receive_data(b"")

    async def watch_client(self) -> None:
        """Notice while a response is under way that the client has left; what it pipelines is kept for later."""
        kept = 0
        with suppress(OSError, RuntimeError, h11.ProtocolError):
            while kept < MAX_BODY:
                data = await self._reader.read(_READ)
                kept += len(data)
                self._parser.receive_data(data)
                if not data:
                    break
        self._left.set()

    async def pause(self, seconds: float | None) -> None:
        """Wait so long (None: for ever); raises `ClientLeftError` as soon as the client leaves."""
        try:
            await asyncio.wait_for(self._left.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise ClientLeftError

    def head(self, status: int, headers: Mapping[str, str], length: int | None, incoming: Incoming | None) -> bytes:
        """The status line and the headers; without a length the body comes in chunks. No `incoming`: hang up after."""
        self._chunked = length is None and incoming is not None and incoming.http11
        self.reusable = incoming is not None and incoming.keep_alive and (length is not None or self._chunked)
        framing = {"transfer-encoding": "chunked"} if self._chunked else {}
        if length is not None:
            framing = {"content-length": str(length)}
        connection = {"connection": "keep-alive" if self.reusable else "close"}
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **framing, **connection}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def write(self, data: bytes) -> None:
        """Write these bytes, and give way: to the client's leaving, and to every other connection."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (OSError, RuntimeError):
            raise ClientLeftError from None
        await asyncio.sleep(0)
        if self._left.is_set() or self._writer.is_closing():
            raise ClientLeftError

    def chunk(self, data: bytes) -> bytes:
        """The data as one chunk of the body."""
        return b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data

    def end_of_body(self) -> bytes:
        """What ends the body; without chunks, the end of the connection does."""
        return b"0\r\n\r\n" if self._chunked else b""

    async def reset(self) -> None:
        """Tear the connection down with an RST, after the client's kernel has taken what was sent before."""
        await self._flush()
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close with a FIN."""
        with suppress(OSError, RuntimeError):
            self._writer.close()
            await self._writer.wait_closed()

    async def _flush(self) -> None:
        """An RST throws away what the kernel has not yet handed over: wait (1 s at most) until it has."""
        for _ in range(1000):
            if not self._writer.transport.get_write_buffer_size() and not _unacknowledged(self._writer):
                return
            await asyncio.sleep(0.001)


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """How many bytes the other side has not acknowledged yet; 0 where the system does not say."""
    try:
        import fcntl
        import termios

        raw = fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        return int(struct.unpack("i", raw)[0])
    except (ImportError, AttributeError, OSError, ValueError):
        return 0
