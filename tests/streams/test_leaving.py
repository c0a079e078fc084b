# SPDX-License-Identifier: Apache-2.0
"""The application leaves a stream before its end: how the call ends then is the application's own doing, no error.

`completed` shows the application nine events: message_start, content_block_start, four chunks, content_block_stop,
message_delta and message_stop.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ..support.streams.application import Application
from ..support.streams.expected import ROW_OF
from ..support.streams.row import Ending, Place, Row
from ..support.streams.surfaces import REQUEST, SURFACE_OF
from ..support.streams.telling import Told
from ..support.telemetry import Telemetry, described

CREATE = SURFACE_OF["messages.create(stream=True)"]

AFTER: dict[int, tuple[Place, int]] = {
    0: ("nothing", 0),
    1: ("start", 0),
    3: ("text", 1),
    6: ("text", 4),
    8: ("close", 4),
    9: ("stop", 4),
}
"""After so many events: how far the stream has come, and how many chunks that makes."""


class OwnError(Exception):
    """An exception of the application's own."""


def left_after(events: int, outcome: str) -> Row:
    """What a call comes to that is left after so many events; once there was a stop reason, it was complete."""
    seen, chunks = AFTER[events]
    ending = Ending("completed" if seen in ("close", "stop") else outcome)
    return replace(ROW_OF["completed"], stream=ending, seen=seen, chunks=chunks)


def told_of(row: Row, application: Application, telemetry: Telemetry) -> None:
    """Asserts that exactly the call that went as `row` says was recorded, and nothing is open."""
    [served] = application.server.wait_idle()
    told = Told(row, CREATE, application.server, served.request_id)
    assert [told.span()] == [described(span) for span in telemetry.spans]
    assert told.points() == telemetry.all_points()
    assert [] == telemetry.logged()
    assert [] == telemetry.open_spans


# --- ways to leave, sync ---


def close(stream: Any) -> None:
    stream.close()


def close_twice(stream: Any) -> None:
    stream.close()
    stream.close()


def leave_the_with_block(stream: Any) -> None:
    with stream:
        pass


def leave_the_with_block_by_an_exception(stream: Any) -> None:
    error = OwnError("mine")
    with pytest.raises(OwnError) as raised, stream:
        raise error
    assert error is raised.value
    assert raised.value.__context__ is None


def close_the_response(stream: Any) -> None:
    stream.response.close()


