# SPDX-License-Identifier: Apache-2.0
"""The application that has neighbours: calls of every kind, sync and async, and what it sees of each.

Runs in the environment of a neighbour, beside which nothing is installed but the SDK and OpenTelemetry's.
"""

from __future__ import annotations

import asyncio
import gc
import re
import ssl
from collections.abc import Callable
from typing import Any

import anthropic

REQUEST: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Say hello."}],
}
See = Callable[[object], None]
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_VARIES = re.compile(r"(?<=_01)\d{22}|(?<=127\.0\.0\.1:)\d+|(?<= at )0x[0-9a-f]+|(?<=took )[0-9.]+(?=s)")


def text(value: object) -> str:
    """`value` as it shows itself, without what is another at each run."""
    return _VARIES.sub("N", value if isinstance(value, str) else repr(value))


# --- the calls, each with its async twin ---


def create(client: Any, see: See) -> None:
    for event in client.messages.create(stream=True, **REQUEST):
        see(event)


async def acreate(client: Any, see: See) -> None:
    async for event in await client.messages.create(stream=True, **REQUEST):
        see(event)


def helper(client: Any, see: See) -> None:
    with client.messages.stream(**REQUEST) as stream:
        for event in stream:
            see(event)


async def ahelper(client: Any, see: See) -> None:
    async with client.messages.stream(**REQUEST) as stream:
        async for event in stream:
            see(event)


def lines(client: Any, see: See) -> None:
    with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        for line in response.iter_lines():
            see(line)


async def alines(client: Any, see: See) -> None:
    async with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        async for line in response.iter_lines():
            see(line)


def whole(client: Any, see: See) -> None:
    see(client.messages.create(**REQUEST))


async def awhole(client: Any, see: See) -> None:
    see(await client.messages.create(**REQUEST))


def begun(client: Any, see: See) -> Any:
    """A stream that has been read as far as its first chunk."""
    stream = client.messages.create(stream=True, **REQUEST)
    for event in stream:
        see(event)
        if event.type == "content_block_delta":
            break
    return stream


async def abegun(client: Any, see: See) -> Any:
    """A stream that has been read as far as its first chunk."""
    stream = await client.messages.create(stream=True, **REQUEST)
    async for event in stream:
        see(event)
        if event.type == "content_block_delta":
            break
    return stream


def closed(client: Any, see: See) -> None:
    begun(client, see).close()


async def aclosed(client: Any, see: See) -> None:
    stream = await abegun(client, see)
    await stream.close()


def dropped(client: Any, see: See) -> None:
    begun(client, see)


async def adropped(client: Any, see: See) -> None:
    await abegun(client, see)


CALLS: dict[str, tuple[str, Any, Any]] = {
    "completed": ("completed", create, acreate),
    "overloaded": ("overloaded_error_mid_stream", create, acreate),
    "truncated": ("end_without_message_stop", create, acreate),
    "reset": ("reset_mid_stream", create, acreate),
    "helper completed": ("completed", helper, ahelper),
    "helper overloaded": ("overloaded_error_mid_stream", helper, ahelper),
    "lines overloaded": ("overloaded_error_mid_stream", lines, alines),
    "whole": ("completed", whole, awhole),
    "refused": ("http_529", whole, awhole),
    "closed": ("completed", closed, aclosed),
    "dropped": ("completed", dropped, adropped),
}
"""A call's name → what the server plays, and what the application does."""


# --- making them ---


def make(name: str, twin: str, url: str, options: dict[str, Any]) -> list[str]:
    """Makes the call and returns all that there was to see."""
    scenario, call, acall = CALLS[name]
    seen: list[str] = []
    options = {"api_key": "none", "base_url": f"{url}/{scenario}", "max_retries": 0, **options}

    def see(event: object) -> None:
        seen.append(text(event))

    try:
        if twin == "async":
            asyncio.run(_amake(acall, see, options))
        else:
            with anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(verify=_TLS), **options) as client:
                call(client, see)
    except Exception as exception:
        seen.append(text((type(exception).__name__, str(exception), getattr(exception, "status_code", None))))
    gc.collect()
    return seen


async def _amake(acall: Any, see: See, options: dict[str, Any]) -> None:
    http_client = anthropic.DefaultAsyncHttpxClient(verify=_TLS)
    async with anthropic.AsyncAnthropic(http_client=http_client, **options) as client:
        try:
            await acall(client, see)
        finally:
            # What was dropped is closed by the loop, in tasks of its own.
            gc.collect()
            for _ in range(5):
                await asyncio.sleep(0)
