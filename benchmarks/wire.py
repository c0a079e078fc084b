# SPDX-License-Identifier: Apache-2.0
"""A transport in this process that answers every request with one canned stream, and clients of the SDK on top of it.

No socket, so that what is measured is the SDK and what instruments it. Each event is a chunk of its own, as it is on
the wire of a model that writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic

http: Any = sys.modules.get("httpx2") or sys.modules["httpx"]
"""The HTTP client under this version of the SDK."""

MODEL = "claude-sonnet-5"
HEADERS = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_benchmark"}


def event(payload: dict[str, Any]) -> bytes:
    """`payload` as a server-sent event."""
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


def message(deltas: int) -> list[bytes]:
    """The events of a message of `deltas` deltas, each a chunk."""
    start = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    payloads: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    payloads += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"word {number} "}}
        for number in range(deltas)
    ]
    payloads += [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": deltas},
        },
        {"type": "message_stop"},
    ]
    return [event(payload) for payload in payloads]


class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    """`chunks` as the body of a response."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


class Wire:
    """What the clients are connected to. `chunks` is the body of the next response."""

    def __init__(self) -> None:
        self.chunks = message(10)

    def answer(self, request: Any) -> Any:
        return http.Response(200, headers=HEADERS, stream=Body(self.chunks))

    async def aanswer(self, request: Any) -> Any:
        return self.answer(request)

    def clients(self, **options: Any) -> Clients:
        """A sync and an async client, with `options` of the SDK's where this version of it has them."""
        transport, atransport = http.MockTransport(self.answer), http.MockTransport(self.aanswer)
        return Clients(
            anthropic.Anthropic(api_key="none", http_client=http.Client(transport=transport), **options),
            anthropic.AsyncAnthropic(api_key="none", http_client=http.AsyncClient(transport=atransport), **options),
        )


class Clients:
    """A sync and an async client, and how a stream is read with each."""

    def __init__(self, sync: Any, asynchronous: Any) -> None:
        self.sync = sync
        self.asynchronous = asynchronous

    def read(self, times: int) -> None:
        """Reads `times` streams to their end."""
        create = self.sync.messages.create
        for _ in range(times):
            for _event in create(max_tokens=1024, model=MODEL, messages=MESSAGES, stream=True):
                pass

    async def aread(self, times: int) -> None:
        """Reads `times` streams to their end."""
        create = self.asynchronous.messages.create
        for _ in range(times):
            async for _event in await create(max_tokens=1024, model=MODEL, messages=MESSAGES, stream=True):
                pass


MESSAGES = [{"role": "user", "content": "Say something."}]
