# SPDX-License-Identifier: Apache-2.0
"""A body in a content encoding is judged by what it says, in every way in which each library hands it on."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import brotli
import httpx
import pytest
import requests
import zstandard

from ..support.in_memory.answers import HEAD, body
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, error
from ..support.streams.seen import Seen
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .rows import URLLIB3_1
from .ways import HEADERS, WAYS, Way

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data, mtime=0)),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "unknown": lambda data: data[::-1],
}
STREAMS = {"completed": body(*HEAD, CLOSING, DELTA, STOP), "overloaded": body(*HEAD, error("overloaded_error"))}
ENDINGS = {"completed": ("completed", None), "overloaded": ("failed", "overloaded_error")}
LAZY = [way for way in WAYS if way.stream]
UNDONE = [
    pytest.param(way, encoding, id=f"{way.name}, {encoding}")
    for way in LAZY
    for encoding in ("gzip", "deflate", "br", "gzip, br")
    if way.client != "aiohttp" or "," not in encoding  # aiohttp undoes one encoding.
    # A read of urllib3 1 may be empty before the end: an application that ends there has not read it all.
    if not (URLLIB3_1 and way.name == "requests raw.read")
]
ZSTANDARD = [way for way in LAZY if way.name.startswith("httpx ") and hasattr(httpx._decoders, "ZStandardDecoder")]


class Encoded(BaseHTTPRequestHandler):
    """Answers `POST /STREAM/ENCODING/v1/messages` with that stream in that encoding, a few bytes at a time.

    The stream `malformed` is a response whose headers cannot be parsed.
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        _, stream, encoding, *_ = self.path.split("/")
        if stream == "malformed":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n")
            return
        encoding = encoding.replace("+", ", ")
        sent = ENCODINGS[encoding](b"".join(STREAMS[stream]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-encoding", encoding)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        for begin in range(0, len(sent), 7):
            self.wfile.write(sent[begin : begin + 7])

    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Encoded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def play(telemetry: Telemetry, way: Way, url: str) -> Seen:
    seen = Seen()
    with recorded(telemetry):
        try:
            way.read(f"{url}/v1/messages", {**REQUEST, "stream": True}, seen, 30.0)
        except Exception as exception:
            seen.exception = exception
    return seen


def ending(telemetry: Telemetry) -> tuple[str, object]:
    [call] = telemetry.calls
    return call.outcome, call.attributes.get("error.type")


@pytest.mark.variants
@pytest.mark.parametrize(("way", "encoding"), UNDONE)
@pytest.mark.parametrize("stream", STREAMS)
def test_an_encoding_that_the_library_undoes_changes_nothing(
    stream: str, encoding: str, way: Way, url: str, telemetry: Telemetry
) -> None:
    assert play(telemetry, way, f"{url}/{stream}/{encoding.replace(', ', '+')}").exception is None
    assert ENDINGS[stream] == ending(telemetry)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("way", ZSTANDARD, ids=lambda way: way.name)
def test_httpx_undoes_zstandard(way: Way, stream: str, url: str, telemetry: Telemetry) -> None:
    play(telemetry, way, f"{url}/{stream}/zstd")
    assert ENDINGS[stream] == ending(telemetry)


def read_until_closed(url: str, json: object, see: Callable[[object], None], timeout: float) -> None:
    with requests.post(url, json=json, headers=HEADERS, timeout=timeout, stream=True) as response:
        while (piece := response.raw.read(9, decode_content=True)) or not response.raw.isclosed():
            see(piece)


def read_until_empty(url: str, json: object, see: Callable[[object], None], timeout: float) -> None:
    with requests.post(url, json=json, headers=HEADERS, timeout=timeout, stream=True) as response:
        while piece := response.raw.read(9, decode_content=True):
            see(piece)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("stream", STREAMS)
def test_a_read_that_is_empty_before_the_end_is_not_the_end(
    stream: str, encoding: str, url: str, telemetry: Telemetry
) -> None:
    """urllib3 1 gives nothing where the bytes that it has read are not enough for its decoder."""
    way = Way("requests", "read until closed", True, "lazy", read_until_closed)
    sent = Seen()
    sent(b"".join(STREAMS[stream]))
    assert sent.whole == play(telemetry, way, f"{url}/{stream}/{encoding}").whole
    assert ENDINGS[stream] == ending(telemetry)


@pytest.mark.skipif(not URLLIB3_1, reason="no read of urllib3 2 is empty before the end")
def test_an_application_that_takes_an_empty_read_for_the_end_has_left_the_body(url: str, telemetry: Telemetry) -> None:
    way = Way("requests", "read until empty", True, "lazy", read_until_empty)
    play(telemetry, way, f"{url}/completed/gzip")
    assert ("closed", None) == ending(telemetry)


@pytest.mark.parametrize("way", LAZY, ids=lambda way: way.name)
def test_bytes_in_an_encoding_that_no_library_knows_are_no_stream(way: Way, url: str, telemetry: Telemetry) -> None:
    play(telemetry, way, f"{url}/completed/unknown")
    assert ("failed", "stream_malformed") == ending(telemetry)


def test_a_response_that_aiohttp_cannot_parse_has_not_the_status_of_its_parser(url: str, telemetry: Telemetry) -> None:
    """The class of the exception is the one for an HTTP error, with a status of 400 that no server sent."""
    way = next(way for way in LAZY if way.client == "aiohttp")
    seen = play(telemetry, way, f"{url}/malformed/none")
    assert isinstance(seen.exception, aiohttp.ClientResponseError)
    assert 400 == seen.exception.status
    assert ("failed", "connection_error") == ending(telemetry)
    [call] = telemetry.calls
    assert "http.response.status_code" not in call.attributes
