# SPDX-License-Identifier: Apache-2.0
"""Cancellation, threads, and streams side by side. Everything waits for events, nothing for time to pass."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anthropic
import pytest

from ..support.patience import PATIENCE_S
from ..support.streams.application import Application
from ..support.streams.expected import ROW_OF
from ..support.streams.row import Ending
from ..support.streams.surfaces import REQUEST, SURFACE_OF
from ..support.streams.telling import Told
from ..support.telemetry import Telemetry, described

CREATE = SURFACE_OF["messages.create(stream=True)"]
STALLED_EVENTS = 6
"""How many events `stall_mid_stream` shows before it falls silent."""


def outcomes(telemetry: Telemetry) -> list[Any]:
    """The outcomes of the calls that have ended, and how many chunks each had."""
    attributes = [described(span) for span in telemetry.spans]
    return [(found["after200.outcome"], found.get("after200.stream.chunks")) for found in attributes]


# --- cancellation ---


async def read(application: Application, stream_of: Callable[[Any], Any], silent: asyncio.Event) -> None:
    """Reads a stream that falls silent, and says so."""
    client = application.aclient("stall_mid_stream")
    count = 0
    async for _ in stream_of(client):
        count += 1
        if count == STALLED_EVENTS:
            silent.set()


async def created(client: Any) -> Any:
    async for event in await client.messages.create(stream=True, **REQUEST):
        yield event


async def helped(client: Any) -> Any:
    async with client.messages.stream(**REQUEST) as stream:
        async for event in stream:
            if event.type in ("message_start", "content_block_start", "content_block_delta"):
                yield event


async def by_lines(client: Any) -> Any:
    async with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        async for line in response.iter_lines():
            if line.startswith("data:") and "ping" not in line:
                yield line


async def cancelled_reading(application: Application, stream_of: Callable[[Any], Any]) -> asyncio.Task[None]:
    """A task that was cancelled while it waited for the next event."""
    silent = asyncio.Event()
    task = asyncio.create_task(read(application, stream_of, silent))
    await asyncio.wait_for(silent.wait(), PATIENCE_S)
    # Whoever sets an event runs on until it has to wait: the task is in the middle of reading now.
    task.cancel()
    await asyncio.wait([task])
    return task


@pytest.mark.parametrize("stream_of", [created, helped, by_lines], ids=lambda reader: reader.__name__)
def test_a_task_that_is_cancelled_while_it_reads_ends_its_call_as_cancelled(
    stream_of: Callable[[Any], Any], application: Application, telemetry: Telemetry
) -> None:
    bare = application.run(cancelled_reading(application, stream_of))
    application.server.wait_idle()
    application.server.clear()
    with telemetry.instrumented():
        task = application.run(cancelled_reading(application, stream_of))
        [served] = application.server.wait_idle()

    assert (True, True) == (bare.cancelled(), task.cancelled())
    row = replace(ROW_OF["completed"], stream=Ending("cancelled"), seen="text")
    told = Told(row, CREATE, application.server, served.request_id)
    assert [told.span()] == [described(span) for span in telemetry.spans]
    assert told.points() == telemetry.all_points()
    assert [] == telemetry.logged()
    assert [] == telemetry.open_spans


@pytest.mark.parametrize(("in_block", "outcome"), [(True, "closed"), (False, "abandoned")])
def test_a_task_that_is_cancelled_elsewhere_closes_or_abandons_its_stream(
    in_block: bool, outcome: str, application: Application, telemetry: Telemetry
) -> None:
    async def work(elsewhere: asyncio.Event) -> None:
        stream = await application.aclient("stall_mid_stream").messages.create(stream=True, **REQUEST)
        await anext(stream)
        elsewhere.set()
        if in_block:
            async with stream:
                await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def cancel() -> None:
        elsewhere = asyncio.Event()
        task = asyncio.create_task(work(elsewhere))
        await asyncio.wait_for(elsewhere.wait(), PATIENCE_S)
        task.cancel()
        await asyncio.wait([task])

    with telemetry.instrumented():
        application.run(cancel())
        application.collect()
        application.server.wait_idle()
        assert [(outcome, 0)] == outcomes(telemetry)


async def cancelled_waiting(application: Application) -> asyncio.Task[None]:
    """A task that was cancelled while it waited for the answer of a server that had its request."""
    asked, silence = asyncio.Event(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await silence.wait()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as silent_server:
        port = silent_server.sockets[0].getsockname()[1]
        client = application.aclient("completed").copy(base_url=f"http://127.0.0.1:{port}")
        task = asyncio.create_task(client.messages.create(stream=True, **REQUEST))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        task.cancel()
        await asyncio.wait([task])
        silence.set()
    return task


def test_a_task_that_is_cancelled_while_it_waits_for_an_answer_ends_its_call_as_cancelled(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        task = application.run(cancelled_waiting(application))
    assert task.cancelled()
    [span] = [described(span) for span in telemetry.spans]
    assert ("UNSET", "cancelled", None) == (span["status"], span["after200.outcome"], span.get("error.type"))
    assert 1 == telemetry.total("after200.calls", {"after200.outcome": "cancelled"})
    assert 1 == telemetry.total("after200.attempts")
    assert not [name for name in telemetry.all_points() if name.startswith("after200.streams.open")]
    assert [] == telemetry.open_spans


# --- side by side ---


def test_streams_that_are_read_in_turns_are_told_apart(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        completed = application.client("completed").messages.create(stream=True, **REQUEST)
        overloaded = application.client("overloaded_error_mid_stream").messages.create(stream=True, **REQUEST)
        left = application.client("completed").messages.create(stream=True, **REQUEST)
        for _ in range(5):
            next(completed), next(overloaded), next(left)
        left.close()
        with pytest.raises(Exception, match="Overloaded"):
            list(overloaded)
        list(completed)
    assert [("closed", 3), ("failed", 4), ("completed", 4)] == outcomes(telemetry)
    assert [] == telemetry.open_spans


def test_async_streams_that_are_read_in_turns_are_told_apart(application: Application, telemetry: Telemetry) -> None:
    async def read_in_turns() -> None:
        completed = await application.aclient("completed").messages.create(stream=True, **REQUEST)
        overloaded = await application.aclient("overloaded_error_mid_stream").messages.create(stream=True, **REQUEST)
        for _ in range(5):
            await asyncio.gather(anext(completed), anext(overloaded))
        with pytest.raises(Exception, match="Overloaded"):
            async for _ in overloaded:
                pass
        async for _ in completed:
            pass

    with telemetry.instrumented():
        application.run(read_in_turns())
    assert [("failed", 4), ("completed", 4)] == outcomes(telemetry)
    assert [] == telemetry.open_spans


# --- threads ---


def test_a_stream_that_another_thread_reads_is_told_of_the_same(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        reader = threading.Thread(target=lambda: list(stream))
        reader.start()
        reader.join(PATIENCE_S)
        [served] = application.server.wait_idle()
    told = Told(ROW_OF["completed"], CREATE, application.server, served.request_id)
    assert [told.span()] == [described(span) for span in telemetry.spans]
    assert told.points() == telemetry.all_points()


def test_a_stream_may_change_threads_at_every_event(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        for _ in range(9):
            reader = threading.Thread(target=lambda: next(stream))
            reader.start()
            reader.join(PATIENCE_S)
        assert [] == list(stream)
    assert [("completed", 4)] == outcomes(telemetry)


def close_while_another_thread_reads(application: Application) -> str:
    """Closes a stream that a thread waits for, and returns what the thread came upon."""
    stream = application.client("stall_mid_stream").messages.create(stream=True, timeout=1.0, **REQUEST)
    silent = threading.Event()
    seen: list[str] = []

    def read() -> None:
        try:
            for count, _ in enumerate(stream, 1):
                if count == STALLED_EVENTS:
                    silent.set()
        except Exception as exception:
            seen.append(type(exception).__name__)
        else:
            seen.append("the end")

    reader = threading.Thread(target=read)
    reader.start()
    assert silent.wait(PATIENCE_S)
    stream.close()
    reader.join(PATIENCE_S)
    application.server.wait_idle()
    return seen[0]


def test_a_stream_that_is_closed_while_another_thread_reads_it_is_closed(
    application: Application, telemetry: Telemetry
) -> None:
    bare = close_while_another_thread_reads(application)
    with telemetry.instrumented():
        seen = close_while_another_thread_reads(application)
    assert bare == seen
    assert [("closed", 4)] == outcomes(telemetry)
    assert [] == telemetry.open_spans


def test_threads_that_make_calls_at_the_same_time_lose_none(application: Application, telemetry: Telemetry) -> None:
    threads, calls = 8, 12
    start = threading.Barrier(threads)

    def work(scenario: str) -> None:
        client = application.client(scenario)
        start.wait(PATIENCE_S)
        for _ in range(calls):
            with contextlib.suppress(anthropic.APIStatusError):
                list(client.messages.create(stream=True, **REQUEST))

    with telemetry.instrumented():
        scenarios = ["completed", "overloaded_error_mid_stream"] * (threads // 2)
        workers = [threading.Thread(target=work, args=(scenario,)) for scenario in scenarios]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE_S)
    half = threads // 2 * calls
    assert [("completed", 4)] * half + [("failed", 4)] * half == sorted(outcomes(telemetry))
    assert 2 * half == telemetry.total("after200.calls")
    assert 0 == telemetry.total("after200.streams.open")
    assert [] == telemetry.open_spans
