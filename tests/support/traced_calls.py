# SPDX-License-Identifier: Apache-2.0
"""Calls made in every way, sync and async, under one name each, with the SDK's own tracing as a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import re
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import anthropic
from opentelemetry.sdk.trace import ReadableSpan

from after200.faults import FaultServer

from .patience import PATIENCE_S
from .sdk_tracing import sdk_spans
from .streams import surfaces
from .streams.seen import Seen, text
from .streams.surfaces import REQUEST, SURFACES
from .telemetry import SECONDS, Telemetry, described

FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"

Twin = Literal["sync", "async"]
TWINS: tuple[Twin, ...] = ("sync", "async")

WAYS = {
    surface.name: surface
    for surface in SURFACES
    if surface.name
    in (
        "messages.create(stream=True)",
        "messages.stream",
        "messages.with_raw_response(stream=True).parse",
        "messages.with_streaming_response(stream=True).parse",
        "messages.with_streaming_response.iter_lines",
        "messages.with_streaming_response.iter_bytes",
        "beta.messages.create(stream=True)",
        "messages.create",
        "messages.with_raw_response",
        "messages.with_streaming_response.read",
    )
}
STREAMED_WAYS = [name for name, way in WAYS.items() if way.stream]
DECODED_WAYS = [name for name, way in WAYS.items() if way.stream and way.decoding == "sdk"]
WHOLE_WAYS = [name for name, way in WAYS.items() if not way.stream]


_numbers = itertools.count()
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client_options(server: FaultServer, scenario: str, **options: Any) -> dict[str, Any]:
    """What both clients of the SDK are made with. The server counts the attempts of each anew."""
    base_url = server.base_url(scenario, f"key-{next(_numbers)}")
    return {"api_key": "none", "base_url": base_url, "max_retries": 1, "timeout": PATIENCE_S, **options}


def told(span: ReadableSpan) -> dict[str, Any]:
    """Everything of `span` that is the same whenever the call is made."""
    flat = {name: _told(value) if isinstance(value, str) else value for name, value in described(span).items()}
    return {name: SECONDS if name == FIRST_CHUNK else value for name, value in flat.items()}


def _told(value: str) -> str:
    return re.sub(r"@key-\d+", "", text(value))


def shown(seen: Seen) -> str:
    """Everything that the application saw, but for the key in the URL."""
    return _told(repr(seen.whole))


def sync_client(options: dict[str, Any]) -> anthropic.Anthropic:
    """A client that trusts nobody: loading the certificates takes longer than the call."""
    return anthropic.Anthropic(**{"http_client": anthropic.DefaultHttpxClient(verify=_TLS), **options})


def async_client(options: dict[str, Any]) -> anthropic.AsyncAnthropic:
    """The async twin of `sync_client`."""
    return anthropic.AsyncAnthropic(**{"http_client": anthropic.DefaultAsyncHttpxClient(verify=_TLS), **options})


def read(way: str, twin: Twin, options: dict[str, Any]) -> Seen:
    """Makes a call `way` and reads what comes, to the end or the exception that it has."""
    seen, surface = Seen(), WAYS[way]
    try:
        if twin == "sync":
            with sync_client(options) as client:
                surface.read(client, seen)
        else:
            asyncio.run(_aread(surface, options, seen))
    except Exception as exception:
        seen.exception = exception
    return seen


async def _aread(surface: surfaces.Surface, options: dict[str, Any], seen: Seen) -> None:
    async with async_client(options) as client:
        await surface.aread(client, seen)


# --- the application's own doing ---


class OwnError(Exception):
    """Something that went wrong in the application."""


@dataclass(frozen=True)
class Leaving:
    """A way to leave a stream, and what is said of it."""

    scenario: str
    leave: Callable[[Any], None]
    aleave: Callable[[Any], Coroutine[Any, Any, None]]


def _until_chunk(stream: Any) -> None:
    for event in stream:
        if event.type == "content_block_delta":
            return


async def _auntil_chunk(stream: Any) -> None:
    async for event in stream:
        if event.type == "content_block_delta":
            return


def close(client: Any) -> None:
    stream = client.messages.create(stream=True, **REQUEST)
    _until_chunk(stream)
    stream.close()


async def aclose(client: Any) -> None:
    stream = await client.messages.create(stream=True, **REQUEST)
    await _auntil_chunk(stream)
    await stream.close()


def own_error(client: Any) -> None:
    with contextlib.suppress(OwnError), client.messages.create(stream=True, **REQUEST) as stream:
        _until_chunk(stream)
        raise OwnError


async def aown_error(client: Any) -> None:
    with contextlib.suppress(OwnError):
        async with await client.messages.create(stream=True, **REQUEST) as stream:
            await _auntil_chunk(stream)
            raise OwnError


def leave_helper(client: Any) -> None:
    with client.messages.stream(**REQUEST) as stream:
        _until_chunk(stream)


async def aleave_helper(client: Any) -> None:
    async with client.messages.stream(**REQUEST) as stream:
        await _auntil_chunk(stream)


def leave_response(client: Any) -> None:
    with client.messages.with_streaming_response.create(stream=True, **REQUEST):
        pass


async def aleave_response(client: Any) -> None:
    async with client.messages.with_streaming_response.create(stream=True, **REQUEST):
        pass


def drop(client: Any) -> None:
    stream = client.messages.create(stream=True, **REQUEST)
    _until_chunk(stream)
    del stream
    gc.collect()


async def adrop(client: Any) -> None:
    stream = await client.messages.create(stream=True, **REQUEST)
    await _auntil_chunk(stream)
    del stream
    gc.collect()
    await asyncio.sleep(0)


def never_read(client: Any) -> None:
    client.messages.create(stream=True, **REQUEST)
    gc.collect()


async def anever_read(client: Any) -> None:
    await client.messages.create(stream=True, **REQUEST)
    gc.collect()


def after_the_end(client: Any) -> None:
    with client.messages.create(stream=True, **REQUEST) as stream:
        for event in stream:
            if event.type == "message_stop":
                return


async def aafter_the_end(client: Any) -> None:
    async with await client.messages.create(stream=True, **REQUEST) as stream:
        async for event in stream:
            if event.type == "message_stop":
                return


async def acancel(client: Any) -> None:
    """Cancels the task that waits for more of a stream that has stalled after its last delta."""
    stalled = asyncio.Event()

    async def reading() -> None:
        deltas = 0
        async for event in await client.messages.create(stream=True, **REQUEST):
            deltas += event.type == "content_block_delta"
            if deltas == 4:
                stalled.set()

    task = asyncio.create_task(reading())
    await stalled.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


LEAVINGS: dict[str, Leaving] = {
    "closed": Leaving("completed", close, aclose),
    "left by an exception of its own": Leaving("completed", own_error, aown_error),
    "helper left": Leaving("completed", leave_helper, aleave_helper),
    "response left unread": Leaving("completed", leave_response, aleave_response),
    "dropped": Leaving("completed", drop, adrop),
    "never read": Leaving("completed", never_read, anever_read),
    "left after message_stop": Leaving("completed", after_the_end, aafter_the_end),
}


def leave(leaving: Leaving, twin: Twin, options: dict[str, Any]) -> None:
    """Makes a call and leaves its stream."""

    async def aleave() -> None:
        async with async_client(options) as client:
            await leaving.aleave(client)

    if twin == "sync":
        with sync_client(options) as client:
            leaving.leave(client)
    else:
        asyncio.run(aleave())


def traced_by(telemetry: Telemetry, **options: Any) -> dict[str, Any]:
    """The option of a client that gives its own spans to `telemetry`."""
    found = sdk_spans(telemetry.tracer_provider)
    return {name: {**option, **options} for name, option in found.items()}
