# SPDX-License-Identifier: Apache-2.0
"""What an application does with one call: the steps it takes, each written down with what it gave or raised.

One class for both worlds: with a sync client no step ever suspends. A step that raises is written down too, and the
next one taken all the same, as an application may well go on.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

from opentelemetry import context as contexts
from opentelemetry import trace as spans

from .trace import Trace, describe, show
from .transport import Interrupted, Transport

REQUEST: dict[str, Any] = {
    "max_tokens": 64,
    "model": "claude-sonnet-4-5",
    "messages": [{"role": "user", "content": "Say something."}],
}

ALL = 1_000_000
TURNS = 500
QUIET_TURNS = 12


class Step(NamedTuple):
    """One thing that an application does, and with how many items."""

    name: str
    count: int = 1


class LeftError(Exception):
    """What the application raises where it leaves a stream in the middle."""


def run(surface: str, steps: list[Step], client: Any, trace: Trace) -> None:
    """Takes `steps` with one call over `surface`, with a sync client."""
    coroutine = Application(trace, None).run(surface, steps, client)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("a sync client made the application wait")


def arun(surface: str, steps: list[Step], client: Any, transport: Transport, trace: Trace, abrupt: bool) -> None:
    """Takes `steps` with one call over `surface`, with an async client, in an event loop of its own.

    `abrupt` says that the loop ends when the last step has been taken, whatever it was about to do.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(AtOnce())
    loop.set_exception_handler(lambda _, what: trace.append(("loop", what["message"], describe(what.get("exception")))))
    try:
        loop.run_until_complete(Application(trace, transport, abrupt).run(surface, steps, client))
        so_far = len(trace)
        loop.run_until_complete(end_all(transport))
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(until_it_hangs(transport, loop.shutdown_asyncgens()))
        # Which of its generators a loop closes first depends on their addresses.
        trace[so_far:] = sorted(trace[so_far:], key=str)
    finally:
        loop.close()
    trace.append(("loop", "closed"))


class AtOnce(ThreadPoolExecutor):
    """Does at once what the SDK asks a thread for, so that every run takes the same turns."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


async def end_all(transport: Transport) -> None:
    """Cancels what still runs, as `asyncio.run` does at its end."""
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        transport.hangs.clear()
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)


async def until_it_hangs(transport: Transport, step: Coroutine[Any, Any, Any]) -> Any:
    """Takes a step in a task of its own, which is cancelled wherever the transport hangs.

    How many turns of the event loop that takes is written down: nothing may make the application wait once more.
    """
    task = asyncio.ensure_future(step)
    turns = Turns(task)
    try:
        return await result_of(task, transport)
    finally:
        transport.trace.append(("loop", "turns", turns.count))


class Turns:
    """Counts the turns of the event loop until `task` is done."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.count = -1
        self._task = task
        self._count()

    def _count(self) -> None:
        if not self._task.done():
            self.count += 1
            asyncio.get_running_loop().call_soon(self._count)


