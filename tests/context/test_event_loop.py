# SPDX-License-Identifier: Apache-2.0
"""What an event loop has to close, and complains of, is what it has without the package."""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from collections import Counter
from typing import Any

import pytest

from after200.faults import FaultServer

from ..support import warm
from ..support.in_memory.answers import body
from ..support.in_memory.bodies import CLOSING, DELTA, OPENING, START, STOP, chunk
from ..support.in_memory.trace import Trace
from ..support.in_memory.transport import Answer, Transport, client
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import async_client, client_options


def generators(server: FaultServer, scenario: str, read: str) -> Counter[str]:
    """The asynchronous generators that the event loop is asked to close at its end, while a stream is half read."""
    found: Counter[str] = Counter()
    firsts: list[Any] = []

    async def main() -> None:
        hooks = sys.get_asyncgen_hooks()

        def first(generator: Any) -> None:
            firsts.append(generator)
            if hooks.firstiter is not None:
                hooks.firstiter(generator)

        sys.set_asyncgen_hooks(firstiter=first)
        async with async_client(client_options(server, scenario)) as client:
            if read == "lines":
                async with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
                    async for _ in response.iter_lines():
                        break
            else:
                stream = await client.messages.create(stream=True, **REQUEST)
                await anext(stream)
                found.update(generator.__qualname__ for generator in firsts)
                await stream.close()
        found.update(generator.__qualname__ for generator in firsts if read == "lines")

    asyncio.run(main())
    return found


@pytest.mark.parametrize("read", ["events", "lines"])
@pytest.mark.parametrize("spans", ["own", "auto"])
def test_the_loop_has_the_same_generators_to_close(
    server: FaultServer, telemetry: Telemetry, spans: str, read: str
) -> None:
    bare = generators(server, "completed", read)
    with telemetry.instrumented(spans=spans):
        assert bare == generators(server, "completed", read)
    assert bare


PROGRAM = '''
import asyncio, gc, sys, warnings, weakref
warnings.simplefilter("ignore")
import anthropic
from after200 import AnthropicInstrumentor

url, instrumented, how, order = sys.argv[1:]
if instrumented == "with":
    AnthropicInstrumentor().instrument(skip_dep_check=True, spans="own")


async def half_read():
    client = anthropic.AsyncAnthropic(api_key="none", base_url=url)
    request = {"model": "claude-test", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
    cycle = [await client.messages.create(stream=True, **request)]
    async for event in cycle[0]:
        break
    if how == "running":
        cycle.append(cycle)
        del cycle
        gc.collect()
        await asyncio.sleep(0.05)


class InOrder(weakref.WeakSet):
    """The generators to close, by their names: a loop closes them by their addresses, which differ with every run."""

    def __iter__(self):
        return iter(sorted(super().__iter__(), key=lambda one: one.__qualname__, reverse=order == "backwards"))


loop = asyncio.new_event_loop()
loop._asyncgens = InOrder()
try:
    loop.run_until_complete(half_read())
    loop.run_until_complete(loop.shutdown_asyncgens())
finally:
    loop.close()
'''


@pytest.mark.parametrize("order", ["forwards", "backwards"])
@pytest.mark.parametrize("how", ["at the end", "running"])
def test_a_loop_says_nothing_of_a_stream_that_was_left_which_it_does_not_say_without_us(
    server: FaultServer, how: str, order: str
) -> None:
    """The newest HTTP client complains of its own generators on Python 3.13, in some orders: we add nothing to that."""

    def said(instrumented: str) -> list[tuple[str, ...]]:
        complaints = []
        for _ in range(2):
            arguments = [server.base_url("completed"), instrumented, how, order]
            done = warm.run(["-c", PROGRAM, *arguments])
            assert 0 == done.returncode, done.stderr
            of_generators = re.findall(r"closing of asynchronous generator <async_generator object (\S+)", done.stderr)
            assert of_generators or not done.stderr
            complaints.append(tuple(of_generators))
        return complaints

    assert said("without") == said("with")


async def test_a_dropped_stream_is_closed_in_as_many_turns_of_the_loop(
    server: FaultServer, telemetry: Telemetry
) -> None:
    async def turns() -> int | None:
        async with async_client(client_options(server, "completed")) as client:
            stream = await client.messages.create(stream=True, **REQUEST)
            await anext(stream)
            response = stream.response
            del stream
            gc.collect()
            for turn in range(100):
                if response.is_closed:
                    return turn
                await asyncio.sleep(0)
        return None  # Old versions of the SDK leave it open.

    without = await turns()
    with telemetry.instrumented():
        assert without == await turns()


# --- in which order the generators of a dropped stream are closed ---

PIECES = body(START, OPENING, *(chunk(f"word {number} ") for number in range(4)), CLOSING, DELTA, STOP)


class CollectsAt(Trace):
    """Has the youngest objects collected while a piece of the body is read, as the collector may at any moment."""

    def __init__(self, moment: int) -> None:
        super().__init__()
        self._entry = ("transport", "chunk", moment)

    def append(self, entry: Any) -> None:
        if entry == self._entry:
            gc.collect(0)


async def helper(client: Any) -> Any:
    stream = await client.messages.stream(**REQUEST).__aenter__()
    async for _ in stream:
        break
    return stream


async def events(client: Any) -> Any:
    stream = await client.messages.create(stream=True, **REQUEST)
    async for _ in stream:
        break
    return [stream, stream._iterator]


async def two_events(client: Any) -> Any:
    stream = await client.messages.create(stream=True, **REQUEST)
    await anext(stream)
    await anext(stream)
    return [stream]


async def lines(client: Any) -> Any:
    response = await client.messages.with_streaming_response.create(stream=True, **REQUEST).__aenter__()
    reading = response.iter_lines()
    await anext(reading)
    return [response, reading]


def closed_in_order(read: Any, moment: int) -> tuple[list[str], list[str]]:
    """The generators of a half-read stream in a cycle as they are finalized, and what the event loop complains of."""
    finalized: list[str] = []
    complaints: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, what: complaints.append(f"{what['message']} {what.get('exception')!r}"))
        hooks = sys.get_asyncgen_hooks()

        def finalize(generator: Any) -> None:
            finalized.append(generator.__qualname__)
            assert hooks.finalizer is not None
            hooks.finalizer(generator)

        sys.set_asyncgen_hooks(finalizer=finalize)
        sdk = client("Anthropic", Transport(Answer(PIECES), CollectsAt(moment)), asynchronous=True)
        cycle = [await read(sdk)]
        cycle.append(cycle)
        del cycle
        gc.collect()
        for _ in range(20):
            await asyncio.sleep(0)

    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
    return finalized, complaints


@pytest.mark.parametrize("moment", [0, 1, 2])
@pytest.mark.parametrize("read", [helper, events, two_events, lines], ids=lambda read: read.__name__)
def test_whenever_the_collector_runs_the_generators_of_a_dropped_stream_are_closed_in_the_same_order(
    read: Any, moment: int, telemetry: Telemetry
) -> None:
    """The HTTP client's generators close those below them: the loop complains where an inner one is closed first."""
    closed_in_order(read, moment)  # What the first call imports and caches is no part of it.
    bare = closed_in_order(read, moment)
    with telemetry.instrumented():
        assert bare == closed_in_order(read, moment)
    assert bare[0]
