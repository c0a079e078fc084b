# SPDX-License-Identifier: Apache-2.0
"""A transport in this process that plays one `Answer` and writes down what is asked of it, chunk by chunk.

It takes the place of the socket, so that one can see to the chunk how lazily a body is read and when it is closed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anthropic

from .trace import Trace

http: Any = sys.modules.get("httpx2") or sys.modules["httpx"]
"""The HTTP client under this version of the SDK."""


class Interrupted(BaseException):
    """As a `KeyboardInterrupt`, which would end the test run itself."""


BREAKS: Mapping[str, Callable[[], BaseException]] = {
    "reset": lambda: http.ReadError("connection reset"),
    "protocol": lambda: http.RemoteProtocolError("peer closed connection without sending complete message body"),
    "timeout": lambda: http.ReadTimeout("the read timed out"),
    "os": lambda: OSError(5, "input/output error"),
    "bug": lambda: ValueError("a fault of the transport's own"),
    "stop": lambda: RuntimeError("generator raised StopIteration"),
    "interrupt": lambda: Interrupted("now"),
    "exit": lambda: SystemExit(3),
}
"""How a body can break off, by name."""


@dataclass(frozen=True)
class Answer:
    """What the server answers: status, headers, the chunks of the body, and how that ends.

    `breaks` names what is raised after the last chunk, `None` for a proper end. `hangs_at` is the number of the chunk
    that never comes, where the transport is an async one: whoever waits for it is cancelled.
    """

    chunks: tuple[bytes, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    breaks: str | None = None
    hangs_at: int | None = None
    hangs_on_close: bool = False


class Transport:
    """Plays `answer` to every request, and writes into `trace`."""

    def __init__(self, answer: Answer, trace: Trace) -> None:
        self.answer = answer
        self.trace = trace
        self.hangs = asyncio.Event()

    def respond(self, request: Any) -> Any:
        headers = [(name, value) for name, value in request.headers.multi_items() if name not in _VARIES]
        self.trace.append(("transport", "request", request.method, str(request.url), headers, request.content))
        return http.Response(self.answer.status, headers=self.answer.headers, stream=Body(self))

    async def arespond(self, request: Any) -> Any:
        return self.respond(request)

    async def hang(self, where: str) -> None:
        self.trace.append(("transport", "hangs", where))
        self.hangs.set()
        try:
            await asyncio.get_running_loop().create_future()
        except BaseException as exception:
            self.trace.append(("transport", "no longer hangs", type(exception).__name__))
            raise


_VARIES = frozenset({"traceparent", "tracestate", "idempotency-key", "authorization", "x-amz-date"})
"""Headers that differ between any two requests."""


class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    """The body of a response, sync and async."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._answer = transport.answer
        self._note = transport.trace.append

    def __iter__(self) -> Iterator[bytes]:
        self._note(("transport", "is read"))
        try:
            for number, chunk in enumerate(self._answer.chunks):
                self._note(("transport", "chunk", number))
                yield chunk
            self._break()
            self._note(("transport", "end"))
        except GeneratorExit:
            self._note(("transport", "iterator closed"))
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._note(("transport", "is read"))
        try:
            for number, chunk in enumerate(self._answer.chunks):
                self._note(("transport", "chunk", number))
                if number == self._answer.hangs_at:
                    await self._transport.hang("chunk")
                elif number % 3 == 0:
                    await asyncio.sleep(0)
                yield chunk
            self._break()
            self._note(("transport", "end"))
        except GeneratorExit:
            self._note(("transport", "iterator closed"))
            raise

    def _break(self) -> None:
        if self._answer.breaks is not None:
            self._note(("transport", "breaks", self._answer.breaks))
            raise BREAKS[self._answer.breaks]()

    def close(self) -> None:
        self._note(("transport", "closed"))

    async def aclose(self) -> None:
        self._note(("transport", "closed"))
        if self._answer.hangs_on_close:
            await self._transport.hang("close")


ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "Anthropic": {"api_key": "none"},
    "AnthropicBedrock": {"aws_access_key": "none", "aws_secret_key": "none", "aws_region": "us-east-1"},
}
"""What the client of each platform has to be given."""


def client(platform: str, transport: Transport, asynchronous: bool, **options: Any) -> Any:
    """A client of the SDK on top of `transport`."""
    if asynchronous:
        cls: Any = getattr(anthropic, f"Async{platform}")
        http_client = http.AsyncClient(transport=http.MockTransport(transport.arespond))
    else:
        cls = getattr(anthropic, platform)
        http_client = http.Client(transport=http.MockTransport(transport.respond))
    sdk = cls(http_client=http_client, max_retries=0, **ARGUMENTS[platform], **options)
    if asynchronous and hasattr(sdk, "_platform"):
        # An async client finds it out in a thread: in how many turns of the loop, no two runs agree.
        sdk._platform = anthropic._base_client.get_platform()
    return sdk
