# SPDX-License-Identifier: Apache-2.0
"""Play the steps of a scenario on a connection, and keep account of what really went out.

The last bytes of a response leave only after its entry is in the log: a client that has seen the end of an answer
finds it there.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from . import steps, surfaces, wires
from .connection import Connection, Incoming
from .eventstream import break_frame, encode_frame
from .log import Log, Served
from .plans import Plan
from .truth import Reader


class Player:
    """Plays the response to one request; `pace` is waited before each chunk, in seconds. Its log entry is written once.

    `headers` may be added to before the response is played.
    """

    def __init__(self, connection: Connection, incoming: Incoming, plan: Plan, log: Log, pace: float) -> None:
        self._connection = connection
        self._incoming = incoming
        self._plan = plan
        self._request = plan.request
        self._log = log
        self._pace = pace
        self._started = time.time()
        self._recorded = False
        self._compressor: zlib._Compress | None = None
        self._held = b""
        self._hold_next = False
        self._wire_status: int | None = None
        self._events_sent: list[str] = []
        self._failure: str | None = None
        self._readable = True
        self.stalling = False
        self.headers = wires.response_headers(plan.request)
        self.content = Reader(streaming=plan.request.streaming)

    async def play(self) -> None:
        """Play the steps of the plan; raises `ClientLeftError`."""
        play: list[steps.Step] = []
        for step in self._plan.play:
            play += self._healthy(step.part) if isinstance(step, steps.Healthy) else [step]
        for number, step in enumerate(play, 1):
            self._hold_next = number < len(play) and isinstance(play[number], steps.End)
            await _PLAYED[type(step)](self, step)

    def record(self, finished: str) -> None:
        """Write the log entry, unless it is written: whoever knows first how the response ended decides."""
        if self._recorded:
            return
        self._recorded = True
        request = self._request
        served = Served(
            scenario=self._plan.scenario,
            key=self._plan.key,
            method=request.method,
            path=request.path,
            wire=request.wire,
            api=request.api,
            model=request.model,
            request_id=request.request_id,
            streaming=request.streaming,
            attempt=self._plan.attempt,
            wire_status=self._wire_status,
            events_sent=tuple(self._events_sent),
            finished=finished,
            failure=self._failure,
            started=self._started,
            ended=time.time(),
            content=self.content.truth(),
            headers=self.headers if self._wire_status else {},
        )
        self._log.add(served)

    async def status(self, step: steps.Status) -> None:
        self._readable = step.gzip != "absent"
        if step.gzip == "sound":
            self._compressor = zlib.compressobj(wbits=31)
        headers = {"content-type": wires.content_type(self._request), **wires.encoding_headers(step.gzip)}
        await self._connection.write(self._head(step.code, {**headers, **step.headers}))

    async def answer(self, step: steps.Answer) -> None:
        body = step.body
        if not isinstance(body, bytes):
            body = wires.encode_json(wires.with_request_id(body, self._request))
        self._failure = step.failure
        self.content.read(step.body)
        head = self._head(step.code, {"content-type": "application/json", **step.headers}, len(body))
        self.record("end")
        await self._connection.write(head + body)

    async def whole(self, step: steps.Whole) -> None:
        message = surfaces.whole_body(self._request, self._plan.reply)
        if step.only == 1 and step.gzip in ("", "sound"):
            self.content.read(message)
        body = wires.compress(wires.encode_json(message), step.gzip)
        sent = body[: int(len(body) * step.only)]
        headers = {"content-type": "application/json", **wires.encoding_headers(step.gzip), **step.headers}
        head = self._head(200, headers, None if step.chunked else len(body))
        if step.chunked:
            await self._connection.write(head)
            await self._send(sent)
            return
        if len(sent) == len(body):
            self.record("end")
        await self._connection.write(head + sent)

    async def event(self, step: steps.Event) -> None:
        self._failure = step.failure or self._failure
        if self._readable:
            self.content.read(step.data)
        await self._send(wires.encode_event(step, self._request), step.name or "unnamed")

    async def error(self, step: steps.Error) -> None:
        await self.event(wires.error_event(step, self._request))

    async def frame(self, step: steps.Frame) -> None:
        data = encode_frame(step.headers, step.payload)
        self._failure = step.failure or self._failure
        name = step.headers.get(":exception-type") or step.headers.get(":error-code") or "chunk"
        await self._send(break_frame(data, step.broken) if step.broken else data, name)

    async def raw(self, step: steps.Raw) -> None:
        await self._write_chunk(step.data)

    async def half_chunk(self, step: steps.HalfChunk) -> None:
        event = next(self._healthy("text"))
        data = self._connection.chunk(wires.encode_event(event, self._request))
        await self._connection.write(data[: len(data) // 2])

    async def delay(self, step: steps.Delay) -> None:
        await self._connection.pause(step.seconds)

    async def pace(self, step: steps.Pace) -> None:
        self._pace = step.seconds

    async def stall(self, step: steps.Stall) -> None:
        self.stalling = True
        await self._connection.pause(None)

    async def end(self, step: steps.End) -> None:
        rest = self._compressor.flush() if self._compressor and step.gzip == "sound" else b""
        last = self._held + (self._connection.chunk(rest) if rest else b"")
        self.record("end")
        await self._connection.write(last + self._connection.end_of_body())

    async def cut(self, step: steps.Cut) -> None:
        self.record("cut")
        self._connection.reusable = False

    async def reset(self, step: steps.Reset) -> None:
        self.record("reset")
        self._connection.reusable = False
        await self._connection.reset()

    def _healthy(self, part: steps.Part) -> Iterator[steps.Event]:
        """The events of one part of the healthy stream."""
        return surfaces.part_of_stream(part, self._request, self._plan.reply)

    def _head(self, code: int, headers: dict[str, str], length: int | None = None) -> bytes:
        self._wire_status = code
        self.headers |= headers
        return self._connection.head(code, self.headers, length, self._incoming)

    async def _send(self, data: bytes, name: str = "") -> None:
        """Send one chunk, compressed if the body is, so that a client can decode it as soon as it arrives."""
        if name:
            self._events_sent.append(name)
        if self._compressor:
            data = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        await self._write_chunk(data)

    async def _write_chunk(self, data: bytes) -> None:
        """Write one chunk; hold it back when nothing but the end of the body follows."""
        if self._pace:
            await self._connection.pause(self._pace)
        if self._hold_next:
            self._held = self._connection.chunk(data)
        else:
            await self._connection.write(self._connection.chunk(data))


_PLAYED: dict[type, Callable[[Player, Any], Awaitable[None]]] = {
    steps.Status: Player.status,
    steps.Answer: Player.answer,
    steps.Whole: Player.whole,
    steps.Event: Player.event,
    steps.Error: Player.error,
    steps.Frame: Player.frame,
    steps.Raw: Player.raw,
    steps.HalfChunk: Player.half_chunk,
    steps.Delay: Player.delay,
    steps.Pace: Player.pace,
    steps.Stall: Player.stall,
    steps.End: Player.end,
    steps.Cut: Player.cut,
    steps.Reset: Player.reset,
}
