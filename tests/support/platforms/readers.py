# SPDX-License-Identifier: Apache-2.0
"""The ways in which an application reads an answer, and what it saw: the same whether or not it is instrumented.

A way is a function of a client and gives back everything that can be seen from outside: what was yielded, in order,
and what was raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from .clients import REQUEST


class Seen(NamedTuple):
    """What the application saw: each item that was yielded, and the exception that ended it."""

    items: tuple[str, ...]
    raised: str | None


_NUMBERED = re.compile(r"(msg|req|sevt|compl)_01\d{22}")


def shown(item: object) -> str:
    """`item` in a form that can be compared: ids count up from call to call."""
    if isinstance(item, bytes):
        # Frames carry their checksum; base64 hides the ids in them. What counts is that the bytes are as many.
        return f"{len(item)} bytes" if not item.isascii() else _NUMBERED.sub(r"\1_N", item.decode())
    kind = f"{type(item).__name__} " if not isinstance(item, str) else ""
    return _NUMBERED.sub(r"\1_N", kind + str(item))


def shown_error(error: BaseException) -> str:
    status = getattr(error, "status_code", None)
    return _NUMBERED.sub(r"\1_N", f"{type(error).__module__}.{type(error).__name__}({error}) status={status}")


class Recorder:
    """Keeps what is yielded until something is raised."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.raised: str | None = None

    def add(self, item: object) -> None:
        self.items.append(shown(item))

    @contextlib.contextmanager
    def watching(self) -> Any:
        try:
            yield self
        except Exception as error:
            self.raised = shown_error(error)

    @property
    def seen(self) -> Seen:
        return Seen(tuple(self.items), self.raised)


# --- sync ---


def read_created(client: Any, recorder: Recorder) -> None:
    """`create(stream=True)`."""
    for event in client.messages.create(stream=True, **REQUEST):
        recorder.add(event)


def read_helper(client: Any, recorder: Recorder) -> None:
    """The `messages.stream()` helper."""
    with client.messages.stream(**REQUEST) as stream:
        for event in stream:
            recorder.add(getattr(event, "type", event))
        recorder.add(stream.get_final_message())


def read_raw(client: Any, recorder: Recorder) -> None:
    """`with_streaming_response`, read as bytes."""
    with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        recorder.add(b"".join(response.iter_bytes()))


def read_whole(client: Any, recorder: Recorder) -> None:
    """A call that does not stream."""
    recorder.add(client.messages.create(**REQUEST))


# --- async ---


async def aread_created(client: Any, recorder: Recorder) -> None:
    async for event in await client.messages.create(stream=True, **REQUEST):
        recorder.add(event)


async def aread_helper(client: Any, recorder: Recorder) -> None:
    async with client.messages.stream(**REQUEST) as stream:
        async for event in stream:
            recorder.add(getattr(event, "type", event))
        recorder.add(await stream.get_final_message())


async def aread_raw(client: Any, recorder: Recorder) -> None:
    async with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        recorder.add(b"".join([chunk async for chunk in response.iter_bytes()]))


async def aread_whole(client: Any, recorder: Recorder) -> None:
    recorder.add(await client.messages.create(**REQUEST))


class Way(NamedTuple):
    """A way to read: sync or async, a stream or not, through the SDK's parser or past it."""

    name: str
    sync: Callable[[Any, Recorder], None] | None = None
    aio: Callable[[Any, Recorder], Awaitable[None]] | None = None
    streams: bool = True
    parsed: bool = True

    @property
    def is_async(self) -> bool:
        return self.aio is not None

    def __str__(self) -> str:
        return self.name


STREAMED = (
    Way("create", read_created),
    Way("helper", read_helper),
    Way("async-create", aio=aread_created),
    Way("async-helper", aio=aread_helper),
)
RAW = (Way("raw", read_raw, parsed=False), Way("async-raw", aio=aread_raw, parsed=False))
WHOLE = (Way("whole", read_whole, streams=False), Way("async-whole", aio=aread_whole, streams=False))
STREAMS = STREAMED + RAW
ALL = STREAMS + WHOLE


def read(way: Way, make: Callable[..., Any]) -> Seen:
    """What an application sees that reads in this way with the client that `make(is_async=...)` gives."""
    recorder = Recorder()
    if way.sync is not None:
        with recorder.watching(), make(is_async=False) as client:
            way.sync(client, recorder)
        return recorder.seen

    async def main() -> None:
        assert way.aio is not None
        with recorder.watching():
            async with make(is_async=True) as client:
                await way.aio(client, recorder)

    asyncio.run(main())
    return recorder.seen
