# SPDX-License-Identifier: Apache-2.0
"""What the SDK hands to an application, given a body: a whole answer or not. It is the judge in `test_oracle.py`."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..support.in_memory.application import REQUEST
from ..support.in_memory.trace import Trace, describe, show
from ..support.in_memory.transport import Answer, Transport, client


@dataclass
class Handed:
    """What the application got of one call."""

    seen: Trace
    streamed: bool
    raw: bool = False
    """Whether it asked for a message, and for the response as it came."""

    whole: bool = False
    """Whether it has a whole answer: a final message with a stop reason, or a parsed body that has content."""

    types: list[str] = field(default_factory=list)
    """The types of the events that were handed to it."""

    reason: object = None
    """The stop reason that it was told."""

    result: object = None
    """The parsed body of a call that does not stream."""

    exception: BaseException | None = None

    read_before: bool = False
    """Whether a hook of the HTTP client had read the body before the SDK began to."""


async def helper(messages: Any, handed: Handed, settle: Callable[[Any], Any]) -> None:
    manager = messages.stream(**REQUEST)
    stream = manager.__enter__() if hasattr(manager, "__enter__") else await manager.__aenter__()
    try:
        message = await settle(stream.get_final_message())
        handed.seen.append(("message", show(message)))
        handed.reason = getattr(message, "stop_reason", None)
        handed.whole = handed.reason is not None
    finally:
        await settle(stream.close())


async def create(messages: Any, handed: Handed, settle: Callable[[Any], Any]) -> None:
    await read(await settle(messages.create(stream=True, **REQUEST)), handed)


async def raw_parsed(messages: Any, handed: Handed, settle: Callable[[Any], Any]) -> None:
    response = await settle(messages.with_raw_response.create(stream=True, **REQUEST))
    await read(await settle(response.parse()), handed)


async def read(stream: Any, handed: Handed) -> None:
    if hasattr(stream, "__aiter__"):
        async for event in stream:
            see(event, handed)
    else:
        for event in stream:
            see(event, handed)


def see(event: Any, handed: Handed) -> None:
    """An application that loops over the events has a whole answer once it is told why the model stopped."""
    handed.seen.append(("event", show(event)))
    handed.types.append(str(getattr(event, "type", None)))
    if handed.types[-1] == "message_delta":
        handed.reason = getattr(getattr(event, "delta", None), "stop_reason", None) or handed.reason
    handed.whole = handed.reason is not None


async def whole(messages: Any, handed: Handed, settle: Callable[[Any], Any]) -> None:
    judge(await settle(messages.create(**REQUEST)), handed)


async def whole_raw_parsed(messages: Any, handed: Handed, settle: Callable[[Any], Any]) -> None:
    response = await settle(messages.with_raw_response.create(**REQUEST))
    judge(await settle(response.parse()), handed)


def judge(message: Any, handed: Handed) -> None:
    handed.seen.append(("message", show(message)))
    handed.result = message
    handed.whole = isinstance(getattr(message, "content", None), list)


STREAMED: dict[str, Any] = {"helper": helper, "create": create, "raw response": raw_parsed}
WHOLE: dict[str, Any] = {"whole": whole, "whole raw response": whole_raw_parsed}
SURFACES = {**STREAMED, **WHOLE}


def read_body(response: Any) -> None:
    response.read()


async def aread_body(response: Any) -> None:
    await response.aread()


@functools.cache
def has_beta(platform: str, surface: str) -> bool:
    """Whether this version of the SDK has `surface` under `beta`, with the client of `platform`."""
    messages = getattr(
        getattr(client(platform, Transport(Answer(()), []), asynchronous=False), "beta", None), "messages", None
    )
    return messages is not None and (surface != "helper" or hasattr(messages, "stream"))


def hand_out(
    platform: str,
    answer: Answer,
    surface: str,
    *,
    beta: bool,
    asynchronous: bool,
    read_before: bool = False,
    **options: Any,
) -> Handed:
    """Has the SDK read `answer` over `surface`, to its end; where `read_before`, a hook of the client has read it."""
    transport = Transport(answer, [])
    sdk = client(platform, transport, asynchronous, **options)
    if read_before:
        sdk._client.event_hooks = {"response": [aread_body if asynchronous else read_body]}
    handed = Handed(transport.trace, surface in STREAMED, surface == "whole raw response", read_before=read_before)
    messages = sdk.beta.messages if beta else sdk.messages
    call = play(SURFACES[surface], messages, handed)
    if asynchronous:
        asyncio.run(call)
    else:
        try:
            call.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("a sync client made the application wait")
    return handed


async def play(read_answer: Any, messages: Any, handed: Handed) -> None:
    try:
        await read_answer(messages, handed, settled)
    except Exception as exception:
        handed.whole = False
        handed.exception = exception
        handed.seen.append(("raised", describe(exception)))


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
