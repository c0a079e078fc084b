# SPDX-License-Identifier: Apache-2.0
"""The same call twice over a real socket, through a bare library and with the package: the application sees the same.

What is drawn: the bytes of the response with its framing in HTTP/1 or HTTP/2, the library, what the application
sends and how it reads, leaves, drops, cancels or has a timeout, and how its client is set up.

`pytest tests/transparency tests/libraries/test_fuzz_wire.py --examples 5000` tries more of them.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import gzip
import json
import re
import threading
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import botocore.session
import httpx
import httpx2
import pytest
import requests
from botocore.config import Config
from hypothesis import Phase, given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ..support.fuzzing import fuzz_settings, logged_faults
from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, error, frame_chunks, sse_chunks, whole_bodies
from ..support.patience import PATIENCE_S
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .http2 import Answered, PlayedHTTP2Server
from .ways import HEADERS
from .wire import CONTINUE, Played, WireServer

EXAMPLES_IN_CI = 30
PHASES = (Phase.generate,)
"""A case is small enough to be read as it was drawn, and to play one takes long."""

PATH = "/v1/messages"
MODEL = "anthropic.claude-test-v1:0"

# --- what is drawn ---

STREAMS = st.sampled_from([body(*HEAD, CLOSING, DELTA, STOP), body(*HEAD, error("overloaded_error")), body(*HEAD)])
BODIES = {
    "text/event-stream": STREAMS | sse_chunks,
    "application/vnd.amazon.eventstream": frame_chunks,
    "application/json": whole_bodies.map(lambda body: (body,)),
}
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": lambda data: data,  # That is no brotli.
}
FRAMINGS = ("length", "chunked", "chunked with trailers", "close", "old")
ENDS = (*("whole",) * 6, *("cut", "wait") * 2, "silence")
SILENCE_S = 0.25
"""The read timeout of a client whose server falls silent. All that the server sends is there before it begins."""

LONG_SILENCE_S = 20.0
"""The read timeout where a shorter one made a difference: a machine that stops for so long a time is none."""
STATUSES = (200, 200, 200, 200, 200, 200, 400, 429, 529, 204, 304, 307, 303, 401)
SEND = (*("json",) * 8, *("bytes", "pieces") * 2, "GET", "HEAD", "OPTIONS")
SETUPS: dict[str, tuple[str, ...]] = {
    "httpx": ("", "", "hook reads", "hook raises", "auth", "redirects", "retries", "close"),
    "httpx2": ("", "", "hook reads", "hook raises", "auth", "redirects", "retries", "close"),
    "httpx async": ("", "", "hook reads", "hook raises", "auth", "redirects", "retries", "close"),
    "httpx2 async": ("", "hook reads", "auth"),
    "aiohttp": ("", "", "raise_for_status", "no redirects", "not decoded", "trace", "close"),
    "requests": ("", "", "hook reads", "hook raises", "no redirects", "retries", "auth", "close"),
    "botocore": ("", "retries"),
}
LIBRARIES = tuple(SETUPS)
READS: dict[str, tuple[str, ...]] = {
    "httpx": ("iter_lines", "iter_bytes", "iter_raw", "iter_text", "read", "iter_bytes(1)"),
    "aiohttp": (
        *("lines", "iter_any", "iter_chunked", "iter_chunks", "readany", "readline", "readchunk", "readuntil"),
        *("readexactly", "read", "read(n)", "text", "json", "content.read"),
    ),
    "requests": (
        *("iter_lines", "iter_content", "iter_content(1)", "content", "text", "json", "raw.stream", "raw.read"),
        *("raw.read(n)", "raw", "raw.readline", "raw.read1", "raw.data"),
    ),
    "botocore": ("stream", "whole", "iter_lines", "iter_chunks", "read(n)"),
}
LEAVE = ("", "", "", "break", "close", "drop", "raise")


@dataclass(frozen=True)
class Case:
    """One call: what is answered, and what the application does."""

    library: str
    setup: str
    send: str
    stream: bool
    streams: bool
    """Whether the application asks the library for a body that it reads itself."""

    read: str
    leave: str
    pieces: int
    status: int
    content_type: str
    chunks: tuple[bytes, ...]
    encoding: str
    framing: str
    end: str
    keep_alive: bool
    hints: bool
    one_by_one: bool
    silence: float = SILENCE_S
    """The read timeout, where the server falls silent."""

    @property
    def is_call(self) -> bool:
        return self.send not in ("GET", "HEAD", "OPTIONS")

    @property
    def waits(self) -> bool:
        """Whether the rest of the body never comes, which needs a task that can be cancelled."""
        return self.end == "wait"

    @property
    def is_silent(self) -> bool:
        """Whether the rest of the body never comes, and the client has a timeout for that."""
        return self.end == "silence"

    @property
    def is_http2(self) -> bool:
        return self.framing.startswith("http2")


HTTPX = tuple(library for library in LIBRARIES if library.startswith("httpx"))
HTTP2_FRAMINGS = ("http2", "http2 with length")
HTTP2_ENDS = ("whole", "whole", "trailers", "reset", "goaway", "refused", "cut")


@st.composite
def cases_over_http2(draw: st.DrawFn) -> Case:
    case = draw(cases(HTTPX))
    # The connection is no concern of a request of HTTP/2, whose client refuses to send such a header.
    setup = "" if case.setup == "close" else case.setup
    end = case.end if case.waits or case.is_silent else draw(st.sampled_from(HTTP2_ENDS))
    return replace(case, setup=setup, end=end, framing=draw(st.sampled_from(HTTP2_FRAMINGS)))


@st.composite
def cases(draw: st.DrawFn, libraries: tuple[str, ...] = LIBRARIES) -> Case:
    library = draw(st.sampled_from(libraries))
    kind = draw(st.sampled_from(list(BODIES)))
    end = draw(st.sampled_from(ENDS))
    is_async = library == "aiohttp" or library.endswith("async")
    if end == "wait" and not is_async:
        end = "cut"
    silent = end == "silence"
    encoding = draw(st.sampled_from(list(ENCODINGS))) if draw(st.integers(0, 3)) == 3 else ""
    # aiohttp loses what nobody has read when its body breaks: whether an application saw it is up to the network.
    stays = silent or (library == "aiohttp" and (end == "cut" or encoding == "br"))
    return Case(
        library,
        # Nobody reads the body before the application has seen that all of it is there.
        draw(st.sampled_from(SETUPS[library] if not silent else ("", "close"))),
        draw(st.sampled_from(SEND)) if library != "botocore" else "json",
        draw(st.booleans()),
        silent or end == "wait" or draw(st.integers(0, 3)) > 0,
        draw(st.sampled_from(READS[library.removesuffix(" async").replace("httpx2", "httpx")])),
        "" if stays else draw(st.sampled_from(LEAVE)),
        draw(st.integers(0, 4)),
        200 if silent or end == "wait" else draw(st.sampled_from(STATUSES)),
        kind,
        tuple(draw(BODIES[kind])),
        encoding,
        draw(st.sampled_from(FRAMINGS)),
        end,
        draw(st.booleans()),
        draw(st.integers(0, 9)) == 9,
        draw(st.integers(0, 9)) == 9,
    )


def played(case: Case) -> list[Played]:
    """What the server plays: where a client is to send again, a first answer that makes it do so."""
    first: list[Played] = []
    nothing = b"content-length: 0\r\n\r\n"
    status = first_status(case)
    if status is not None:
        location = b"location: " + PATH.encode() + b"?again\r\n" if status in (303, 307) else b""
        first = [Played((b"HTTP/1.1 %d Status\r\n" % status + location + nothing,))]
    return [*first, answer(case)]


def first_status(case: Case) -> int | None:
    """The status of a first answer that makes the client send again; None where there is none."""
    if case.setup == "auth":
        return 401
    if case.setup == "retries":
        return 529
    if case.setup == "redirects" or case.status in (303, 307):
        return 303 if case.status == 303 else 307
    return None


def played_over_http2(case: Case) -> list[Answered]:
    """What the server of HTTP/2 plays."""
    first = first_status(case)
    location = (("location", f"{PATH}?again"),) if first in (303, 307) else ()
    status = 200 if case.status in (303, 307) else case.status
    body = ENCODINGS[case.encoding](b"".join(case.chunks))
    pieces = (body,) if case.encoding else case.chunks
    if case.one_by_one:
        pieces = tuple(body[at : at + 1] for at in range(len(body)))
    has_body = status not in (204, 304) and case.send != "HEAD"
    headers = [("content-type", case.content_type)]
    if case.encoding:
        headers.append(("content-encoding", case.encoding))
    if case.framing == "http2 with length":
        headers.append(("content-length", str(len(body) + (3 if case.end not in ("whole", "trailers") else 0))))
    end = "wait" if case.waits or case.is_silent else case.end if has_body else "whole"
    answered = Answered(status, tuple(headers), pieces if has_body else (), end, case.hints)
    return [*([] if first is None else [Answered(first, location)]), answered]


def answer(case: Case) -> Played:
    status = 200 if case.status in (303, 307) else case.status
    body = ENCODINGS[case.encoding](b"".join(case.chunks))
    chunks = (body,) if case.encoding else tuple(chunk for chunk in case.chunks if chunk)
    if case.one_by_one:
        chunks = tuple(body[at : at + 1] for at in range(len(body)))
    version = b"HTTP/1.0" if case.framing == "old" else b"HTTP/1.1"
    head = b"%s %d Status\r\ncontent-type: %s\r\n" % (version, status, case.content_type.encode())
    if case.encoding:
        head += b"content-encoding: %s\r\n" % case.encoding.encode()
    if not case.keep_alive:
        head += b"connection: close\r\n"
    then = "wait" if case.waits or case.is_silent else "next" if case.keep_alive and case.end == "whole" else "close"
    has_body = status not in (204, 304) and case.send != "HEAD"
    if case.framing == "length":
        head += b"content-length: %d\r\n" % (len(body) + (3 if case.end != "whole" else 0))
    elif case.framing.startswith("chunked") and has_body:  # Without a body, http.client would wait for a chunk of it.
        head += b"transfer-encoding: chunked\r\n"
        chunks = tuple(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        if case.end == "whole":
            trailers = b"x-checksum: abc\r\n" if case.framing != "chunked" else b""
            chunks = (*chunks, b"0\r\n" + trailers + b"\r\n")
    elif then == "next":
        then = "close"
    hints = (CONTINUE,) if case.hints and case.framing != "old" else ()
    return Played((*hints, head + b"\r\n", *(chunks if has_body else ())), then)


# --- the application ---


class LeftError(Exception):
    """What an application raises that has read enough."""


class Trace:
    """What an application sees. Bytes whose cuts the network decides on are joined."""

    def __init__(self, all_sent: threading.Event | None = None) -> None:
        """`all_sent`: what is set once the server has sent all, where the application must not read before."""
        self.seen: list[Any] = []
        self._all_sent = all_sent

    def head(self, *what: object) -> None:
        """The application has the head of the response."""
        self(what)
        if self._all_sent is not None:
            assert self._all_sent.wait(PATIENCE_S)

    def __call__(self, what: object, *, joins: bool = False) -> None:
        if joins and not what:
            return
        if joins and self.seen and isinstance(self.seen[-1], list):
            self.seen[-1][0] += what
        else:
            self.seen.append([what] if joins else what)


def body_of(case: Case) -> bytes:
    return json.dumps({**REQUEST, "stream": case.stream}).encode()


def content_of(case: Case) -> dict[str, Any]:
    """The keywords that say what is sent, for httpx."""
    if not case.is_call:
        return {}
    if case.send == "json":
        return {"json": {**REQUEST, "stream": case.stream}}
    if case.send == "pieces":
        return {"content": pieces(case)}
    return {"content": body_of(case)}


def pieces(case: Case) -> Iterator[bytes]:
    body = body_of(case)
    yield body[:9]
    yield body[9:]


async def apieces(case: Case) -> AsyncIterator[bytes]:
    for piece in pieces(case):
        yield piece


def timeout_of(case: Case) -> float:
    """The read timeout of the client, in seconds."""
    return case.silence if case.is_silent else 30.0


def method_of(case: Case) -> str:
    return "POST" if case.is_call else case.send


def headers_of(case: Case) -> dict[str, str]:
    return {**HEADERS, **({"connection": "close"} if case.setup == "close" else {})}


def take(case: Case, each: Iterator[Any], trace: Trace, *, joins: bool) -> bool:
    """Sees each piece; returns whether the application left. Where the network cuts, it leaves at the first."""
    return any(leaves(case, number, piece, trace, joins=joins) for number, piece in enumerate(each))


def leaves(case: Case, number: int, piece: Any, trace: Trace, *, joins: bool) -> bool:
    """Sees a piece; returns whether the application leaves."""
    if case.leave and (number >= case.pieces or joins) and piece:
        trace("left")
        if case.leave == "raise":
            raise LeftError
        return True
    trace(piece, joins=joins)
    return False


class SignsAgain(httpx.Auth):
    """Sends the request once more when it is refused, as an OAuth flow does."""

    requires_response_body = True

    def auth_flow(self, request: Any) -> Any:
        request.headers["authorization"] = "old"
        response = yield request
        if response.status_code == 401:
            request.headers["authorization"] = "new"
            yield request


class SignsAgain2(httpx2.Auth):
    """The same for httpx2."""

    requires_response_body = True
    auth_flow = SignsAgain.auth_flow


class Resends(httpx.BaseTransport):
    """A transport of the application that sends again what was overloaded."""

    def __init__(self, package: Any, versions: dict[str, bool]) -> None:
        self._inner = package.HTTPTransport(**versions)

    def handle_request(self, request: Any) -> Any:
        response = self._inner.handle_request(request)
        if response.status_code == 529:
            response.close()
            response = self._inner.handle_request(request)
        return response

    def close(self) -> None:
        self._inner.close()


class AResends(httpx.AsyncBaseTransport):
    """The async twin of `Resends`."""

    def __init__(self, package: Any, versions: dict[str, bool]) -> None:
        self._inner = package.AsyncHTTPTransport(**versions)

    async def handle_async_request(self, request: Any) -> Any:
        response = await self._inner.handle_async_request(request)
        if response.status_code == 529:
            await response.aclose()
            response = await self._inner.handle_async_request(request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def options_of(case: Case, package: Any, trace: Trace, *, asynchronous: bool) -> dict[str, Any]:
    """How a client of httpx or httpx2 is set up."""
    found: dict[str, Any] = {"trust_env": False, "timeout": package.Timeout(30, read=timeout_of(case))}
    versions = {"http1": False, "http2": True} if case.is_http2 else {}
    found |= versions
    if case.setup == "redirects":
        found["follow_redirects"] = True
    elif case.setup == "retries":
        found["transport"] = (AResends if asynchronous else Resends)(package, versions)
    elif case.setup == "auth":
        found["auth"] = (SignsAgain if package is httpx else SignsAgain2)()
    elif case.setup.startswith("hook"):
        raises = case.setup == "hook raises"

        def hook(response: Any) -> None:
            response.raise_for_status() if raises else response.read()
            trace(("hook", response.status_code))

        async def ahook(response: Any) -> None:
            response.raise_for_status() if raises else await response.aread()
            trace(("hook", response.status_code))

        found["event_hooks"] = {"response": [ahook if asynchronous else hook]}
    return found


def read_httpx(case: Case, url: str, trace: Trace, package: Any = httpx) -> None:
    client = package.Client(**options_of(case, package, trace, asynchronous=False))
    request = client.build_request(method_of(case), url, headers=headers_of(case), **content_of(case))
    response = client.send(request, stream=case.streams)
    trace.head(response.status_code, dict(response.headers), [each.status_code for each in response.history])
    left = False
    if case.read == "read":
        trace(response.read())
    elif case.read == "iter_bytes(1)":
        left = take(case, response.iter_bytes(1), trace, joins=True)
    else:
        left = take(case, getattr(response, case.read)(), trace, joins=case.read != "iter_lines")
    if left and case.leave == "drop":
        return
    response.close()
    trace((response.is_closed, response.is_stream_consumed))
    client.close()


async def aread_httpx(case: Case, url: str, trace: Trace, package: Any = httpx) -> None:
    sent = content_of(case)
    if case.send == "pieces":
        sent = {"content": apieces(case)}
    client = package.AsyncClient(**options_of(case, package, trace, asynchronous=True))
    request = client.build_request(method_of(case), url, headers=headers_of(case), **sent)
    response = await client.send(request, stream=case.streams)
    trace.head(response.status_code, dict(response.headers), [each.status_code for each in response.history])
    left = False
    if case.read == "read":
        trace(await response.aread())
    else:
        each = response.aiter_bytes(1) if case.read == "iter_bytes(1)" else getattr(response, f"a{case.read}")()
        left = await atake(case, each, trace, joins=case.read != "iter_lines")
    if left and case.leave == "drop":
        return
    await response.aclose()
    trace((response.is_closed, response.is_stream_consumed))
    await client.aclose()


async def atake(case: Case, each: AsyncIterator[Any], trace: Trace, *, joins: bool) -> bool:
    number = 0
    async for piece in each:
        data = piece[0] if isinstance(piece, tuple) else piece
        if leaves(case, number, data, trace, joins=joins):
            return True
        number += 1
    return False


async def reads(read: Callable[[], Any]) -> AsyncIterator[Any]:
    """What a read gives, until there is no more."""
    while (piece := await read()) not in (b"", (b"", False)):
        yield piece


async def aread_aiohttp(case: Case, url: str, trace: Trace) -> None:
    def on_chunk(*args: Any) -> Any:
        return asyncio.sleep(0)

    tracing = aiohttp.TraceConfig()
    tracing.on_response_chunk_received.append(on_chunk)
    session = aiohttp.ClientSession(
        raise_for_status=case.setup == "raise_for_status",
        auto_decompress=case.setup != "not decoded",
        trace_configs=[tracing] if case.setup == "trace" else None,
        timeout=aiohttp.ClientTimeout(sock_read=timeout_of(case)),
    )
    sent: dict[str, Any] = {}
    if case.is_call:
        sent = {"json": {**REQUEST, "stream": case.stream}} if case.send == "json" else {"data": body_of(case)}
        if case.send == "pieces":
            sent = {"data": apieces(case)}
    try:
        response = await session.request(
            method_of(case), url, headers=headers_of(case), allow_redirects=case.setup != "no redirects", **sent
        )
    except BaseException:
        await session.close()
        raise
    trace.head(response.status, dict(response.headers), [each.status for each in response.history])
    try:
        left = await aread_content(case, response, trace)
    except BaseException:
        await session.close()
        raise
    if left and case.leave == "drop":
        return
    response.close() if case.leave == "close" else await release(response)
    trace((response.closed, response.content.at_eof() if not left else None))
    await session.close()


async def release(response: Any) -> None:
    released = response.release()
    if released is not None:
        await released


async def aread_content(case: Case, response: Any, trace: Trace) -> bool:
    content = response.content
    if case.read in ("read", "text"):
        whole = await (response.read() if case.read == "read" else response.text(errors="replace"))
        trace(whole)
        return False
    if case.read == "json":
        trace(await response.json(content_type=None))
        return False
    if case.read == "content.read":
        trace(await content.read())
        return False
    if case.read == "readexactly":
        try:
            while True:
                trace(await content.readexactly(50))
        except asyncio.IncompleteReadError as error:
            trace(error.partial)
        return False
    ways: dict[str, Callable[[], Any]] = {
        "lines": lambda: content.__aiter__(),
        "iter_any": content.iter_any,
        "iter_chunked": lambda: content.iter_chunked(7),
        "iter_chunks": content.iter_chunks,
        "readany": lambda: reads(content.readany),
        "readline": lambda: reads(content.readline),
        "readchunk": lambda: reads(content.readchunk),
        "readuntil": lambda: reads(lambda: content.readuntil(b"\n\n")),
        "read(n)": lambda: reads(lambda: content.read(9)),
    }
    exact = case.read in ("lines", "readline", "readuntil")
    return await atake(case, ways[case.read](), trace, joins=not exact)


def read_requests(case: Case, url: str, trace: Trace) -> None:
    session = requests.Session()
    session.trust_env = False
    hooks: dict[str, Any] = {}
    if case.setup == "retries":
        retry = Retry(total=1, status_forcelist=[529], allowed_methods=None, backoff_factor=0, raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=retry))
    elif case.setup == "hook reads":
        hooks["response"] = lambda response, **_: trace(("hook", response.content))
    elif case.setup == "hook raises":
        hooks["response"] = lambda response, **_: response.raise_for_status()
    elif case.setup == "auth":
        hooks["response"] = sends_again
    data: Any = None
    if case.is_call:
        data = pieces(case) if case.send == "pieces" else body_of(case)
    response = session.request(
        method_of(case), url, data=data, headers=headers_of(case), stream=case.streams, hooks=hooks,
        allow_redirects=case.setup != "no redirects", timeout=(30, timeout_of(case)),
    )  # fmt: skip
    trace.head(response.status_code, dict(response.headers), [each.status_code for each in response.history])
    left = False
    raw = response.raw
    if case.read in ("content", "text"):
        trace(getattr(response, case.read))
    elif case.read == "json":
        trace(response.json())
    elif case.read == "raw.data":
        trace(raw.data)
    elif case.read == "raw.read":
        trace(raw.read(decode_content=True))
    else:
        ways: dict[str, Callable[[], Any]] = {
            "iter_lines": lambda: response.iter_lines(1),
            "iter_content": lambda: response.iter_content(16),
            "iter_content(1)": lambda: response.iter_content(1),
            "raw.stream": lambda: raw.stream(16, decode_content=True),
            "raw.read(n)": lambda: iter(lambda: raw.read(16), b""),
            "raw": lambda: iter(raw),
            "raw.readline": lambda: iter(raw.readline, b""),
            "raw.read1": lambda: iter(lambda: raw.read1(16), b""),
        }
        left = take(case, ways[case.read](), trace, joins=case.read not in ("iter_lines", "raw", "raw.readline"))
    if left and case.leave == "drop":
        return
    response.close()
    session.close()


def sends_again(response: Any, **options: Any) -> Any:
    """What requests' digest authentication does: it sends a copy of the request on the same connection."""
    if response.status_code != 401 or "again" in response.request.headers:
        return response
    response.content  # noqa: B018
    response.close()
    request = response.request.copy()
    request.headers["again"] = "1"
    if hasattr(request.body, "__next__"):
        return response
    found = response.connection.send(request, **options)
    found.history.append(response)
    found.request = request
    return found


