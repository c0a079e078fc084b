# SPDX-License-Identifier: Apache-2.0
"""The public ways of each HTTP library to make a call and to read its answer, as one table.

A reader takes the URL and the JSON of a request and shows everything that it gets to `see`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
import urllib3

from ..support.streams.surfaces import Decoding

See = Callable[[object], None]
HEADERS = {"anthropic-version": "2023-06-01"}


@dataclass(frozen=True)
class Way:
    """One way to make a call and to read what comes of it."""

    client: str
    """`after200.client`."""

    name: str
    stream: bool
    decoding: Decoding
    """`application` where the library reads the body inside its call, `lazy` where the application does."""

    read: Callable[..., None]


# --- httpx and httpx2 ---


def httpx_way(package: Any, how: Callable[[Any, See], None]) -> Callable[..., None]:
    def read(url: str, body: Any, see: See, timeout: float) -> None:
        with (
            package.Client(timeout=timeout) as client,
            client.stream("POST", url, json=body, headers=HEADERS) as response,
        ):
            see(response.status_code)
            how(response, see)

    return read


def ahttpx_way(package: Any, how: Callable[[Any, See], Awaitable[None]]) -> Callable[..., None]:
    async def aread(url: str, body: Any, see: See, timeout: float) -> None:
        async with (
            package.AsyncClient(timeout=timeout) as client,
            client.stream("POST", url, json=body, headers=HEADERS) as response,
        ):
            see(response.status_code)
            await how(response, see)

    return lambda *args: asyncio.run(aread(*args))


def each(ways: str) -> Callable[[Any, See], None]:
    def how(response: Any, see: See) -> None:
        for piece in getattr(response, ways)():
            see(piece)

    return how


def aeach(ways: str) -> Callable[[Any, See], Awaitable[None]]:
    async def how(response: Any, see: See) -> None:
        async for piece in getattr(response, ways)():
            see(piece)

    return how


def httpx_read(response: Any, see: See) -> None:
    see(response.read())


async def ahttpx_read(response: Any, see: See) -> None:
    see(await response.aread())


def httpx_post(package: Any) -> Callable[..., None]:
    def read(url: str, body: Any, see: See, timeout: float) -> None:
        response = package.post(url, json=body, headers=HEADERS, timeout=timeout)
        see(response.status_code)
        see(response.content)

    return read


def ahttpx_post(package: Any) -> Callable[..., None]:
    async def aread(url: str, body: Any, see: See, timeout: float) -> None:
        async with package.AsyncClient(timeout=timeout) as client:
            response = await client.post(url, json=body, headers=HEADERS)
            see(response.status_code)
            see(response.content)

    return lambda *args: asyncio.run(aread(*args))


def _httpx_ways(package: Any) -> list[Way]:
    name = package.__name__
    streams = [(f"{name} {ways}", httpx_way(package, each(ways))) for ways in ("iter_lines", "iter_bytes", "iter_raw")]
    streams += [
        (f"{name} async a{ways}", ahttpx_way(package, aeach(f"a{ways}")))
        for ways in ("iter_lines", "iter_text", "iter_raw")
    ]
    reads = [
        (f"{name} read", httpx_way(package, httpx_read)),
        (f"{name} async aread", ahttpx_way(package, ahttpx_read)),
    ]
    return [
        *(Way("httpx", way, True, "lazy", read) for way, read in [*streams, *reads]),
        *(Way("httpx", f"{way}, whole", False, "lazy", read) for way, read in reads),
        Way("httpx", f"{name} post", False, "application", httpx_post(package)),
        Way("httpx", f"{name} async post", False, "application", ahttpx_post(package)),
    ]


# --- aiohttp ---


def aiohttp_way(how: Callable[[Any, See], Awaitable[None]]) -> Callable[..., None]:
    async def aread(url: str, body: Any, see: See, timeout: float) -> None:
        limit = aiohttp.ClientTimeout(sock_read=timeout)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, json=body, headers=HEADERS) as response,
        ):
            see(response.status)
            await how(response, see)

    return lambda *args: asyncio.run(aread(*args))


async def content_lines(response: Any, see: See) -> None:
    async for line in response.content:
        see(line)


async def content_any(response: Any, see: See) -> None:
    async for piece in response.content.iter_any():
        see(piece)


async def content_chunked(response: Any, see: See) -> None:
    async for piece in response.content.iter_chunked(7):
        see(piece)


async def content_chunks(response: Any, see: See) -> None:
    async for piece, _ in response.content.iter_chunks():
        see(piece)


async def content_readline(response: Any, see: See) -> None:
    while line := await response.content.readline():
        see(line)


async def content_readuntil(response: Any, see: See) -> None:
    while piece := await response.content.readuntil(b"\n\n"):
        see(piece)


async def content_readany(response: Any, see: See) -> None:
    while piece := await response.content.readany():
        see(piece)


async def content_readchunk(response: Any, see: See) -> None:
    while (chunk := await response.content.readchunk()) != (b"", False):
        see(chunk[0])


async def content_read_nowait(response: Any, see: See) -> None:
    while first := await response.content.read(1):
        see(first + response.content.read_nowait())


async def content_readexactly(response: Any, see: See) -> None:
    try:
        while True:
            see(await response.content.readexactly(50))
    except asyncio.IncompleteReadError as error:
        see(error.partial)


async def content_read(response: Any, see: See) -> None:
    see(await response.content.read())


async def response_read(response: Any, see: See) -> None:
    see(await response.read())


async def response_text(response: Any, see: See) -> None:
    see(await response.text(errors="replace"))


_AIOHTTP = {
    "content": content_lines,
    "iter_any": content_any,
    "iter_chunked": content_chunked,
    "iter_chunks": content_chunks,
    "readline": content_readline,
    "readuntil": content_readuntil,
    "readany": content_readany,
    "readchunk": content_readchunk,
    "read_nowait": content_read_nowait,
    "readexactly": content_readexactly,
    "content.read": content_read,
    "read": response_read,
    "text": response_text,
}


# --- requests ---


def requests_way(how: Callable[[Any, See], None]) -> Callable[..., None]:
    def read(url: str, body: Any, see: See, timeout: float) -> None:
        with requests.post(url, json=body, headers=HEADERS, timeout=timeout, stream=True) as response:
            see(response.status_code)
            how(response, see)

    return read


def requests_post(url: str, body: Any, see: See, timeout: float) -> None:
    response = requests.post(url, json=body, headers=HEADERS, timeout=timeout)
    see(response.status_code)
    see(response.content)


def requests_bytes(size: int | None) -> Callable[[Any, See], None]:
    def how(response: Any, see: See) -> None:
        for piece in response.iter_content(size):
            see(piece)

    return how


def requests_content(response: Any, see: See) -> None:
    see(response.content)


def raw_stream(response: Any, see: See) -> None:
    for piece in response.raw.stream(64, decode_content=True):
        see(piece)


def raw_read(response: Any, see: See) -> None:
    while piece := response.raw.read(64, decode_content=True):
        see(piece)


def raw_encoded(response: Any, see: See) -> None:
    while piece := response.raw.read(64):
        see(piece)


def raw_read1(response: Any, see: See) -> None:
    while piece := response.raw.read1(64, decode_content=True):
        see(piece)


def raw_next(response: Any, see: See) -> None:
    response.raw.decode_content = True
    while line := next(response.raw, None):
        see(line)


def raw_lines(response: Any, see: See) -> None:
    for line in response.raw:
        see(line)


def raw_buffered(response: Any, see: See) -> None:
    response.raw.decode_content = True
    response.raw.auto_close = False
    for line in io.BufferedReader(response.raw):
        see(line)


_REQUESTS = {
    "iter_lines": each("iter_lines"),
    "iter_content(1)": requests_bytes(1),
    "iter_content(None)": requests_bytes(None),
    "content": requests_content,
    "raw.stream": raw_stream,
    "raw.read": raw_read,
    "raw.read, encoded": raw_encoded,
    "next(raw)": raw_next,
    "raw": raw_lines,
    "BufferedReader(raw)": raw_buffered,
}
if hasattr(urllib3.HTTPResponse, "read1"):  # from urllib3 2 on
    _REQUESTS["raw.read1"] = raw_read1


WAYS: tuple[Way, ...] = (
    *_httpx_ways(httpx),
    *_httpx_ways(httpx2),
    *(Way("aiohttp", f"aiohttp {name}", True, "lazy", aiohttp_way(how)) for name, how in _AIOHTTP.items()),
    *(
        Way("aiohttp", f"aiohttp {name}, whole", False, "lazy", aiohttp_way(_AIOHTTP[name]))
        for name in ("read", "text", "content")
    ),
    *(Way("requests", f"requests {name}", True, "lazy", requests_way(how)) for name, how in _REQUESTS.items()),
    *(
        Way("requests", f"requests {name}, whole", False, "lazy", requests_way(_REQUESTS[name]))
        for name in ("content", "raw.read")
    ),
    Way("requests", "requests post", False, "application", requests_post),
)
