# SPDX-License-Identifier: Apache-2.0
"""Play the steps of a scenario on a connection, and keep account of what really went out.

The last bytes of a response leave only after its entry is in the log: a client that has seen the end of an answer
finds it there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from . import surfaces
from .connection import Connection, Incoming
from .eventstream import break_frame, encode_frame
from .gzipped import NOT_COMPRESSED, Compressor, Plain, compress, encoding_headers
from .replies import Reply
from .requests import Request
from .steps import (
    Answer,
    Cut,
    Delay,
    End,
    Error,
    Event,
    Frame,
    HalfChunk,
    Healthy,
    Pace,
    Ping,
    Play,
    Raw,
    Reset,
    Stall,
    Status,
    Whole,
)
from .truth import Reader
from .wires import content_type, encode_event, encode_json, error_event, response_headers, with_request_id

Record = Callable[[str], None]


class Player:
    """Plays one response. `record(finished)` is called exactly once, before the last bytes leave."""

    def __init__(
        self, connection: Connection, incoming: Incoming, request: Request, reply: Reply, record: Record, pace: float
    ) -> None:
        self._connection = connection
        self._incoming = incoming
        self._request = request
        self._reply = reply
        self._record = record
        self._pace = pace
        self._gzip: Plain = NOT_COMPRESSED
        self._held = b""
        self._hold_next = False
        self.wire_status: int | None = None
        self.events_sent: list[str] = []
        self.failure: str | None = None
        self.stalling = False
        self.headers = response_headers(request)
        self.told = Reader(streaming=request.streaming)
        self._readable = True

    async def play(self, steps: Play) -> None:
        """Play the steps; raises `ClientLeftError`."""
        for number, step in enumerate(steps, 1):
            self._hold_next = number < len(steps) and isinstance(steps[number], End)
            await _PLAYED[type(step)](self, step)

    async def status(self, step: Status) -> None:
        self._readable = step.gzip != "absent"
        if step.gzip == "sound":
            self._gzip = Compressor()
        headers = {"content-type": content_type(self._request), **encoding_headers(step.gzip), **step.headers}
        await self._connection.write(self._head(step.code, headers))

    async def answer(self, step: Answer) -> None:
        body = step.body if isinstance(step.body, bytes) else encode_json(with_request_id(step.body, self._request))
        self.failure = step.failure
        self.told.read(step.body)
        head = self._head(step.code, {"content-type": "application/json", **step.headers}, len(body))
        self._record("end")
        await self._connection.write(head + body)

    async def whole(self, step: Whole) -> None:
        message = surfaces.whole_body(self._request, self._reply)
        if step.only == 1 and step.gzip in ("", "sound"):
            self.told.read(message)
        body = compress(encode_json(message), step.gzip)
        sent = body[: int(len(body) * step.only)]
        headers = {"content-type": "application/json", **encoding_headers(step.gzip), **step.headers}
        head = self._head(200, headers, None if step.chunked else len(body))
        if step.chunked:
            await self._connection.write(head)
            await self._send(sent)
            return
        if len(sent) == len(body):
            self._record("end")
        await self._connection.write(head + sent)

    async def healthy(self, step: Healthy) -> None:
        events = list(surfaces.part_of_stream(step.part, self._request, self._reply))
        hold, self._hold_next = self._hold_next, False
        for number, event in enumerate(events, 1):
            self._hold_next = hold and number == len(events)
            await self.event(event)

    async def event(self, step: Event) -> None:
        self.failure = step.failure or self.failure
        if self._readable:
            self.told.read(step.data)
        await self._send(encode_event(step, self._request), step.name or "unnamed")

    async def error(self, step: Error) -> None:
        await self.event(error_event(step, self._request))

    async def frame(self, step: Frame) -> None:
        data = encode_frame(step.headers, step.payload)
        self.failure = step.failure or self.failure
        name = step.headers.get(":exception-type") or step.headers.get(":error-code") or "chunk"
        await self._send(break_frame(data, step.broken) if step.broken else data, name)

    async def raw(self, step: Raw) -> None:
        await self._write_chunk(step.data)

    async def half_chunk(self, step: HalfChunk) -> None:
        event = next(iter(surfaces.part_of_stream("text", self._request, self._reply)))
        data = self._connection.chunk(encode_event(event, self._request))
        await self._connection.write(data[: len(data) // 2])

    async def ping(self, step: Ping) -> None:
        await self.event(Event("ping", {"type": "ping"}))

    async def delay(self, step: Delay) -> None:
        await self._connection.pause(step.seconds)

    async def pace(self, step: Pace) -> None:
        self._pace = step.seconds

    async def stall(self, step: Stall) -> None:
        self.stalling = True
        await self._connection.pause(step.seconds)
        self.stalling = False

    async def end(self, step: End) -> None:
        rest = self._gzip.end() if step.gzip == "sound" else b""
        last = self._held + (self._connection.chunk(rest) if rest else b"")
        self._record("end")
        await self._connection.write(last + self._connection.end_of_body())

    async def cut(self, step: Cut) -> None:
        self._record("cut")
        self._connection.reusable = False

    async def reset(self, step: Reset) -> None:
        self._record("reset")
        self._connection.reusable = False
        await self._connection.reset()

    def _head(self, code: int, headers: dict[str, str], length: int | None = None) -> bytes:
        self.wire_status = code
        self.headers |= headers
        return self._connection.head(code, self.headers, length, self._incoming)

    async def _send(self, data: bytes, name: str = "") -> None:
        """Send one chunk, compressed if the body is."""
        if name:
            self.events_sent.append(name)
        await self._write_chunk(self._gzip.part(data))

    async def _write_chunk(self, data: bytes) -> None:
        """Write one chunk; hold it back when nothing but the end of the body follows."""
        if self._pace:
            await self._connection.pause(self._pace)
        if self._hold_next:
            self._held = self._connection.chunk(data)
        else:
            await self._connection.write(self._connection.chunk(data))


_PLAYED: dict[type, Callable[[Player, Any], Awaitable[None]]] = {
    Status: Player.status,
    Answer: Player.answer,
    Whole: Player.whole,
    Healthy: Player.healthy,
    Event: Player.event,
    Error: Player.error,
    Frame: Player.frame,
    Raw: Player.raw,
    HalfChunk: Player.half_chunk,
    Ping: Player.ping,
    Delay: Player.delay,
    Pace: Player.pace,
    Stall: Player.stall,
    End: Player.end,
    Cut: Player.cut,
    Reset: Player.reset,
}
