# SPDX-License-Identifier: Apache-2.0
"""A stream that an application waits for is not left, however long nothing comes after its stop reason."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import aiohttp
import httpx
import pytest
import requests

from after200.following.decided import end_decided

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, error
from ..support.patience import PATIENCE_S
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .ways import HEADERS

STREAM = {**REQUEST, "stream": True}
LAST = b"message_delta"


class PausingServer:
    """Answers one request with a stream that pauses after its stop reason, and fails once it may go on."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1/messages"
        self.go_on = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            request = connection.makefile("rb")
            length = 0
            while (line := request.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            request.read(length)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            connection.sendall(b"".join(body(*HEAD, CLOSING, DELTA)))
            self.go_on.wait(PATIENCE_S)
            connection.sendall(b"".join(body(error("overloaded_error"))))

    def close(self) -> None:
        self.go_on.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def pausing() -> Iterator[PausingServer]:
    server = PausingServer()
    yield server
    server.close()


async def aread_httpx(url: str, came: asyncio.Event) -> None:
    async with httpx.AsyncClient() as client, client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
        async for line in response.aiter_lines():
            if LAST in line.encode():
                came.set()


async def aread_aiohttp(url: str, came: asyncio.Event) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, json=STREAM, headers=HEADERS) as response:
        async for line in response.content:
            if LAST in line:
                came.set()


def read_httpx(url: str, came: Callable[[], None]) -> None:
    with httpx.stream("POST", url, json=STREAM, headers=HEADERS) as response:
        for line in response.iter_lines():
            if LAST in line.encode():
                came()


def read_requests(url: str, came: Callable[[], None]) -> None:
    with requests.post(url, json=STREAM, headers=HEADERS, stream=True) as response:
        for line in response.iter_lines(chunk_size=1):
            if LAST in line:
                came()


def read_raw(url: str, came: Callable[[], None]) -> None:
    with requests.post(url, json=STREAM, headers=HEADERS, stream=True) as response:
        while line := response.raw.readline():
            if LAST in line:
                came()


def outcomes(telemetry: Telemetry) -> list[tuple[str | None, ...]]:
    return [(call.outcome, call.phase, call.error_type) for call in telemetry.calls]


FAILED = [("failed", "mid_stream", "overloaded_error")]


@pytest.mark.parametrize("read", [aread_httpx, aread_aiohttp])
def test_a_task_that_waits_after_the_stop_reason_gets_what_comes(
    read: Callable[..., object], pausing: PausingServer, telemetry: Telemetry
) -> None:
    async def main() -> None:
        came = asyncio.Event()
        task = asyncio.ensure_future(read(pausing.url, came))  # type: ignore[arg-type]
        await came.wait()
        for _ in range(20):  # Until the task waits for the wire.
            await asyncio.sleep(0)
        end_decided(quiet=0.0)
        pausing.go_on.set()
        await task

    with recorded(telemetry):
        asyncio.run(main())
    assert FAILED == outcomes(telemetry)


@pytest.mark.parametrize("read", [read_httpx, read_requests, read_raw])
def test_a_thread_that_waits_after_the_stop_reason_gets_what_comes(
    read: Callable[[str, Callable[[], None]], None], pausing: PausingServer, telemetry: Telemetry
) -> None:
    came = threading.Event()
    reader = threading.Thread(target=read, args=(pausing.url, came.set))
    with recorded(telemetry):
        reader.start()
        assert came.wait(PATIENCE_S)
        while not is_in_the_socket(reader):
            pass
        end_decided(quiet=0.0)
        pausing.go_on.set()
        reader.join()
    assert FAILED == outcomes(telemetry)


def is_in_the_socket(thread: threading.Thread) -> bool:
    """Whether the thread waits for the wire: httpcore calls `recv`, and urllib3 reads through `SocketIO`."""
    frame = sys._current_frames()[thread.ident or 0]
    return frame.f_code.co_name == "readinto" or "recv" in frame.f_code.co_names
