# SPDX-License-Identifier: Apache-2.0
"""What is asked of the requests, the responses and the bodies of the HTTP libraries, none of which is imported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Container, ItemsView, Iterable, Iterator
from typing import Protocol

from ...following.protocols import StreamedResponse


class ServerURL(Protocol):
    """A URL object that names a server."""

    @property
    def scheme(self) -> str: ...

    @property
    def host(self) -> str | None: ...

    @property
    def port(self) -> int | None: ...


# --- requests and botocore ---


class Request(Protocol):
    """A prepared request of requests or botocore."""

    @property
    def method(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def headers(self) -> Container[str]: ...

    @property
    def body(self) -> object: ...


class BotocoreRequest(Request, Protocol):
    """A prepared request of botocore."""

    @property
    def stream_output(self) -> bool:
        """Whether the body of the response is read by the application, and not by botocore."""


class HeaderFields(Protocol):
    """The headers of a response, as requests and botocore have them."""

    def items(self) -> ItemsView[str, str]: ...


class Decoder(Protocol):
    """What undoes one content encoding, of urllib3."""

    def decompress(self, data: bytes, /) -> bytes: ...


class RawBody(Protocol):
    """A response of urllib3, or what a transport of the application has in its place."""

    @property
    def data(self) -> bytes: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __enter__(self) -> object: ...

    def __exit__(self, *error: object) -> object: ...


class RawResponse(Protocol):
    """A response whose body can be replaced before it is read."""

    raw: RawBody


class RequestsResponse(RawResponse, Protocol):
    """A response of requests."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> HeaderFields: ...


class BotocoreResponse(RequestsResponse, Protocol):
    """A response of botocore."""

    @property
    def content(self) -> bytes:
        """The body, which is read here if it has not been."""


# --- httpx ---


class RawPathURL(ServerURL, Protocol):
    """A URL object of httpx."""

    @property
    def raw_path(self) -> bytes:
        """The path and the query as they are on the wire."""


class Message(Protocol):
    """A request or a response of httpx."""

    @property
    def content(self) -> bytes:
        """The body, decoded. Raises a `RuntimeError` for a body that has not been read."""


class HTTPXRequest(Message, Protocol):
    """A request of httpx."""

    @property
    def method(self) -> str: ...

    @property
    def url(self) -> RawPathURL: ...

    @property
    def headers(self) -> Container[str]: ...


class HTTPXResponse(Message, StreamedResponse, Protocol):
    """A response of httpx."""

    @property
    def is_closed(self) -> bool: ...

    @property
    def is_stream_consumed(self) -> bool: ...


# --- aiohttp ---


class JoinableURL(ServerURL, Protocol):
    """A URL object of yarl."""

    @property
    def absolute(self) -> bool: ...

    @property
    def raw_path(self) -> str:
        """The path as it is on the wire."""

    def join(self, url: JoinableURL, /) -> JoinableURL: ...


class Session(Protocol):
    """A session of aiohttp."""

    @property
    def headers(self) -> Container[str]:
        """The headers that every request of the session has."""


class Pieces(Protocol):
    """The reads of aiohttp's `StreamReader` that ask for bytes as they come, or for so many."""

    def read(self, n: int = ..., /) -> Awaitable[bytes]: ...

    def readany(self) -> Awaitable[bytes]: ...

    def readchunk(self) -> Awaitable[tuple[bytes, bool]]: ...

    def readexactly(self, n: int, /) -> Awaitable[bytes]: ...

    def read_nowait(self, n: int = ..., /) -> bytes: ...


class Lines(Protocol):
    """The reads of aiohttp's `StreamReader` that ask for bytes until a separator."""

    def readline(self, **keywords: object) -> Awaitable[bytes]: ...

    def readuntil(self, *args: object, **keywords: object) -> Awaitable[bytes]: ...


class Chunks(Protocol):
    """The iterators of aiohttp's `StreamReader`."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def iter_chunked(self, n: int, /) -> AsyncIterator[bytes]: ...

    def iter_any(self) -> AsyncIterator[bytes]: ...

    def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]: ...


class StreamReader(Pieces, Lines, Chunks, Protocol):
    """The content of a response of aiohttp."""

    def at_eof(self) -> bool: ...

    def set_exception(self, *args: object) -> object: ...


class AiohttpResponse(Protocol):
    """A response of aiohttp, whose content can be replaced before it is read."""

    content: StreamReader

    @property
    def status(self) -> int: ...

    @property
    def raw_headers(self) -> Iterable[tuple[bytes, bytes]]: ...