async def result_of(task: asyncio.Task[Any], transport: Transport) -> Any:
    """The result of `task`, which is cancelled wherever the transport hangs."""
    while not task.done():
        hanging = asyncio.ensure_future(transport.hangs.wait())
        await asyncio.wait([task, hanging], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            transport.hangs.clear()
            task.cancel()
        hanging.cancel()
        await asyncio.wait([hanging])
    return task.result()


class Application:
    """Takes steps, one after the other. `transport` is that of an async client, and `None` with a sync one."""

    def __init__(self, trace: Trace, transport: Transport | None, abrupt: bool = False) -> None:
        self._trace = trace
        self._transport = transport
        self._abrupt = abrupt
        self._kept: dict[str, Any] = {}

    async def run(self, surface: str, steps: list[Step], client: Any) -> None:
        await self.attempt(f"open {surface}", lambda: self.open(surface, client))
        for step in steps:
            if "stream" not in self._kept:
                break
            await self.attempt(step.name, lambda step=step: getattr(self, step.name)(step.count))
        await self.attempt("drop", lambda: self.drop(1))

    async def attempt(self, step: str, action: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Takes one step, and writes down what came of it."""
        try:
            result = await (action() if self._transport is None else until_it_hangs(self._transport, action()))
            self.note(step, "gave", show(result))
        except (Exception, Interrupted, SystemExit, GeneratorExit, asyncio.CancelledError) as exception:
            self.note(step, "raised", describe(exception))
        if self._transport is not None and not (self._abrupt and step == "drop"):
            await self.settle(self._transport)

    async def settle(self, transport: Transport) -> None:
        """Lets the loop finish what it has begun, and writes down which turn of the loop something happened in.

        What was dropped is closed in tasks of the loop's own, one generator in each turn or two.
        """
        quiet = 0
        for turn in range(TURNS):
            so_far = len(self._trace)
            await asyncio.sleep(0)
            if transport.hangs.is_set():
                transport.hangs.clear()
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()
            if len(self._trace) > so_far:
                self.note("turn", turn)
                quiet = 0
            quiet += 1
            if quiet > QUIET_TURNS and len(asyncio.all_tasks()) == 1:
                return
        self.note("never settles")

    def note(self, *what: Any) -> None:
        span = spans.get_current_span().get_span_context()
        self._trace.append(("application", *what, span.is_valid, sorted(contexts.get_current()), sys.exc_info()[0]))

    # --- the same in both worlds ---

    async def value(self, result: Any) -> Any:
        return await result if inspect.isawaitable(result) else result

    async def next(self, iterator: Any) -> Any:
        return next(iterator) if self._transport is None else await anext(iterator)

    def iterator(self, iterable: Any) -> Any:
        return iter(iterable) if self._transport is None else aiter(iterable)

    async def read(self, iterable: Any, count: int) -> None:
        """Reads up to `count` items in a loop, and breaks."""
        if self._transport is None:
            for item in iterable:
                self.note("item", show(item))
                count -= 1
                if count <= 0:
                    break
        else:
            async for item in iterable:
                self.note("item", show(item))
                count -= 1
                if count <= 0:
                    break

    async def enter(self, manager: Any) -> Any:
        return manager.__enter__() if self._transport is None else await manager.__aenter__()

    async def exit(self, *error: Any) -> Any:
        manager = self._kept.pop("manager", None) or self.stream
        return manager.__exit__(*error) if self._transport is None else await manager.__aexit__(*error)

    # --- the call ---

    async def open(self, surface: str, client: Any) -> Any:
        api, _, kind = surface.partition(" ")
        messages = client.beta.messages if api == "beta" else client.messages
        if kind == "helper":
            self._kept["manager"] = messages.stream(**REQUEST)
            stream = await self.enter(self._kept["manager"])
        elif kind == "streaming response":
            self._kept["manager"] = messages.with_streaming_response.create(**REQUEST, stream=True)
            stream = await self.enter(self._kept["manager"])
        elif kind == "raw response":
            stream = await self.value(messages.with_raw_response.create(**REQUEST, stream=True))
        elif kind == "whole":
            stream = await self.value(messages.create(**REQUEST))
        else:
            stream = await self.value(messages.create(**REQUEST, stream=True))
        self._kept["stream"] = stream
        return stream if kind == "whole" else type(stream)

    @property
    def stream(self) -> Any:
        return self._kept["stream"]

    @property
    def response(self) -> Any:
        return getattr(self.stream, "http_response", None) or self.stream.response

    # --- steps: what is iterated ---

    async def some(self, count: int) -> None:
        for _ in range(count):
            self.note("item", show(await self.next(self.stream)))

    async def loop(self, count: int) -> None:
        await self.read(self.stream, count)

    async def rest(self, count: int) -> None:
        await self.read(self.stream, ALL)

    async def keep_iterator(self, count: int) -> None:
        self._kept["iterator"] = iterator = self.iterator(self.stream)
        self.note("item", show(await self.next(iterator)))

    async def throw(self, count: int) -> None:
        iterator = self.iterator(self.stream)
        self.note("item", show(await self.next(iterator)))
        error = LeftError("thrown in")
        await self.value(iterator.throw(error) if self._transport is None else iterator.athrow(error))

    async def close_iterator(self, count: int) -> None:
        iterator = self.iterator(self.stream)
        self.note("item", show(await self.next(iterator)))
        await self.value(iterator.close() if self._transport is None else iterator.aclose())

    async def text(self, count: int) -> None:
        await self.read(self.stream.text_stream, count)

    async def lines(self, count: int) -> None:
        await self.read(self.stream.iter_lines(), count)

    async def data(self, count: int) -> None:
        await self.read(self.stream.iter_bytes(), count)

    async def pieces(self, count: int) -> None:
        await self.read(self.stream.iter_bytes(7), count)

    async def characters(self, count: int) -> None:
        await self.read(self.stream.iter_text(), count)

    async def raw(self, count: int) -> None:
        response = self.response
        await self.read(response.iter_raw() if self._transport is None else response.aiter_raw(), count)

    # --- steps: the whole ---

    async def parse(self, count: int) -> Any:
        self._kept["stream"] = await self.value(self.stream.parse())
        return type(self.stream)

    async def final_message(self, count: int) -> Any:
        return await self.value(self.stream.get_final_message())

    async def final_text(self, count: int) -> Any:
        return await self.value(self.stream.get_final_text())

    async def until_done(self, count: int) -> Any:
        return await self.value(self.stream.until_done())

    async def snapshot(self, count: int) -> Any:
        return self.stream.current_message_snapshot

    async def read_body(self, count: int) -> Any:
        return await self.value(self.stream.read())

    async def json(self, count: int) -> Any:
        return await self.value(self.stream.json())

    async def look(self, count: int) -> Any:
        response = self.response
        return (
            response.status_code,
            response.is_closed,
            response.is_stream_consumed,
            response.num_bytes_downloaded,
            sorted(response.headers.items()),
            getattr(self.stream, "request_id", None),
        )

    # --- steps: the end ---

    async def close(self, count: int) -> Any:
        return await self.value(self.stream.close())

    async def close_response(self, count: int) -> Any:
        response = self.response
        return await self.value(response.close() if self._transport is None else response.aclose())

    async def leave(self, count: int) -> Any:
        return await self.exit(None, None, None)

    async def leave_raising(self, count: int) -> Any:
        try:
            raise LeftError("the application's own")
        except LeftError:
            if not await self.exit(*sys.exc_info()):
                raise

    async def drop(self, count: int) -> Any:
        """Lets go of everything. That it is gone then shows that nothing else holds it."""
        try:
            gone = weakref.ref(self._kept.get("stream"))
        except TypeError:
            gone = None
        self._kept.clear()
        return gone is None or gone() is None

    async def collect(self, count: int) -> None:
        gc.collect(0)  # Everything that was made since the run began, as the collector is off.
