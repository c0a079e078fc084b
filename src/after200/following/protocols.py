# SPDX-License-Identifier: Apache-2.0
"""What is asked of the objects of other libraries: of responses, their headers and their bodies.

Their classes differ from library to library and from version to version, so none is imported. `object` stands for what
is only handed on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Headers(Protocol):
    """The headers of a response. Names match whatever their case."""

    @property
    def raw(self) -> Iterable[tuple[bytes, bytes]]:
        """Every header as it came: its name and its value."""

    def get(self, name: str, default: str = ..., /) -> str | None:
        """Returns the value of the header `name`; `default`, or None, when there is none."""


class Response(Protocol):
    """A response whose status line and headers have come."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Headers: ...


class Body(Protocol):
    """The body of a response of httpx: an iterable of bytes, sync or async, that can be closed."""

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class StreamedResponse(Response, Protocol):
    """A response of httpx, whose body can be replaced before it is read."""

    stream: object


class Decoder(Protocol):
    """What undoes a content encoding, piece by piece."""

    def decode(self, data: bytes, /) -> bytes | Iterable[bytes]: ...

    def flush(self) -> bytes | Iterable[bytes]: ...