@functools.cache
def bedrock(url: str, setup: str, timeout: float) -> Any:
    session = botocore.session.Session()
    session.set_credentials("none", "none")
    attempts = 2 if setup == "retries" else 1
    return session.create_client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        config=Config(retries={"total_max_attempts": attempts}, read_timeout=timeout),
    )


def read_botocore(case: Case, url: str, trace: Trace) -> None:
    client = bedrock(url, case.setup, timeout_of(case))
    body = body_of(case)
    if case.read == "stream":
        answered = client.invoke_model_with_response_stream(modelId=MODEL, body=body)
        trace.head(answered["ResponseMetadata"]["HTTPStatusCode"])
        stream = answered["body"]
        if take(case, iter(stream), trace, joins=False) and case.leave == "drop":
            return
        stream.close()
        return
    answered = client.invoke_model(modelId=MODEL, body=body)
    trace.head(answered["ResponseMetadata"]["HTTPStatusCode"], answered["contentType"])
    stream = answered["body"]
    if case.read == "whole":
        trace(stream.read())
    elif case.read == "read(n)":
        take(case, iter(lambda: stream.read(16), b""), trace, joins=True)
    else:
        take(case, getattr(stream, case.read)(16), trace, joins=case.read != "iter_lines")
    if case.leave != "drop":
        stream.close()


