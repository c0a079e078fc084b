# SPDX-License-Identifier: Apache-2.0
"""The steps a scenario is made of: what the server does, in order, once a request has been read.

A step says what happens, never how it is encoded: the wire of the request (SSE, AWS event stream, JSON lines)
decides that when the step is played. A play is a tuple of steps; it ends with exactly one of `End`, `Reset`, `Cut`
or `Stall`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Part = Literal["start", "text", "close", "stop"]
"""The four parts of a healthy stream: what comes before the content, the content, what follows it, the last word."""

Gzip = Literal["", "sound", "absent", "broken", "cut"]
"""What `content-encoding: gzip` is true of: no such header; the body is compressed; the body is not compressed; the
body is compressed and its middle is overwritten; the body is compressed and its end is missing."""


class Step:
    """What the server does once. Each of the classes below is one kind of step."""


@dataclass(frozen=True)
class Status(Step):
    """Send the status line and the headers; the body is streamed by the steps that follow.

    A stream is compressed event by event, so it has no middle of its own to break: a `Raw` step does that.
    """

    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    gzip: Literal["", "sound", "absent"] = ""


@dataclass(frozen=True)
class Answer(Step):
    """Send a whole response, body and all; a body that is JSON and an error gets the request's id, as on the real wire.

    `failure` is the error type that the body or the headers name.
    """

    code: int
    body: bytes | Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True)
class Whole(Step):
    """Send the healthy body of a request that does not stream; `only` sends that share of its bytes."""

    only: float = 1.0
    chunked: bool = False
    """Announce no length, so that a body that is short all the same ends properly."""
    headers: Mapping[str, str] = field(default_factory=dict)
    gzip: Gzip = ""


@dataclass(frozen=True)
class Healthy(Step):
    """Send one part of a healthy stream."""

    part: Part


@dataclass(frozen=True)
class Event(Step):
    """Send one event as it stands. `data` is JSON, or raw when bytes.

    Without a name, SSE sends no `event:` line; without data, no `data:` line.
    """

    name: str | None
    data: Mapping[str, object] | bytes | None
    failure: str | None = None


PING = Event("ping", {"type": "ping"})


@dataclass(frozen=True)
class Error(Step):
    """Send an error event of this type, as the API would; `code` is its `error.details.error_code`."""

    type: str
    message: str
    code: str = ""


@dataclass(frozen=True)
class Frame(Step):
    """Send one AWS event-stream frame with these headers, on any wire; `broken` says in which way it is not sound."""

    headers: Mapping[str, str]
    payload: bytes
    broken: Literal["", "crc", "short"] = ""
    failure: str | None = None


@dataclass(frozen=True)
class Raw(Step):
    """Send one chunk of these very bytes, whatever the encoding of the body."""

    data: bytes


@dataclass(frozen=True)
class HalfChunk(Step):
    """Announce a chunk that holds the next text event, and send half of it."""


@dataclass(frozen=True)
class Delay(Step):
    """Wait, once."""

    seconds: float


@dataclass(frozen=True)
class Pace(Step):
    """Wait this long before every chunk from here on."""

    seconds: float


@dataclass(frozen=True)
class Stall(Step):
    """Send nothing more until the client leaves."""


@dataclass(frozen=True)
class End(Step):
    """End the body properly; the connection stays open for the next request."""

    gzip: Literal["sound", "cut"] = "sound"
    """Whether the end of a compressed body comes too, or is missing."""


@dataclass(frozen=True)
class Cut(Step):
    """Close the connection (FIN) without ending the body."""


@dataclass(frozen=True)
class Reset(Step):
    """Tear the connection down (RST): the client sees it reset by its peer."""


Play: TypeAlias = tuple[Step, ...]
