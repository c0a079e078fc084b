# SPDX-License-Identifier: Apache-2.0
"""The ways in which an application calls the SDK, as a table; each once sync and once async, differing in nothing else.

A reader takes a client and shows everything it gets to `see`; `options` are those of the SDK's methods. What the
installed SDK has is looked up in it, so one table serves every version.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import anthropic

MODEL = "claude-test"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Say hello."}],
}
See = Callable[[object], None]

Decoding = Literal["sdk", "application", "lazy"]
"""Who decodes the body: the SDK, the application, or the application as it reads (`with_streaming_response`)."""


@dataclass(frozen=True)
class Surface:
    """One way to make a call and to read what comes of it."""

    name: str
    needs: str
    """What the SDK must have for it: a dotted path below the client."""

    stream: bool
    decoding: Decoding
    read: Callable[..., None]
    aread: Callable[..., Awaitable[None]]

    def missing(self) -> bool:
        """Whether the installed SDK lacks it."""
        found: Any = _CLIENT
        for part in self.needs.split("."):
            if not hasattr(found, part):
                return True
            found = getattr(found, part)
        return False


_CLIENT = anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:9")


async def settled(value: Any) -> Any:
    """`value`, awaited where the installed SDK makes it a coroutine (`parse` of a raw response from 1.0)."""
    return await value if inspect.isawaitable(value) else value


# --- streams that the SDK parses ---


def create(messages: Any, see: See, **options: Any) -> None:
    for event in messages.create(stream=True, **REQUEST, **options):
        see(event)


async def acreate(messages: Any, see: See, **options: Any) -> None:
    async for event in await messages.create(stream=True, **REQUEST, **options):
        see(event)


def stream_events(messages: Any, see: See, **options: Any) -> None:
    with messages.stream(**REQUEST, **options) as stream:
        for event in stream:
            see(event)


async def astream_events(messages: Any, see: See, **options: Any) -> None:
    async with messages.stream(**REQUEST, **options) as stream:
        async for event in stream:
            see(event)


def text_stream(messages: Any, see: See, **options: Any) -> None:
    with messages.stream(**REQUEST, **options) as stream:
        for text in stream.text_stream:
            see(text)


async def atext_stream(messages: Any, see: See, **options: Any) -> None:
    async with messages.stream(**REQUEST, **options) as stream:
        async for text in stream.text_stream:
            see(text)


def final_message(messages: Any, see: See, **options: Any) -> None:
    with messages.stream(**REQUEST, **options) as stream:
        see(stream.get_final_message())


async def afinal_message(messages: Any, see: See, **options: Any) -> None:
    async with messages.stream(**REQUEST, **options) as stream:
        see(await stream.get_final_message())


def raw_parsed(messages: Any, see: See, **options: Any) -> None:
    response = messages.with_raw_response.create(stream=True, **REQUEST, **options)
    see(response.status_code)
    for event in response.parse():
        see(event)


async def araw_parsed(messages: Any, see: See, **options: Any) -> None:
    response = await messages.with_raw_response.create(stream=True, **REQUEST, **options)
    see(response.status_code)
    async for event in await settled(response.parse()):
        see(event)


def streaming_parsed(messages: Any, see: See, **options: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        see(response.status_code)
        for event in response.parse():
            see(event)


async def astreaming_parsed(messages: Any, see: See, **options: Any) -> None:
    async with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        see(response.status_code)
        async for event in await response.parse():
            see(event)


# --- streams that the application decodes for itself ---


def lines(messages: Any, see: See, **options: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        for line in response.iter_lines():
            see(line)


async def alines(messages: Any, see: See, **options: Any) -> None:
    async with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        async for line in response.iter_lines():
            see(line)


def chunks(messages: Any, see: See, **options: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        for chunk in response.iter_bytes():
            see(chunk)


async def achunks(messages: Any, see: See, **options: Any) -> None:
    async with messages.with_streaming_response.create(stream=True, **REQUEST, **options) as response:
        async for chunk in response.iter_bytes():
            see(chunk)


# --- calls that do not stream ---


def whole(messages: Any, see: See, **options: Any) -> None:
    see(messages.create(**REQUEST, **options))


async def awhole(messages: Any, see: See, **options: Any) -> None:
    see(await messages.create(**REQUEST, **options))


def whole_raw(messages: Any, see: See, **options: Any) -> None:
    response = messages.with_raw_response.create(**REQUEST, **options)
    see(response.status_code)
    see(response.http_response.content)


async def awhole_raw(messages: Any, see: See, **options: Any) -> None:
    response = await messages.with_raw_response.create(**REQUEST, **options)
    see(response.status_code)
    see(response.http_response.content)


def whole_raw_parsed(messages: Any, see: See, **options: Any) -> None:
    see(messages.with_raw_response.create(**REQUEST, **options).parse())


async def awhole_raw_parsed(messages: Any, see: See, **options: Any) -> None:
    response = await messages.with_raw_response.create(**REQUEST, **options)
    see(await settled(response.parse()))


def whole_streaming(messages: Any, see: See, **options: Any) -> None:
    with messages.with_streaming_response.create(**REQUEST, **options) as response:
        see(response.read())


async def awhole_streaming(messages: Any, see: See, **options: Any) -> None:
    async with messages.with_streaming_response.create(**REQUEST, **options) as response:
        see(await response.read())


def whole_streaming_parsed(messages: Any, see: See, **options: Any) -> None:
    with messages.with_streaming_response.create(**REQUEST, **options) as response:
        see(response.parse())


async def awhole_streaming_parsed(messages: Any, see: See, **options: Any) -> None:
    async with messages.with_streaming_response.create(**REQUEST, **options) as response:
        see(await response.parse())


# --- the tool runner, which makes as many calls as its tools need ---


def tool(city: str) -> str:
    """Tells the weather.

    Args:
        city: where
    """
    return f"Rain in {city}"


async def atool(city: str) -> str:
    """Tells the weather.

    Args:
        city: where
    """
    return f"Rain in {city}"


def tool_runner(messages: Any, see: See, **options: Any) -> None:
    for message in messages.tool_runner(tools=[anthropic.beta_tool(tool)], **REQUEST, **options):
        see(message)


async def atool_runner(messages: Any, see: See, **options: Any) -> None:
    async for message in messages.tool_runner(tools=[anthropic.beta_async_tool(atool)], **REQUEST, **options):
        see(message)


def tool_runner_streams(messages: Any, see: See, **options: Any) -> None:
    for stream in messages.tool_runner(tools=[anthropic.beta_tool(tool)], stream=True, **REQUEST, **options):
        for event in stream:
            see(event)


async def atool_runner_streams(messages: Any, see: See, **options: Any) -> None:
    async for stream in messages.tool_runner(
        tools=[anthropic.beta_async_tool(atool)], stream=True, **REQUEST, **options
    ):
        async for event in stream:
            see(event)


# --- the table ---


def _on(messages: str, name: str, stream: bool, decoding: Decoding, read: Any, aread: Any, needs: str) -> Surface:
    def on_messages(client: Any, see: See, **options: Any) -> None:
        read(_below(client, messages), see, **options)

    async def aon_messages(client: Any, see: See, **options: Any) -> None:
        await aread(_below(client, messages), see, **options)

    return Surface(f"{messages}.{name}", f"{messages}.{needs}", stream, decoding, on_messages, aon_messages)


def _below(client: Any, path: str) -> Any:
    for part in path.split("."):
        client = getattr(client, part)
    return client


_ROWS: tuple[tuple[str, bool, Decoding, Any, Any, str], ...] = (
    ("create(stream=True)", True, "sdk", create, acreate, "create"),
    ("stream", True, "sdk", stream_events, astream_events, "stream"),
    ("stream.text_stream", True, "sdk", text_stream, atext_stream, "stream"),
    ("stream.get_final_message", True, "sdk", final_message, afinal_message, "stream"),
    ("with_raw_response(stream=True).parse", True, "sdk", raw_parsed, araw_parsed, "with_raw_response"),
    (
        "with_streaming_response(stream=True).parse",
        True,
        "sdk",
        streaming_parsed,
        astreaming_parsed,
        "with_streaming_response",
    ),
    ("with_streaming_response.iter_lines", True, "lazy", lines, alines, "with_streaming_response"),
    ("with_streaming_response.iter_bytes", True, "lazy", chunks, achunks, "with_streaming_response"),
    ("create", False, "sdk", whole, awhole, "create"),
    ("with_raw_response", False, "application", whole_raw, awhole_raw, "with_raw_response"),
    ("with_raw_response.parse", False, "application", whole_raw_parsed, awhole_raw_parsed, "with_raw_response"),
    ("with_streaming_response.read", False, "lazy", whole_streaming, awhole_streaming, "with_streaming_response"),
    (
        "with_streaming_response.parse",
        False,
        "lazy",
        whole_streaming_parsed,
        awhole_streaming_parsed,
        "with_streaming_response",
    ),
)
_TOOL_ROWS: tuple[tuple[str, bool, Decoding, Any, Any, str], ...] = (
    ("tool_runner", False, "sdk", tool_runner, atool_runner, "tool_runner"),
    ("tool_runner(stream=True)", True, "sdk", tool_runner_streams, atool_runner_streams, "tool_runner"),
)

_BETA_ROWS = tuple(
    row
    for row in _ROWS
    if row[0]
    in (
        "create(stream=True)",
        "stream",
        "with_raw_response(stream=True).parse",
        "with_streaming_response.iter_lines",
        "create",
    )
)

SURFACES: tuple[Surface, ...] = (
    *(_on("messages", *row) for row in _ROWS),
    *(_on("beta.messages", *row) for row in (*_BETA_ROWS, *_TOOL_ROWS)),
)
SURFACE_OF = {surface.name: surface for surface in SURFACES}

FEW_SURFACES: tuple[Surface, ...] = tuple(
    SURFACE_OF[name]
    for name in (
        "messages.create(stream=True)",
        "messages.stream",
        "messages.with_streaming_response.iter_lines",
        "messages.create",
        "messages.with_streaming_response.read",
        "beta.messages.create(stream=True)",
    )
)
"""One surface of each kind, for what takes its time."""