# --- playing a case ---

_ADDRESSES = re.compile(r"0x[0-9a-f]+|127\.0\.0\.1:\d+|port=\d+|\('127\.0\.0\.1', \d+\)|\bfd=\d+")


def words(what: object) -> str:
    return _ADDRESSES.sub("#", str(what))


SYNC: dict[str, Callable[[Case, str, Trace], None]] = {
    "httpx": read_httpx,
    "httpx2": lambda case, url, trace: read_httpx(case, url, trace, httpx2),
    "requests": read_requests,
    "botocore": read_botocore,
}
ASYNC: dict[str, Callable[[Case, str, Trace], Any]] = {
    "httpx async": aread_httpx,
    "httpx2 async": lambda case, url, trace: aread_httpx(case, url, trace, httpx2),
    "aiohttp": aread_aiohttp,
}


async def arun(case: Case, url: str, trace: Trace, waiting: threading.Event) -> None:
    loop = asyncio.get_running_loop()
    said: list[str] = []
    loop.set_exception_handler(lambda _, context: said.append(words(context["message"])))
    task = asyncio.ensure_future(ASYNC[case.library](case, url, trace))
    if case.waits:
        await waits(task, waiting)
        task.cancel()
    await asyncio.wait([task])
    try:
        if task.cancelled():
            trace("cancelled")
        elif (exception := task.exception()) is not None:
            saw(exception, trace)
            exception.__traceback__ = None
            del exception
    finally:
        del task
    gc.collect()
    await asyncio.sleep(0)
    trace(("the loop", sorted(said)))


