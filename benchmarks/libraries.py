# SPDX-License-Identifier: Apache-2.0
"""What calls without the SDK cost, through each HTTP library over a socket: `python -m benchmarks --libraries`.

A server in a process of its own sends each event in a chunk of its own. Bare and instrumented samples take turns, and
time is that of this process's CPU, threads included.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import socket
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from time import process_time
from typing import Any, NamedTuple

import botocore.session

from after200.faults.eventstream import CHUNK_HEADERS, encode_frame

from .contestant import Telemetry
from .wire import message

BODY = {"model": "claude-sonnet-5", "max_tokens": 16, "stream": True, "messages": [{"role": "user", "content": "Hi."}]}
HEADERS = {"anthropic-version": "2023-06-01"}
LONG, SHORT = 2_000, 10
"""Deltas of the streams that cost per event, and per call, is told from."""

CALLS = 30
"""How many short streams, and requests that are no call, a sample has."""

Read = Callable[[str, int], None]
"""Makes so many requests to a URL, one after another, and reads each answer to its end by lines."""


# --- the server ---


def serve(listening: socket.socket) -> None:
    """Answers `POST /DELTAS/...` with a stream of so many deltas, on each connection in a thread."""
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as lines:
        while request := lines.readline():
            length = 0
            while (line := lines.readline().lower().strip()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            lines.read(length)
            as_frames = b"/model/" in request
            connection.sendall(answer(int(request.split(b"/")[1]), as_frames=as_frames))


def answer(deltas: int, *, as_frames: bool = False) -> bytes:
    """A response with a stream of so many deltas, as compact as the Claude API writes it, or in Bedrock's frames."""
    media_type = b"application/vnd.amazon.eventstream" if as_frames else b"text/event-stream"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % media_type
    events = [each.replace(b'": ', b'":') for each in message(deltas)]
    pieces = [frame(event) for event in events] if as_frames else events
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def frame(event: bytes) -> bytes:
    """The frame in which Bedrock sends an event."""
    data = base64.b64encode(event.partition(b"data: ")[2].strip()).decode()
    return encode_frame(CHUNK_HEADERS, f'{{"bytes":"{data}","p":"abcdefghijklmnopqrstuvwxyz"}}'.encode())


@contextmanager
def served() -> Iterator[str]:
    """Yields the URL of the server."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        process = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.kill()
            process.join()


# --- the libraries ---


def readers() -> dict[str, Read]:
    """The library, and how it reads → what does so, with one client for all requests."""
    import aiohttp
    import httpx
    import requests
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    client, session, botocore = httpx.Client(), requests.Session(), URLLib3Session()

    def read_httpx(url: str, times: int) -> None:
        for _ in range(times):
            with client.stream("POST", url, json=BODY, headers=HEADERS) as response:
                _drain(response.iter_lines())

    def aread_httpx(url: str, times: int) -> None:
        async def main() -> None:
            async with httpx.AsyncClient() as aclient:
                for _ in range(times):
                    async with aclient.stream("POST", url, json=BODY, headers=HEADERS) as response:
                        async for _line in response.aiter_lines():
                            pass

        asyncio.run(main())

    def aread_aiohttp(url: str, times: int) -> None:
        async def main() -> None:
            async with aiohttp.ClientSession() as asession:
                for _ in range(times):
                    async with asession.post(url, json=BODY, headers=HEADERS) as response:
                        async for _line in response.content:
                            pass

        asyncio.run(main())

    def read_requests(url: str, times: int) -> None:
        for _ in range(times):
            with session.post(url, json=BODY, headers=HEADERS, stream=True) as response:
                _drain(response.iter_lines())

    def read_botocore(url: str, times: int) -> None:
        for _ in range(times):
            data = json.dumps(BODY).encode()
            request = AWSRequest(method="POST", url=url, data=data, headers=HEADERS, stream_output=True)
            _drain(botocore.send(request.prepare()).raw.stream(1024))

    def read_event_stream(url: str, times: int) -> None:
        bedrock = bedrock_at(url.rpartition("/v1")[0] or url.rpartition("/")[0])
        model = "anthropic.claude" if url.endswith("/v1/messages") else "another.model"
        for _ in range(times):
            _drain(bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(BODY))["body"])

    return {
        "httpx, iter_lines": read_httpx,
        "httpx, aiter_lines": aread_httpx,
        "aiohttp, content": aread_aiohttp,
        "requests, iter_lines": read_requests,
        "botocore, raw.stream": read_botocore,
        "botocore, event stream": read_event_stream,
    }


@cache
def bedrock_at(url: str) -> Any:
    """A client for Amazon Bedrock at this URL."""
    session = botocore.session.Session()
    session.set_credentials("none", "none")
    return session.create_client("bedrock-runtime", region_name="eu-west-1", endpoint_url=url)


def _drain(pieces: Iterator[Any]) -> None:
    for _ in pieces:
        pass


# --- measuring ---


class Cost(NamedTuple):
    """Microseconds of CPU time, bare and with after200, medians over the rounds."""

    per_event: tuple[float, float]
    per_call: tuple[float, float]
    no_call: tuple[float, float]


def measure(rounds: int) -> dict[str, Cost]:
    """The cost of each library."""
    telemetry = Telemetry.of_its_own()
    with served() as url:
        loads = ((f"{url}/{LONG}/v1/messages", 1), (f"{url}/{SHORT}/v1/messages", CALLS), (f"{url}/0/other", CALLS))
        found = {}
        for name, read in readers().items():
            samples = [(_sample(read, loads), _instrumented(read, loads, telemetry)) for _ in range(rounds)]
            bare, with_package = (
                [statistics.median(each[which][load] for each in samples) for load in range(len(loads))]
                for which in (0, 1)
            )
            events = (LONG + 5, CALLS, CALLS)
            pairs = [
                (before / number * 1e6, after / number * 1e6)
                for before, after, number in zip(bare, with_package, events, strict=True)
            ]
            found[name] = Cost(*pairs)
    return found


def _sample(read: Read, loads: tuple[tuple[str, int], ...]) -> list[float]:
    times = []
    for url, number in loads:
        read(url, 1)
        before = process_time()
        read(url, number)
        times.append(process_time() - before)
    return times


def _instrumented(read: Read, loads: tuple[tuple[str, int], ...], telemetry: Telemetry) -> list[float]:
    from after200 import HTTPInstrumentor

    instrumentor = HTTPInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracer_provider, meter_provider=telemetry.meter_provider)
    try:
        return _sample(read, loads)
    finally:
        instrumentor.uninstrument()


def table(costs: dict[str, Cost]) -> str:
    """The costs as Markdown: bare, what after200 adds, and the ratio."""
    lines = [
        "| read by | per event, µs | per 10-event call, µs | a request that is no call, µs |",
        "|---|---|---|---|",
    ]
    for name, cost in costs.items():
        cells = (f"{bare:.1f} {'+-'[now < bare]} {abs(now - bare):.1f} ({now / bare:.2f})" for bare, now in cost)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