WAYS = (close, close_twice, leave_the_with_block, leave_the_with_block_by_an_exception, close_the_response)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("events", AFTER)
def test_a_stream_that_is_closed_is_closed_and_after_its_stop_reason_completed(
    way: Callable[[Any], None], events: int, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        for _ in range(events):
            next(stream)
        assert [f"chat {REQUEST['model']}"] == telemetry.open_spans
        way(stream)
        told_of(left_after(events, "closed"), application, telemetry)


@pytest.mark.parametrize("events", AFTER)
def test_a_stream_that_is_dropped_is_abandoned(events: int, application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        for _ in range(events):
            next(stream)
        del stream
        gc.collect()
        told_of(left_after(events, "abandoned"), application, telemetry)


@pytest.mark.parametrize("events", [1, 3, 8])
def test_a_stream_whose_loop_is_left_is_open_until_it_is_closed(
    events: int, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        for count, _ in enumerate(stream, 1):
            if count == events:
                break
        gc.collect()
        assert [] == telemetry.spans
        stream.close()
        told_of(left_after(events, "closed"), application, telemetry)


def test_a_second_loop_goes_on_where_the_first_was_left(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        for _ in zip(range(3), stream, strict=False):
            pass
        rest = [event.type for event in stream]
        told_of(ROW_OF["completed"], application, telemetry)
    assert "message_stop" == rest[-1]
    assert [] == list(stream)


# --- ways to leave, async ---


async def aclose(stream: Any) -> None:
    await stream.close()


async def aleave_the_with_block(stream: Any) -> None:
    async with stream:
        pass


async def aleave_the_with_block_by_an_exception(stream: Any) -> None:
    error = OwnError("mine")
    with pytest.raises(OwnError) as raised:
        async with stream:
            raise error
    assert error is raised.value


async def aclose_the_response(stream: Any) -> None:
    await stream.response.aclose()


ASYNC_WAYS = (aclose, aleave_the_with_block, aleave_the_with_block_by_an_exception, aclose_the_response)


@pytest.mark.parametrize("way", ASYNC_WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("events", AFTER)
def test_an_async_stream_that_is_closed_is_closed_and_after_its_stop_reason_completed(
    way: Callable[[Any], Any], events: int, application: Application, telemetry: Telemetry
) -> None:
    async def leave() -> None:
        stream = await application.aclient("completed").messages.create(stream=True, **REQUEST)
        for _ in range(events):
            await anext(stream)
        assert [f"chat {REQUEST['model']}"] == telemetry.open_spans
        await way(stream)

    with telemetry.instrumented():
        application.run(leave())
        told_of(left_after(events, "closed"), application, telemetry)


@pytest.mark.parametrize("events", AFTER)
def test_an_async_stream_that_is_dropped_is_abandoned(
    events: int, application: Application, telemetry: Telemetry
) -> None:
    async def leave() -> None:
        stream = await application.aclient("completed").messages.create(stream=True, **REQUEST)
        for _ in range(events):
            await anext(stream)

    with telemetry.instrumented():
        application.run(leave())
        application.collect()
        told_of(left_after(events, "abandoned"), application, telemetry)


# --- the helper, and streams read raw ---


def helper(client: Any) -> Iterator[str]:
    with client.messages.stream(**REQUEST) as stream:
        yield from stream.text_stream


async def ahelper(client: Any) -> AsyncIterator[str]:
    async with client.messages.stream(**REQUEST) as stream:
        async for text in stream.text_stream:
            yield text


@pytest.mark.parametrize("texts", [1, 3])
def test_leaving_the_helper_closes_its_stream(texts: int, application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        reading = helper(application.client("completed"))
        for _ in range(texts):
            next(reading)
        reading.close()  # type: ignore[attr-defined]
        row = replace(ROW_OF["completed"], stream=Ending("closed"), seen="text", chunks=texts)
        told_of(row, application, telemetry)


@pytest.mark.parametrize("texts", [1, 3])
def test_leaving_the_async_helper_closes_its_stream(texts: int, application: Application, telemetry: Telemetry) -> None:
    async def leave() -> None:
        reading = ahelper(application.aclient("completed"))
        for _ in range(texts):
            await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]

    with telemetry.instrumented():
        application.run(leave())
        row = replace(ROW_OF["completed"], stream=Ending("closed"), seen="text", chunks=texts)
        told_of(row, application, telemetry)


def test_an_exception_in_the_helper_s_with_block_comes_out_as_it_is(
    application: Application, telemetry: Telemetry
) -> None:
    error = OwnError("mine")

    def fail_reading() -> None:
        with application.client("completed").messages.stream(**REQUEST) as stream:
            next(iter(stream.text_stream))
            raise error

    with telemetry.instrumented():
        with pytest.raises(OwnError) as raised:
            fail_reading()
        row = replace(ROW_OF["completed"], stream=Ending("closed"), seen="text", chunks=1)
        told_of(row, application, telemetry)
    assert error is raised.value


@pytest.mark.parametrize(("lines", "seen"), [(0, "nothing"), (3, "start")])
def test_leaving_a_stream_that_is_read_by_lines_closes_it(
    lines: int, seen: Place, application: Application, telemetry: Telemetry
) -> None:
    """From a server that is slow, as a fast one's lines come several at a time."""
    with telemetry.instrumented():
        messages = application.client("completed_slow").messages
        with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
            reading = response.iter_lines()
            for _ in range(lines):
                next(reading)
        row = replace(ROW_OF["completed"], stream=Ending("closed"), seen=seen, chunks=0)
        told_of(row, application, telemetry)


def test_a_raw_stream_that_was_never_read_is_closed_with_its_block(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        messages = application.client("completed").messages
        with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
            assert 200 == response.status_code
        told_of(left_after(0, "closed"), application, telemetry)


def test_a_raw_stream_whose_loop_is_left_is_closed_once_with_its_block(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        messages = application.client("completed_slow").messages
        with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
            for line in response.iter_lines():
                assert "event: message_start" == line
                break
            gc.collect()
        told_of(left_after(1, "closed"), application, telemetry)
