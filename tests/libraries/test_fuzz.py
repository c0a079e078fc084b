# SPDX-License-Identifier: Apache-2.0
"""The same call twice, through a bare library and with the package: the application must see the same."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from ..support.fuzzing import fuzz_settings, logged_faults
from ..support.in_memory.bodies import frame_chunks, sse_chunks, whole_bodies
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .ways import HEADERS

URL = "http://test/v1/messages"
EXAMPLES_IN_CI = 60
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "gzip, broken": lambda data: data,
}


@dataclass(frozen=True)
class Case:
    """What is answered, and how the application reads it."""

    chunks: tuple[bytes, ...]
    content_type: str
    encoding: str
    status: int
    breaks: bool
    stream: bool
    library: str
    way: str
    pieces: int
    """After how many pieces the application leaves."""

    @property
    def body(self) -> tuple[bytes, ...]:
        if self.encoding == "identity":
            return self.chunks
        return (ENCODINGS[self.encoding](b"".join(self.chunks)),)

    @property
    def headers(self) -> dict[str, str]:
        encoding = self.encoding.partition(",")[0]
        return {"content-type": self.content_type} | ({} if encoding == "identity" else {"content-encoding": encoding})


BODIES = {
    "text/event-stream": sse_chunks,
    "application/vnd.amazon.eventstream": frame_chunks,
    "application/json": whole_bodies.map(lambda body: (body,)),
}
WAYS = ("lines", "bytes", "raw", "read", "leave")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(list(BODIES)))
    return Case(
        tuple(draw(BODIES[kind])),
        kind,
        draw(st.sampled_from(list(ENCODINGS))),
        draw(st.sampled_from([200, 200, 200, 400, 529])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from(["httpx", "requests"])),
        draw(st.sampled_from(WAYS)),
        draw(st.integers(0, 5)),
    )


# --- the application ---


class Pieces(httpx.SyncByteStream):
    """The body of an answer of httpx."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def __iter__(self) -> Iterator[bytes]:
        yield from self._case.body
        if self._case.breaks:
            raise httpx.ReadError("broken")


class Wire(io.RawIOBase):
    """The body of an answer of urllib3, as `http.client` gives it: each read gives what there is."""

    def __init__(self, case: Case) -> None:
        self._left = list(case.body)
        self._breaks = case.breaks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._left and not self._left[0]:
            del self._left[0]
        if not self._left:
            if self._breaks:
                raise ConnectionResetError("broken")
            return 0
        piece = self._left[0][: len(buffer)]
        self._left[0] = self._left[0][len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


class Adapter(HTTPAdapter):
    """Sends nothing: requests builds its response around a real one of urllib3."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._case = case

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        case = self._case
        body = urllib3.HTTPResponse(
            body=Wire(case), headers=case.headers, status=case.status, preload_content=False, decode_content=False
        )
        response: requests.Response = self.build_response(request, body)
        return response


def read_httpx(case: Case, trace: list[object]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(case.status, headers=case.headers, stream=Pieces(case))

    json = {**REQUEST, "stream": case.stream}
    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
        client.stream("POST", URL, json=json, headers=HEADERS) as response,
    ):
        trace.append((response.status_code, dict(response.headers)))
        if case.way == "read":
            trace.append(response.read())
            return
        ways: dict[str, Any] = {"lines": response.iter_lines, "raw": response.iter_raw}
        pieces = ways.get(case.way, response.iter_bytes)()
        read(case, pieces, trace)
        trace.append((response.is_closed, response.is_stream_consumed, response.num_bytes_downloaded))


def read_requests(case: Case, trace: list[object]) -> None:
    json = {**REQUEST, "stream": case.stream}
    with requests.Session() as session:
        session.mount("http://", Adapter(case))
        with session.post(URL, json=json, headers=HEADERS, stream=True) as response:
            trace.append((response.status_code, dict(response.headers)))
            if case.way == "read":
                trace.append(response.content)
                return
            pieces: Any = response.iter_content(16) if case.way != "lines" else response.iter_lines(16)
            read(case, response.raw.stream(16) if case.way == "raw" else pieces, trace)


def read(case: Case, pieces: Iterator[Any], trace: list[object]) -> None:
    for number, piece in enumerate(pieces):
        trace.append(piece)
        if case.way == "leave" and number == case.pieces:
            return


def watch(case: Case) -> list[object]:
    """What the application sees."""
    trace: list[object] = []
    try:
        (read_httpx if case.library == "httpx" else read_requests)(case, trace)
    except Exception as exception:
        trace.append((type(exception), str(exception)))
    return trace


def test_an_application_sees_with_the_package_what_it_sees_without(examples: int | None) -> None:
    @fuzz_settings(examples, EXAMPLES_IN_CI)
    @given(case=cases())
    def compare(case: Case) -> None:
        telemetry = Telemetry()
        without = watch(case)
        with recorded(telemetry):
            with_package = watch(case)
        assert without == with_package
        assert [] == faults
        assert 1 == telemetry.total("after200.calls")
        assert [] == telemetry.open_spans

    with logged_faults() as faults:
        compare()
