# SPDX-License-Identifier: Apache-2.0
"""One HTTP request of a library → one call: it begins, is answered or fails, and its body is followed or judged.

What every page of a library does alike. A page says how to read the library's request and response, and taps its body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ...call.errors import read_error_header
from ...call.exceptions import read_exception, read_should_retry
from ...call.limits import clean_name
from ...call.observer import CallObserver
from ...following.answers import answer, end_failed_request
from ...following.beginning import begin
from ...following.current import current_call
from ...following.decided import end_decided
from ...following.dropped import end_dropped
from ...following.feeds import feed_whole
from ...following.running import Ending, RunningCall
from ...guard import guarded
from ...names.errors import is_http_error
from .calls import Kind, find_kind, read_call
from .protocols import Request, ServerURL

STREAM_TYPES: Final = ("text/event-stream", "application/vnd.amazon.eventstream")
"""The media types of streams."""


VERSION_HEADER: Final = "anthropic-version"
"""The header with the version of the API, which every request to it has."""


class Headers:
    """The headers of a response of any library, by their names in lower case."""

    def __init__(self, headers: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        self.raw = [(as_bytes(header), as_bytes(value)) for header, value in headers]
        self._values = {header.lower(): value for header, value in reversed(self.raw)}

    def get(self, header: str, default: str | None = None, /) -> str | None:
        """Returns the first value of `header`, in lower case."""
        value = self._values.get(header.encode())
        return default if value is None else value.decode("latin-1")


def as_bytes(text: str | bytes) -> bytes:
    """Returns a name or value of a header as bytes."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Answer(NamedTuple):
    """The response to a request, in the words of `following`."""

    status_code: int
    headers: Headers


class Exchange:
    """What begins the calls of one library."""

    def __init__(self, observer: CallObserver, client: str) -> None:
        """`client`: `after200.client`."""
        self._observer = observer
        self._client = client

    def begin(
        self, kind: Kind, body: object, *, has_version: bool, host: str | None, port: int | None
    ) -> RunningCall | None:
        """Returns the call that a request is, about to be sent; None where it must not be recorded, or is no call.

        A request that the SDK's hooks follow, or an outer library, is theirs: they have made their call current.
        """
        if current_call.get() is not None or self._observer.suppressed():
            return None
        call = read_call(self._client, kind, body, has_version=has_version, host=host, port=port)
        if call is None:
            return None
        end_dropped()
        end_decided()
        running = RunningCall(call)
        begin(running, self._observer)
        running.attempts.begin(None)
        return running

    @guarded
    def begin_prepared(self, request: Request) -> RunningCall | None:
        """Returns the call that `request` is, about to be sent by requests or botocore; None as `begin` does."""
        kind = find_kind(request.url) if request.method == "POST" else None
        if kind is None:
            return None
        host, port = server_in(request.url)
        has_version = VERSION_HEADER in request.headers
        return self.begin(kind, request.body, has_version=has_version, host=host, port=port)


def read_answer_head(running: RunningCall, response: Answer) -> None:
    """Reads the status and the headers of `response`, which answered the request."""
    call = running.call
    answer(running, response)
    headers = response.headers
    streams = (headers.get("content-type") or "").partition(";")[0].strip().lower() in STREAM_TYPES
    if not call.says_stream:
        call.stream = streams
    if is_http_error(response.status_code):
        call.should_retry = read_should_retry(headers.get("x-should-retry"))
        call.error_in_headers = read_error_header(headers.get("x-amzn-errortype"))
    elif call.stream:
        call.should_retry = None


@guarded
def end_read(running: RunningCall, response: Answer, body: bytes | None) -> None:
    """Ends `running`, whose response the library has read whole within its call: `body`, decoded; None if unknown."""
    read_answer_head(running, response)
    if body is None:
        running.end(Ending("closed"))
        return
    feed_whole(running, body, response.headers.get("content-type"))
    running.end(Ending("read"))


@guarded
def follow_unread(running: RunningCall, response: Answer, tap: Callable[[], object]) -> None:
    """Follows `running`, whose response has a body that the application reads: `tap` puts a tap on it."""
    read_answer_head(running, response)
    if running.call.stream and not is_http_error(response.status_code):
        running.begin_stream()
    tap()


@guarded
def end_raised(running: RunningCall | None, exception: BaseException, response: Answer | None = None) -> None:
    """Ends `running`, whose request raised `exception`; with `response`, because the application asked for that."""
    if running is None or running.ended is not None:
        return
    if response is None:
        end_failed_request(running, read_exception(exception), None)
        return
    read_answer_head(running, response)
    running.end(Ending("raised", read_exception(exception)))


def server_in(url: str) -> tuple[str | None, int | None]:
    """Returns `server.address` and `server.port` of a URL."""
    parts = urlsplit(url)
    return clean_name(parts.hostname), parts.port or (80 if parts.scheme == "http" else 443)


def server_of(url: ServerURL) -> tuple[str | None, int | None]:
    """Returns `server.address` and `server.port` of a URL object with `scheme`, `host` and `port`."""
    if not url.host:
        return None, None
    return clean_name(url.host), url.port or (80 if url.scheme == "http" else 443)
