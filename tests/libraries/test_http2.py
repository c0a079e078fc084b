# SPDX-License-Identifier: Apache-2.0
"""Streams over HTTP/2: several at once on one connection are each judged by their own bytes; one is reset."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, error
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .http2 import Answered, HTTP2Server
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


def answered(path: str) -> Answered:
    """`POST /NAME/v1/messages` is answered with the body of that name."""
    name = path.split("/")[1]
    end = "reset" if name == "reset" else "whole"
    return Answered(200, (("content-type", "text/event-stream"),), tuple(BODIES[name]), end)


@pytest.fixture
def served() -> Iterator[HTTP2Server]:
    server = HTTP2Server(answered)
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
