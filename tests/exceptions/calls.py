# SPDX-License-Identifier: Apache-2.0
"""Calls that an application makes and, where it is told to, makes again; sync and async, under one name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic

from ..support.streams.surfaces import REQUEST, SURFACES, Surface
from ..support.traced_calls import Twin, async_client, sync_client

RAISING = {
    surface.name: surface
    for surface in SURFACES
    if surface.stream and surface.decoding == "sdk" and "tool_runner" not in surface.name and not surface.missing()
}
"""The ways to read a stream in which the SDK raises what the provider says."""

Caught = anthropic.APIStatusError


def catch(options: dict[str, Any], twin: Twin, surface: Surface | None = None) -> Exception:
    """What a call raises."""
    surface = surface or RAISING["messages.create(stream=True)"]
    try:
        if twin == "sync":
            with sync_client(options) as client:
                surface.read(client, lambda event: None)
        else:
            asyncio.run(_acatch(options, surface))
    except Exception as exception:
        return exception
    raise AssertionError("the call raised nothing")


async def _acatch(options: dict[str, Any], surface: Surface) -> None:
    async with async_client(options) as client:
        await surface.aread(client, lambda event: None)


def answer(client: Any) -> str:
    """An answer of the model, as text."""
    return "".join(
        event.delta.text
        for event in client.messages.create(stream=True, **REQUEST)
        if event.type == "content_block_delta"
    )


async def aanswer(client: Any) -> str:
    """An answer of the model, as text."""
    events = [event async for event in await client.messages.create(stream=True, **REQUEST)]
    return "".join(event.delta.text for event in events if event.type == "content_block_delta")


def helped_answer(client: Any) -> str:
    """The same by the helper."""
    with client.messages.stream(**REQUEST) as stream:
        return str(stream.get_final_text())


async def ahelped_answer(client: Any) -> str:
    """The same by the helper."""
    async with client.messages.stream(**REQUEST) as stream:
        return str(await stream.get_final_text())


def run(twin: Twin, options: dict[str, Any], ask: tuple[Any, Any], again: Callable[[Any], Any]) -> Any:
    """Asks once, and again as the decorator `again` has it."""
    if twin == "sync":
        with sync_client(options) as client:
            return again(ask[0])(client)

    async def arun() -> Any:
        async with async_client(options) as client:
            return await again(ask[1])(client)

    return asyncio.run(arun())
