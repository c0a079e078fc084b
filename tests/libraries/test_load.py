# SPDX-License-Identifier: Apache-2.0
"""Many calls at once through the HTTP libraries, each counted once, and memory that is flat over them.

`pytest tests/load tests/libraries/test_load.py --calls 5000` makes more of them.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import queue
import random
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import httpx
import httpx2
import pytest
import requests

from after200.faults import FaultServer

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, error
from ..support.patience import PATIENCE_S
from ..support.streams.expected import ROWS
from ..support.streams.row import Row
from ..support.streams.surfaces import REQUEST
from ..support.streams.telling import ending_on
from ..support.telemetry import Telemetry
from .calling import recorded
from .rows import row_of
from .ways import HEADERS, Way

STREAM = {**REQUEST, "stream": True}
CALLS_IN_CI = 400
AT_ONCE = 200
THREADS = 16
SLACK = 40
"""Blocks that may come and go, whatever is counted."""

STALLS = "stall_mid_stream"
"""The scenario that a caller leaves: the rest of the stream never comes, so no read can have come further."""

CONTENT = b"content_block_delta"

_keys = itertools.count()


class Planned(NamedTuple):
    """One call: what is played, by which library, and what the caller does once content came."""

    row: Row
    client: str
    deed: str

    @property
    def account(self) -> tuple[str | None, ...]:
        """The library, the outcome, the phase, the type of the error."""
        if self.deed != "read":
            return self.client.removesuffix("2"), {"leave": "closed", "cancel": "cancelled"}[self.deed], None, None
        way = Way(self.client.removesuffix("2"), self.client, True, "lazy", print)
        ending = ending_on(row_of(self.row, way), way)
        return way.client, ending.outcome, ending.phase, ending.error_type


def plan(count: int, clients: tuple[str, ...], deeds: tuple[str, ...]) -> list[Planned]:
    """A mix of calls, the same at each run."""
    draw = random.Random(7)
    rows = [row for row in ROWS if not row.attempts and (row.timeout > 1 or row.scenario == STALLS)]
    planned = []
    while len(planned) < count:
        row, client = draw.choice(rows), draw.choice(clients)
        # Whether aiohttp hands on what came before bytes that it cannot decode is up to the network.
        if not (row.scenario == "gzip_broken" and client == "aiohttp"):
            planned.append(Planned(row, client, draw.choice(deeds) if row.scenario == STALLS else "read"))
    # Each deed with each library, however few calls there are.
    stalls = next(row for row in rows if row.scenario == STALLS)
    return planned + [Planned(stalls, *each) for each in itertools.product(clients, deeds)]


def accounts(telemetry: Telemetry) -> Counter[tuple[str | None, ...]]:
    return Counter(
        (call.attributes.get("after200.client"), call.outcome, call.phase, call.error_type) for call in telemetry.calls
    )


def differences(
    expected: Counter[tuple[str | None, ...]], found: Counter[tuple[str | None, ...]]
) -> tuple[dict[tuple[str | None, ...], int], dict[tuple[str | None, ...], int]]:
    """What was expected and not found, and what was found and not expected, each with how often."""
    return dict(expected - found), dict(found - expected)


def url_of(server: FaultServer, planned: Planned) -> str:
    # With a key of its own each, since what a server plays may depend on how often it was asked.
    return server.base_url(planned.row.scenario, str(next(_keys))) + "/v1/messages"


def wants_to_leave(planned: Planned, line: bytes | str) -> bool:
    return planned.deed == "leave" and CONTENT in (line if isinstance(line, bytes) else line.encode())


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--calls", CALLS_IN_CI))


# --- async ---


async def aread_httpx(client: Any, url: str, planned: Planned, came: asyncio.Event) -> None:
    async with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
        async for line in response.aiter_lines():
            if CONTENT in line.encode():
                came.set()
            if wants_to_leave(planned, line):
                return


async def aread_aiohttp(session: Any, url: str, planned: Planned, came: asyncio.Event) -> None:
    async with session.post(url, json=STREAM, headers=HEADERS) as response:
        async for line in response.content:
            if CONTENT in line:
                came.set()
            if wants_to_leave(planned, line):
                return


async def acall(
    read: Callable[..., Awaitable[None]], client: Any, server: FaultServer, planned: Planned, turn: asyncio.Semaphore
) -> None:
    async with turn:
        came = asyncio.Event()
        task = asyncio.ensure_future(read(client, url_of(server, planned), planned, came))
        if planned.deed == "cancel":
            await came.wait()
            await asyncio.sleep(0)  # One turn more, in which it begins to wait for what never comes.
            task.cancel()
        await asyncio.wait([task])
        task.cancelled() or task.exception()  # It is what the application has to deal with.


async def at_once(server: FaultServer, all_planned: list[Planned]) -> None:
    turn = asyncio.Semaphore(AT_ONCE)
    async with (
        httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=60) as client,
        httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None), timeout=60) as client2,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        means = {"httpx": (aread_httpx, client), "httpx2": (aread_httpx, client2), "aiohttp": (aread_aiohttp, session)}
        await asyncio.gather(*(acall(*means[planned.client], server, planned, turn) for planned in all_planned))


def test_of_many_async_calls_at_once_each_is_counted_once(telemetry: Telemetry, calls: int) -> None:
    all_planned = plan(calls, ("httpx", "httpx2", "aiohttp"), ("leave", "cancel"))
    with FaultServer() as server, recorded(telemetry):
        asyncio.run(at_once(server, all_planned))
        gc.collect()
        served = len(server.wait_idle(PATIENCE_S))
    assert len(all_planned) == served
    assert ({}, {}) == differences(Counter(planned.account for planned in all_planned), accounts(telemetry))
    assert served == telemetry.total("after200.calls")
    assert (0, []) == (telemetry.total("after200.streams.open"), telemetry.open_spans)


# --- threads ---


def read_httpx(client: Any, url: str, planned: Planned) -> None:
    with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
        for line in response.iter_lines():
            if wants_to_leave(planned, line):
                return


def read_requests(session: requests.Session, url: str, planned: Planned) -> None:
    with session.post(url, json=STREAM, headers=HEADERS, stream=True) as response:
        for line in response.iter_lines(chunk_size=1):
            if wants_to_leave(planned, line):
                return


def test_of_many_calls_in_threads_each_is_counted_once(telemetry: Telemetry, calls: int) -> None:
    all_planned = plan(calls // 2, ("httpx", "requests"), ("leave",))
    work: queue.SimpleQueue[Planned] = queue.SimpleQueue()
    for planned in all_planned:
        work.put(planned)

    def worker(server: FaultServer) -> None:
        with httpx.Client(timeout=60) as client, requests.Session() as session:
            while True:
                try:
                    planned = work.get_nowait()
                except queue.Empty:
                    return
                try:
                    if planned.client == "httpx":
                        read_httpx(client, url_of(server, planned), planned)
                    else:
                        read_requests(session, url_of(server, planned), planned)
                except (httpx.HTTPError, requests.RequestException):
                    continue

    with FaultServer() as server, recorded(telemetry):
        threads = [threading.Thread(target=worker, args=(server,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gc.collect()
        served = len(server.wait_idle(PATIENCE_S))
    assert len(all_planned) == served
    assert ({}, {}) == differences(Counter(planned.account for planned in all_planned), accounts(telemetry))
    assert (0, []) == (telemetry.total("after200.streams.open"), telemetry.open_spans)


# --- memory ---


class Forgetful(Telemetry):
    """Telemetry that need not be kept."""

    def forget(self) -> None:
        self._ended.clear()
        self._spans.clear()
        self._logs.clear()


def test_memory_is_flat_over_many_calls(calls: int) -> None:
    telemetry = Forgetful()
    answers = itertools.cycle(body(*HEAD, *rest) for rest in ((CLOSING, DELTA, STOP), (error("overloaded_error"),), ()))
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=iter(next(answers))))

    def blocks(client: httpx.Client, number: int) -> int:
        for deed in itertools.islice(itertools.cycle(("read", "read", "read", "leave", "leave", "leave")), number):
            with client.stream("POST", "http://test/v1/messages", json=STREAM) as response:
                for line in response.iter_lines():
                    if deed == "leave" and CONTENT in line.encode():
                        break
        telemetry.all_points()
        telemetry.forget()
        gc.collect()
        return sys.getallocatedblocks()

    with recorded(telemetry), httpx.Client(transport=transport) as client:
        blocks(client, 1_600)  # Until the histograms have seen most of what there is to see.
        before = blocks(client, 18)
        assert blocks(client, calls - calls % 18) - before < SLACK


def test_memory_is_flat_over_the_length_of_a_stream(telemetry: Telemetry) -> None:
    delta = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}\n\n'
    )
    transport = httpx.MockTransport(
        lambda _: httpx.Response(
            200, headers={"content-type": "text/event-stream"}, content=itertools.repeat(delta, 20_000)
        )
    )
    with (
        recorded(telemetry),
        httpx.Client(transport=transport) as client,
        client.stream("POST", "http://test/v1/messages", json=STREAM) as response,
    ):
        pieces = response.iter_bytes()
        next(itertools.islice(pieces, 1_000, None))
        before = sys.getallocatedblocks()
        next(itertools.islice(pieces, 18_000, None))
        assert sys.getallocatedblocks() - before < SLACK
