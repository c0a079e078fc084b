# SPDX-License-Identifier: Apache-2.0
"""What is asked of the SDK's objects. Its classes differ from version to version, so none is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...following.protocols import StreamedResponse


class URL(Protocol):
    """The base URL of a client."""

    @property
    def host(self) -> str: ...

    @property
    def scheme(self) -> str: ...

    @property
    def port(self) -> int | None: ...


class Client(Protocol):
    """A client, sync or async, of any provider."""

    @property
    def base_url(self) -> URL: ...


class Options(Protocol):
    """What a request is made from: `FinalRequestOptions`."""

    method: str
    url: str
    span_name: str | None
    """From 1.14: how the SDK calls its own span; None where no method of the SDK made the request."""

    json_data: object
    """The body of the request, before `extra_body` goes over it. It may hold iterators that can be read only once."""


class HTTPResponse(StreamedResponse, Protocol):
    """A response of httpx or httpx2."""

    @property
    def content(self) -> bytes: ...

    @property
    def is_closed(self) -> bool: ...

    @property
    def is_stream_consumed(self) -> bool: ...


class Stream(Protocol):
    """A stream of events: `Stream` or `AsyncStream`."""

    @property
    def response(self) -> HTTPResponse: ...


class Event(Protocol):
    """A server-sent event before it is parsed."""

    @property
    def event(self) -> str | None: ...

    @property
    def data(self) -> str: ...


class PlainEvent(Event, Protocol):
    """The same, with the fields that are behind its properties: reading them costs less."""

    _event: str | None
    _data: str


class Frame(Protocol):
    """A frame of Amazon Bedrock's event stream, as botocore decodes it."""

    headers: Mapping[str, object]
    payload: bytes


class RequestResult(Protocol):
    """What a request came to, in the words of the SDK's tracing."""

    error: BaseException | None
    data: object


class FirstEnd(Protocol):
    """The SDK's guard that a body ends once (`anthropic._tracing.FirstEnd`)."""

    inner: object
    """What ends the span."""