async def waits(task: Any, waiting: threading.Event) -> None:
    """Returns once the task has ended, or waits for what never comes: the server has sent all, and the loop read it."""
    while not task.done() and not waiting.is_set():
        await asyncio.sleep(0.001)
    for _ in range(100):
        await asyncio.sleep(0)


def saw(exception: BaseException, trace: Trace) -> None:
    chain = []
    found: BaseException | None = None if isinstance(exception, LeftError) else exception
    while found is not None:
        chain.append((type(found).__module__, type(found).__qualname__, words(found)))
        found = found.__cause__
    trace(("raised", chain))


def watch(case: Case, server: WireServer | PlayedHTTP2Server) -> list[Any]:
    """What the application sees, and what the server does."""
    trace = Trace(server.waiting if case.is_silent else None)
    if isinstance(server, PlayedHTTP2Server):
        server.play(played_over_http2(case))
    else:
        server.play(played(case))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run(case, server, trace)
        gc.collect()
    said = (words(each.message).split("\n")[0] for each in warned)
    # Whether a connection is still open when it is dropped depends on when the server hangs up.
    unsure = ("unclosed transport", "unclosed <socket")
    trace(("warnings", sorted(line for line in said if not line.startswith(unsure))))
    trace(("requests", list(server.requests)))
    return trace.seen


