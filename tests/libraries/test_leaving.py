# SPDX-License-Identifier: Apache-2.0
"""Streams of every HTTP library that the application leaves, drops, cancels or never reads."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

from after200.faults import FaultServer
from after200.following.decided import end_decided

from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .ways import HEADERS

STREAM = {**REQUEST, "stream": True}
Stop = Callable[[bytes], bool]
"""Whether to leave after a piece of the body."""


def leave_httpx(package: Any) -> Callable[[str, Stop], None]:
    def leave(url: str, stop: Stop) -> None:
        with package.Client() as client, client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
            for line in response.iter_lines():
                if stop(line.encode()):
                    break

    return leave


def aleave_httpx(url: str, stop: Stop) -> None:
    async def leave() -> None:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", url, json=STREAM, headers=HEADERS) as response,
        ):
            async for line in response.aiter_lines():
                if stop(line.encode()):
                    break

    asyncio.run(leave())


def leave_aiohttp(url: str, stop: Stop) -> None:
    async def leave() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=STREAM, headers=HEADERS) as response,
        ):
            async for line in response.content:
                if stop(line):
                    break

    asyncio.run(leave())


def leave_requests(url: str, stop: Stop) -> None:
    with requests.post(url, json=STREAM, headers=HEADERS, stream=True) as response:
        for line in response.iter_lines(chunk_size=1):
            if stop(line):
                break


def leave_raw(url: str, stop: Stop) -> None:
    with requests.post(url, json=STREAM, headers=HEADERS, stream=True) as response:
        for line in response.raw:
            if stop(line):
                break


LEAVERS = {
    "httpx": leave_httpx(httpx),
    "httpx2": leave_httpx(httpx2),
    "httpx async": aleave_httpx,
    "aiohttp": leave_aiohttp,
    "requests": leave_requests,
    "requests raw": leave_raw,
}
BY_LINES = {name: LEAVERS[name] for name in ("httpx", "httpx2", "requests")}
"""Those that read through a method of the library, which a test can keep from reading."""


def outcomes(telemetry: Telemetry) -> list[tuple[str | None, ...]]:
    return [
        (call.outcome, call.phase, call.error_type, call.attributes.get("after200.answer")) for call in telemetry.calls
    ]


@pytest.mark.parametrize("leave", LEAVERS.values(), ids=LEAVERS)
@pytest.mark.parametrize(
    ("scenario", "at", "expected"),
    [
        # The rest of the stream never comes, so that no read can have come further than the line.
        ("stall_mid_stream", b"content_block_delta", ("closed", None, None, None)),
        ("completed", b"message_stop", ("completed", None, None, "complete")),
        ("overloaded_error_mid_stream", b"overloaded_error", ("failed", "mid_stream", "overloaded_error", None)),
    ],
)
def test_a_stream_that_is_left_is_what_the_application_saw_of_it(
    leave: Callable[[str, Stop], None],
    scenario: str,
    at: bytes,
    expected: tuple[str | None, ...],
    server: FaultServer,
    telemetry: Telemetry,
) -> None:
    with recorded(telemetry):
        leave(server.base_url(scenario) + "/v1/messages", lambda line: at in line)
    assert [expected] == outcomes(telemetry)
    assert [] == telemetry.open_spans


@pytest.mark.parametrize("leave", BY_LINES.values(), ids=BY_LINES)
def test_an_http_error_whose_body_nobody_reads_has_its_status_as_type(
    leave: Callable[[str, Stop], None], server: FaultServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx.Response, "iter_lines", lambda self: iter(()))
    monkeypatch.setattr(httpx2.Response, "iter_lines", lambda self: iter(()))
    monkeypatch.setattr(requests.Response, "iter_lines", lambda self, **_: iter(()))
    with recorded(telemetry):
        leave(server.base_url("http_529") + "/v1/messages", bool)
    assert [("failed", "request", "529", None)] == outcomes(telemetry)


def drop_httpx(url: str) -> None:
    client = httpx.Client()
    response = client.send(client.build_request("POST", url, json=STREAM, headers=HEADERS), stream=True)
    next(response.iter_lines())


def drop_requests(url: str) -> None:
    response = requests.post(url, json=STREAM, headers=HEADERS, stream=True)
    next(response.iter_lines(chunk_size=1))


@pytest.mark.parametrize("drop", [drop_httpx, drop_requests])
def test_a_stream_that_is_dropped_is_abandoned(
    drop: Callable[[str], None], server: FaultServer, telemetry: Telemetry
) -> None:
    with recorded(telemetry):
        drop(server.base_url("stall_mid_stream") + "/v1/messages")
        gc.collect()
        assert [("abandoned", None, None, None)] == outcomes(telemetry)


async def cancel_httpx(url: str, saw: Callable[[], None]) -> None:
    async with httpx.AsyncClient() as client, client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
        async for _ in response.aiter_lines():
            saw()


async def cancel_aiohttp(url: str, saw: Callable[[], None]) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, json=STREAM, headers=HEADERS) as response:
        async for _ in response.content:
            saw()


@pytest.mark.parametrize("read", [cancel_httpx, cancel_aiohttp])
def test_a_task_that_is_cancelled_while_it_reads_cancels_its_call(
    read: Callable[[str, Callable[[], None]], Awaitable[None]], server: FaultServer, telemetry: Telemetry
) -> None:
    async def main() -> None:
        lines, enough = 0, asyncio.Event()

        def saw() -> None:
            nonlocal lines
            lines += 1
            if lines == 9:
                enough.set()

        task = asyncio.ensure_future(read(server.base_url("stall_mid_stream") + "/v1/messages", saw))
        await enough.wait()
        for _ in range(20):  # Until the task waits for the wire.
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with recorded(telemetry):
        asyncio.run(main())
    assert [("cancelled", None, None, None)] == outcomes(telemetry)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("completed", ("completed", None, None, "complete")),
        ("overloaded_error_mid_stream", ("failed", "mid_stream", "overloaded_error", None)),
    ],
)
def test_a_stream_that_nobody_reads_on_once_its_end_is_decided_is_ended_as_what_it_is(
    scenario: str, expected: tuple[str | None, ...], server: FaultServer, telemetry: Telemetry
) -> None:
    url = server.base_url(scenario) + "/v1/messages"
    with recorded(telemetry), httpx.Client() as client:
        response = client.send(client.build_request("POST", url, json=STREAM, headers=HEADERS), stream=True)
        lines = response.iter_lines()
        while next(lines).rstrip("\n") not in (
            "event: message_delta",
            "event: error",
        ):  # httpx 0.23 keeps the line end.
            pass
        next(lines)
        assert [] == [span.name for span in telemetry._spans.get_finished_spans()]
        end_decided(quiet=0.0)
        assert [expected] == outcomes(telemetry)
        assert not response.is_closed
        response.close()
