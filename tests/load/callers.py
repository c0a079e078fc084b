# SPDX-License-Identifier: Apache-2.0
"""Makes the calls of a plan, sync in threads or async in one event loop, and says what it saw of each."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Iterable
from typing import Any

import anthropic

from .plans import BEFORE_STALL, Planned, Seen

http: Any = sys.modules.get("httpx2") or sys.modules["httpx"]

REQUEST: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Say hello."}],
}


class LeftError(Exception):
    """What the application raises to leave a stream in the middle."""


def timeout_of(planned: Planned) -> Any:
    return http.Timeout(60.0, read=planned.read_timeout)


def limits() -> Any:
    return http.Limits(max_connections=None, max_keepalive_connections=200)


def in_threads(url: str, plan: Iterable[Planned], threads: int) -> list[Seen]:
    """Makes the calls of `plan` in `threads` threads that share a client."""
    work: queue.SimpleQueue[Planned | None] = queue.SimpleQueue()
    all_seen: list[Seen] = []
    http_client = http.Client(limits=limits())
    with anthropic.Anthropic(api_key="none", base_url=url, http_client=http_client) as shared:

        def worker() -> None:
            while (planned := work.get()) is not None:
                all_seen.append(call(shared, url, planned))

        workers = [threading.Thread(target=worker) for _ in range(threads)]
        for thread in workers:
            thread.start()
        for planned in plan:
            work.put(planned)
        for _ in workers:
            work.put(None)
        for thread in workers:
            thread.join()
    return all_seen


def call(shared: Any, url: str, planned: Planned) -> Seen:
    """Makes one call."""
    seen = Seen(planned, key=f"{os.getpid()}-{threading.get_ident()}-{planned.number}")
    base_url = f"{url}/{planned.row.scenario}@{seen.key}"
    client = shared.with_options(base_url=base_url, timeout=timeout_of(planned), max_retries=planned.retries)
    try:
        READERS[planned.way](client.messages, seen)
    except Exception as error:
        seen.error = None if isinstance(error, LeftError) else error
        if seen.error is not None:
            seen.error.__traceback__ = None  # which would keep everything
    return seen


def whole(messages: Any, seen: Seen) -> None:
    messages.create(**REQUEST)


def lines(messages: Any, seen: Seen) -> None:
    with messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        seen.began = True
        for line in response.iter_lines():
            seen.was_told = seen.was_told or line.startswith("data:")


def helper(messages: Any, seen: Seen) -> None:
    with messages.stream(**REQUEST) as stream:
        read(stream, seen)


def create(messages: Any, seen: Seen) -> None:
    stream = messages.create(**REQUEST, stream=True)
    if seen.planned.deed == "leave":
        with stream:
            read(stream, seen)
    else:
        read(stream, seen)


def read(stream: Any, seen: Seen) -> None:
    """Does with `stream` what is planned."""
    seen.began = True
    deed = seen.planned.deed
    if deed != "read" and next(stream, None) is not None:
        seen.left, seen.was_told = deed, True
        if deed == "leave":
            raise LeftError
        if deed == "close":
            stream.close()
        return
    for _event in stream:
        seen.was_told = True


READERS = {"create": create, "helper": helper, "lines": lines, "whole": whole}


# --- async ---


async def at_once(url: str, plan: Iterable[Planned], at_most: int) -> list[Seen]:
    """Makes the calls of `plan`, up to `at_most` at the same time."""
    turn = asyncio.Semaphore(at_most)
    # Several, since what a pool does for a request grows with the requests that it has.
    shared = [
        anthropic.AsyncAnthropic(api_key="none", base_url=url, http_client=http.AsyncClient(limits=limits()))
        for _ in range(at_most // 50)
    ]

    async def one(planned: Planned) -> Seen:
        async with turn:
            return await acall(shared[planned.number % len(shared)], url, planned)

    try:
        return list(await asyncio.gather(*(one(planned) for planned in plan)))
    finally:
        for client in shared:
            await client.close()


async def acall(shared: Any, url: str, planned: Planned) -> Seen:
    """Makes one call."""
    seen = Seen(planned, key=f"{os.getpid()}-a-{planned.number}")
    base_url = f"{url}/{planned.row.scenario}@{seen.key}"
    client = shared.with_options(base_url=base_url, timeout=timeout_of(planned), max_retries=planned.retries)
    client._platform = "Linux"  # Each new client would ask a thread.
    if planned.deed == "cancel":
        await cancelled(client.messages, seen)
        return seen
    try:
        await AREADERS[planned.way](client.messages, seen)
    except Exception as error:
        seen.error = None if isinstance(error, LeftError) else error
        if seen.error is not None:
            seen.error.__traceback__ = None
    return seen


async def cancelled(messages: Any, seen: Seen) -> None:
    """Reads until nothing more comes, in a task that is cancelled then."""
    waiting = asyncio.Event()

    async def reader() -> None:
        stream = await messages.create(**REQUEST, stream=True)
        seen.began = True
        for _ in range(BEFORE_STALL[seen.planned.row.scenario]):
            await anext(stream)
        waiting.set()
        await anext(stream)

    task = asyncio.create_task(reader())
    await asyncio.wait([task, asyncio.create_task(waiting.wait())], return_when=asyncio.FIRST_COMPLETED)
    # One turn more, in which it begins to wait for what never comes.
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        seen.left = "cancel"
        seen.was_told = BEFORE_STALL[seen.planned.row.scenario] > 0


async def awhole(messages: Any, seen: Seen) -> None:
    await messages.create(**REQUEST)


async def alines(messages: Any, seen: Seen) -> None:
    async with messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        seen.began = True
        async for line in response.iter_lines():
            seen.was_told = seen.was_told or line.startswith("data:")


async def ahelper(messages: Any, seen: Seen) -> None:
    async with messages.stream(**REQUEST) as stream:
        await aread(stream, seen)


async def acreate(messages: Any, seen: Seen) -> None:
    stream = await messages.create(**REQUEST, stream=True)
    if seen.planned.deed == "leave":
        async with stream:
            await aread(stream, seen)
    else:
        await aread(stream, seen)


async def aread(stream: Any, seen: Seen) -> None:
    """Does with `stream` what is planned."""
    seen.began = True
    deed = seen.planned.deed
    if deed != "read" and await anext(stream, None) is not None:
        seen.left, seen.was_told = deed, True
        if deed == "leave":
            raise LeftError
        if deed == "close":
            await stream.close()
        return
    async for _event in stream:
        seen.was_told = True


AREADERS = {"create": acreate, "helper": ahelper, "lines": alines, "whole": awhole}
