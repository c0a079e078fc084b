# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over HTTP on a real socket: exporters send to it, and what came can be asked for.

In come the protobuf requests of any OTLP/HTTP exporter, compressed or not. For demos, checks, tests and the terminal,
never for production: what came is kept in memory. It listens on the loopback interface unless another host is given.
"""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError

from after200.cli.otlp import REQUESTS, LogRecord, Point, Span, Telemetry, Value
from after200.cli.refused import Refusal, of_connection, remedy_of

PROTOBUF = "application/x-protobuf"
PATHS = {path: request for request, (path, *_) in REQUESTS.items()}
ACCEPTED = b""
"""The body of a response to an accepted request: an `Export...ServiceResponse` without a partial success."""
WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
LIMIT = 64 * 2**20
"""The most bytes that a request may have, compressed or not."""


class Receiver:
    """An OTLP/HTTP receiver, on a free port unless one is given; a context manager. Raises `OSError` for a busy port.

    >>> with Receiver() as receiver:
    ...     start_something(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    ...     receiver.wait_for(lambda: receiver.total("after200.calls") == 500, timeout=10)
    """

    def __init__(self, port: int = 0, *, host: str = "127.0.0.1", telemetry: Telemetry | None = None) -> None:
        # One lock for what came, and a signal to whoever waits for more; it is reentrant, so that conditions can query.
        self._changed = threading.Condition()
        self._telemetry = telemetry or Telemetry()
        self._refused: list[tuple[float, Refusal]] = []
        self._server = ThreadingHTTPServer((host, port), type("_BoundHandler", (_Handler,), {"receiver": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="after200-receiver", daemon=True
        )
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def spans(self) -> list[Span]:
        """The spans, in the order in which they came."""
        with self._changed:
            return list(self._telemetry.spans)

    @property
    def logs(self) -> list[LogRecord]:
        """The log records, in the order in which they came."""
        with self._changed:
            return list(self._telemetry.logs)

    @property
    def refused(self) -> list[Refusal]:
        """The last requests and connections that were refused, at most 100."""
        return self.refused_within(math.inf)

    def refused_within(self, seconds: float) -> list[Refusal]:
        """Returns those of `refused` that came in the last so many seconds."""
        since = time.monotonic() - seconds
        with self._changed:
            return [refusal for came, refusal in self._refused if came >= since]

    @property
    def rejected(self) -> list[str]:
        """One line for each of the last requests that were refused, as it was answered."""
        return [refusal.reason for refusal in self.refused]

    def points(self, metric: str, where: Mapping[str, Value] | None = None) -> list[Point]:
        """Returns a metric's series as they stand, one for each process and attribute set that has all of `where`."""
        with self._changed:
            series = list(self._telemetry.points.values())
        wanted = (where or {}).items()
        return [point for point in series if point.metric == metric and wanted <= point.attributes.items()]

    def total(self, metric: str, where: Mapping[str, Value] | None = None) -> float:
        """Returns the values of those series added up: for a histogram, how many values it has recorded."""
        return sum(point.value if point.count is None else float(point.count) for point in self.points(metric, where))

    def metrics(self) -> set[str]:
        """Returns the names of all metrics that came."""
        with self._changed:
            return {point.metric for point in self._telemetry.points.values()}

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Waits until the condition holds, asked again whenever something came; False when time runs out first."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def take(self, path: str, body: bytes) -> None:
        """Keeps what a request's body holds; raises `DecodeError` when it is not OTLP."""
        request = PATHS[path].FromString(body)
        with self._changed:
            self._telemetry.add(request)
            self._changed.notify_all()

    def add_refused(self, refusal: Refusal) -> None:
        """Keeps why a request or a connection was refused."""
        with self._changed:
            self._refused = [*self._refused[-99:], (time.monotonic(), refusal)]
            self._changed.notify_all()


class _RefusedError(Exception):
    """A request that cannot be taken. Its arguments are the status to answer and a sentence that says why."""


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"  # exporters keep their connection
    timeout = 30

    def handle_one_request(self) -> None:
        try:
            # Looked at before a line is read: what begins a TLS connection may have no end of line.
            first = self.rfile.peek(3)  # type: ignore[attr-defined]
        except OSError:
            self.close_connection = True
            return
        refusal = of_connection(first, self.receiver.url)
        if refusal is None:
            super().handle_one_request()
        else:
            self.close_connection = True
            self.receiver.add_refused(refusal)
            # Any answer of HTTP/1.1 makes the sender say that the protocol is wrong; a silent end looks like a fault of
            # the network.
            with suppress(OSError):  # The sender may have hung up.
                self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    def do_POST(self) -> None:
        try:
            body = self._read_body()
            self._check_target()
            self.receiver.take(self.path, self._decompress(body))
        except _RefusedError as refused:
            self._refuse(*refused.args)
        except DecodeError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"the body is not an OTLP request: {error}")
        else:
            self._answer(HTTPStatus.OK, PROTOBUF, ACCEPTED)

    def do_GET(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "OTLP comes by POST")

    def _read_body(self) -> bytes:
        # Read before anything is judged: a connection with an unread body cannot be used again.
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) <= LIMIT:
            return self.rfile.read(int(length))
        self.close_connection = True
        if length.isdecimal():
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has {length} bytes; at most {LIMIT} are taken"
            )
        raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, f"Content-Length is {length!r}; a number is needed")

    def _check_target(self) -> None:
        if self.path not in PATHS:
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"there is no such path, only {', '.join(PATHS)}")
        content_type = self.headers.get_content_type()
        if content_type != PROTOBUF:
            reason = f"Content-Type is {content_type}; only {PROTOBUF} is taken (OTLP http/protobuf)"
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)

    def _decompress(self, body: bytes) -> bytes:
        encoding = self.headers.get("Content-Encoding", "identity")
        if encoding == "identity":
            return body
        if encoding not in WINDOW_BITS:
            reason = f"Content-Encoding is {encoding}; taken are identity, {', '.join(WINDOW_BITS)}"
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
        decoder = zlib.decompressobj(WINDOW_BITS[encoding])
        try:
            plain = decoder.decompress(body, LIMIT)
        except zlib.error as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not {encoding}: {error}") from None
        if decoder.unconsumed_tail:
            reason = f"the body has more than {LIMIT} bytes when it is decompressed"
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        if not decoder.eof:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not {encoding}: its end is missing")
        return plain

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        reason = f"{self.command} {self.path}: {why}"
        encoding = self.headers.get("Content-Encoding", "identity")
        posted = self.command == "POST"
        remedy = remedy_of(self.path, self.headers.get_content_type(), encoding, self.receiver.url) if posted else ""
        self.receiver.add_refused(Refusal(reason, remedy))
        self._answer(status, "text/plain; charset=utf-8", reason.encode())

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses by itself is kept too: a line that is no HTTP, a method that is not known."""
        first: bytes = self.raw_requestline  # type: ignore[attr-defined]
        line = "".join(each for each in first[:60].decode("ascii", "replace") if each.isprintable())
        self.receiver.add_refused(Refusal(f"{line!r} is no request of OTLP: {message or HTTPStatus(code).phrase}"))
        super().send_error(code, message, explain)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Prints nothing: the terminal belongs to the command that runs the receiver."""