def kept(case: Case, seen: list[Any]) -> list[Any]:
    """What of a trace is the same each time: aiohttp loses what nobody has read when its body breaks."""
    breaks = case.library == "aiohttp" and any(each[0] == "raised" for each in seen if isinstance(each, tuple))
    return [each for each in seen if not (breaks and isinstance(each, bytes | list))]


def run(case: Case, server: WireServer | PlayedHTTP2Server, trace: Trace) -> None:
    url = server.url if case.library == "botocore" else server.url + PATH
    if case.library in ASYNC:
        asyncio.run(arun(case, url, trace, server.waiting))
        return
    try:
        SYNC[case.library](case, url, trace)
    except Exception as exception:
        saw(exception, trace)


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    server = WireServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def wire_of_http2() -> Iterator[PlayedHTTP2Server]:
    server = PlayedHTTP2Server()
    yield server
    server.close()


def calls_of(case: Case, requests_made: int) -> int:
    """How many calls there are: each request of botocore's, and one of any other library however often it sends."""
    if not case.is_call:
        return 0
    return requests_made if case.library == "botocore" else 1


READ_ALIKE = {
    "httpx": "iter_bytes",
    "httpx async": "iter_raw",
    "httpx2": "read",
    "aiohttp": "iter_any",
    "requests": "raw.readline",
}
"""A way to read a body to its end through each library that has the same calls."""


def test_the_same_bytes_are_recorded_alike_through_each_library(examples: int | None, wire: WireServer) -> None:
    @fuzz_settings(examples, EXAMPLES_IN_CI // 3, phases=PHASES)
    @given(case=cases(("httpx",)))
    def compare(case: Case) -> None:
        # httpx does not follow a redirect unless it is asked to.
        status = 200 if case.status in (303, 307) else case.status
        case = replace(case, end="cut" if case.is_silent else case.end)
        alike = {"setup": "", "send": "json", "leave": "", "streams": True, "hints": False, "status": status}
        recorded_by: dict[str, tuple[Any, ...]] = {}
        for library, read in READ_ALIKE.items():
            telemetry = Telemetry()
            with recorded(telemetry):
                seen = watch(replace(case, library=library, read=read, **alike), wire)
                if any(each[0] == "raised" for each in seen if isinstance(each, tuple)):
                    return  # What a library raises, and when, is its own.
                telemetry.all_points()
            [call] = telemetry.calls
            answer = call.attributes.get("after200.answer")
            recorded_by[library] = (call.outcome, call.phase, call.error_type, call.status, call.wire_status, answer)
        assert dict.fromkeys(READ_ALIKE, recorded_by["httpx"]) == recorded_by

    compare()


def compare(case: Case, server: WireServer | PlayedHTTP2Server, faults: list[str]) -> None:
    """Plays a case without the package and with it. What differs with a short timeout has to differ with a long one."""
    for silence in (SILENCE_S, LONG_SILENCE_S) if case.is_silent else (SILENCE_S,):
        case = replace(case, silence=silence)
        telemetry = Telemetry()
        without = watch(case, server)
        with recorded(telemetry):
            with_package = watch(case, server)
            gc.collect()
            telemetry.all_points()
        if kept(case, without) == kept(case, with_package):
            break
    assert kept(case, without) == kept(case, with_package)
    assert [] == faults
    assert calls_of(case, len(server.requests)) == telemetry.total("after200.calls")
    assert [] == telemetry.open_spans
    assert 0 == telemetry.total("after200.streams.open")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Yields the faults of the package. No other thread may be collecting when this one wants to see what is gone."""
    gc.disable()
    try:
        with logged_faults() as faults:
            yield faults
    finally:
        gc.enable()


def test_an_application_sees_with_the_package_what_it_sees_without_over_a_socket(
    examples: int | None, wire: WireServer
) -> None:
    @fuzz_settings(examples, EXAMPLES_IN_CI, phases=PHASES)
    @given(case=cases())
    def play(case: Case) -> None:
        compare(case, wire, faults)

    with watched() as faults:
        play()


def test_an_application_sees_with_the_package_what_it_sees_without_over_http2(
    examples: int | None, wire_of_http2: PlayedHTTP2Server
) -> None:
    @fuzz_settings(examples, EXAMPLES_IN_CI // 2, phases=PHASES)
    @given(case=cases_over_http2())
    def play(case: Case) -> None:
        compare(case, wire_of_http2, faults)

    with watched() as faults:
        play()
