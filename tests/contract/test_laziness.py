# SPDX-License-Identifier: Apache-2.0
"""Nothing happens earlier, nothing is held back, nothing is kept alive because of the package."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation

import after200

from ..support.streams.application import Application
from ..support.streams.surfaces import REQUEST, SURFACE_OF, settled
from ..support.telemetry import Telemetry, described


def test_the_helper_sends_no_request_before_its_block_is_entered(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        messages = application.client("completed").messages
        managers = [messages.stream(**REQUEST), messages.with_streaming_response.create(stream=True, **REQUEST)]
        del managers
        gc.collect()
    assert () == application.server.wait_idle()
    assert [] == telemetry.spans
    assert {} == telemetry.all_points()


def test_a_coroutine_that_is_never_awaited_is_no_call(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        application.aclient("completed").messages.create(stream=True, **REQUEST).close()
    assert () == application.server.wait_idle()
    assert [] == telemetry.spans


def test_no_byte_is_read_before_the_application_asks(application: Application, telemetry: Telemetry) -> None:
    def unread() -> tuple[bool, int]:
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        response = stream.response
        try:
            return response.is_stream_consumed, response.num_bytes_downloaded
        finally:
            stream.close()

    bare = unread()
    with telemetry.instrumented():
        assert bare == unread()
    assert (False, 0) == bare


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda messages: messages.create(stream=True, **REQUEST), 6),
        (lambda messages: messages.with_raw_response.create(stream=True, **REQUEST).parse(), 6),
    ],
    ids=["create", "with_raw_response"],
)
def test_no_event_is_held_back_until_the_next_one_comes(
    read: Callable[[Any], Any], expected: int, application: Application, telemetry: Telemetry
) -> None:
    """`stall_mid_stream` says nothing after its sixth event, so whoever looked ahead would time out."""
    with telemetry.instrumented():
        stream = read(application.client("stall_mid_stream").messages)
        events = [next(stream).type for _ in range(expected)]
        stream.close()
    assert "content_block_delta" == events[-1]


def test_no_line_is_held_back_until_the_next_one_comes(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        messages = application.client("stall_mid_stream").messages
        with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
            lines = response.iter_lines()
            # Seven events of three lines each, one of them a ping.
            seen = [next(lines) for _ in range(21)]
    assert "event: content_block_delta" == seen[-3]


# --- what is kept alive ---


def dropped_unread(client: Any) -> dict[str, Any]:
    stream = client.messages.create(stream=True, **REQUEST)
    return {"stream": stream, "response": stream.response}


def dropped_half_read(client: Any) -> dict[str, Any]:
    stream = client.messages.create(stream=True, **REQUEST)
    for _ in range(3):
        event = next(stream)
    return {"stream": stream, "response": stream.response, "event": event}


def dropped_read(client: Any) -> dict[str, Any]:
    stream = client.messages.create(stream=True, **REQUEST)
    event = list(stream)[-1]
    return {"stream": stream, "response": stream.response, "event": event}


def dropped_closed(client: Any) -> dict[str, Any]:
    stream = client.messages.create(stream=True, **REQUEST)
    next(stream)
    stream.close()
    return {"stream": stream, "response": stream.response}


def dropped_helper(client: Any) -> dict[str, Any]:
    with client.messages.stream(**REQUEST) as stream:
        message = stream.get_final_message()
    return {"stream": stream, "response": stream.response, "message": message}


def dropped_raw(client: Any) -> dict[str, Any]:
    response = client.messages.with_raw_response.create(**REQUEST)
    return {"raw": response, "response": response.http_response}


def dropped_raw_stream(client: Any) -> dict[str, Any]:
    response = client.messages.with_raw_response.create(stream=True, **REQUEST)
    stream = response.parse()
    next(stream)
    return {"raw": response, "response": response.http_response, "stream": stream}


def dropped_lines(client: Any) -> dict[str, Any]:
    with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        lines = list(response.iter_lines())
    assert lines
    return {"raw": response, "response": response.http_response}


def dropped_message(client: Any) -> dict[str, Any]:
    return {"message": client.messages.create(**REQUEST)}


DROPPED = (
    dropped_unread,
    dropped_half_read,
    dropped_read,
    dropped_closed,
    dropped_helper,
    dropped_raw,
    dropped_raw_stream,
    dropped_lines,
    dropped_message,
)


def freed(make: Callable[[Any], dict[str, Any]], client: Any) -> dict[str, bool]:
    """Of what `make` made, what is gone as soon as nobody refers to it: no garbage is collected meanwhile."""
    gc.collect()
    assert not gc.isenabled()
    made = make(client)
    references = {name: weakref.ref(value) for name, value in made.items()}
    del made
    return {name: reference() is None for name, reference in references.items()}


@pytest.mark.parametrize("make", DROPPED, ids=lambda make: make.__name__)
def test_what_the_application_drops_goes_when_it_goes_without_the_package(
    make: Callable[[Any], dict[str, Any]], application: Application, telemetry: Telemetry
) -> None:
    client = application.client("completed")
    make(client)
    bare = freed(make, client)
    with telemetry.instrumented():
        make(client)
        assert bare == freed(make, client)


async def adropped_half_read(client: Any) -> dict[str, Any]:
    stream = await client.messages.create(stream=True, **REQUEST)
    for _ in range(3):
        await anext(stream)
    return {"stream": stream, "response": stream.response}


async def adropped_read(client: Any) -> dict[str, Any]:
    stream = await client.messages.create(stream=True, **REQUEST)
    async for event in stream:
        last = event
    return {"stream": stream, "response": stream.response, "event": last}


async def adropped_raw_stream(client: Any) -> dict[str, Any]:
    response = await client.messages.with_raw_response.create(stream=True, **REQUEST)
    stream = await settled(response.parse())
    await anext(stream)
    return {"raw": response, "response": response.http_response, "stream": stream}


async def adropped_message(client: Any) -> dict[str, Any]:
    return {"message": await client.messages.create(**REQUEST)}


ASYNC_DROPPED = (adropped_half_read, adropped_read, adropped_raw_stream, adropped_message)


@pytest.mark.parametrize("make", ASYNC_DROPPED, ids=lambda make: make.__name__)
def test_what_an_async_application_drops_goes_when_it_goes_without_the_package(
    make: Callable[[Any], Any], application: Application, telemetry: Telemetry
) -> None:
    client = application.aclient("completed")

    def made(client: Any) -> dict[str, Any]:
        found: dict[str, Any] = application.run(make(client))
        return found

    made(client)
    bare = freed(made, client)
    application.collect()
    with telemetry.instrumented():
        made(client)
        assert bare == freed(made, client)
        application.collect()


def test_an_exception_that_the_application_drops_takes_the_stream_with_it_as_without_the_package(
    application: Application, telemetry: Telemetry
) -> None:
    def failed(client: Any) -> dict[str, Any]:
        stream = client.messages.create(stream=True, **REQUEST)
        try:
            list(stream)
        except Exception as exception:
            assert "Overloaded" in str(exception)  # noqa: PT017
        return {"stream": stream, "response": stream.response}

    client = application.client("overloaded_error_mid_stream")
    failed(client)
    bare = freed(failed, client)
    with telemetry.instrumented():
        failed(client)
        assert bare == freed(failed, client)


# --- suppressed ---


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(
    "name", ["messages.create(stream=True)", "messages.create", "messages.with_streaming_response.iter_lines"]
)
def test_a_call_that_is_made_while_instrumentation_is_suppressed_is_not_recorded(
    name: str, mode: str, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented(), suppress_instrumentation():
        seen = application.play("overloaded_error_mid_stream", SURFACE_OF[name], mode)
    assert seen.whole
    assert [] == telemetry.spans
    assert {} == telemetry.all_points()
    assert [] == telemetry.logged()


def test_a_stream_is_told_of_although_it_is_read_while_instrumentation_is_suppressed(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        with suppress_instrumentation():
            list(stream)
    assert ["completed"] == [described(span)["after200.outcome"] for span in telemetry.spans]


# --- memory ---


@pytest.mark.parametrize("chunk_timing", [False, True])
@pytest.mark.parametrize("name", ["create", "with_streaming_response"])
def test_the_memory_held_for_a_stream_does_not_grow_with_its_length(
    name: str, chunk_timing: bool, application: Application, telemetry: Telemetry
) -> None:
    """What the package has allocated and not freed after 1,600 of 2,000 chunks is what it was after 400."""
    messages = application.client("long").messages
    with telemetry.instrumented(chunk_timing=chunk_timing):
        if name == "create":
            early, late = held_by_the_package(messages.create(stream=True, **REQUEST))
        else:
            with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
                lines = (line for line in response.iter_lines() if line.startswith("data:"))
                early, late = held_by_the_package(lines)
    assert early > 0
    assert late - early < 4096
    assert [2000] == [described(span)["after200.stream.chunks"] for span in telemetry.spans]


def held_by_the_package(events: Iterable[object]) -> tuple[int, int]:
    """How many bytes that the package allocated are there after 400 and after 1,600 of `events`."""
    package = Path(after200.__file__).parent
    ours = [tracemalloc.Filter(True, str(package / part / "*")) for part in ("call", "hooks", "signals")]
    sizes = []
    tracemalloc.start(1)
    try:
        for count, _ in enumerate(events):
            if count in (400, 1600):
                taken = tracemalloc.take_snapshot().filter_traces(ours)
                sizes.append(sum(trace.size for trace in taken.traces))
    finally:
        tracemalloc.stop()
    early, late = sizes
    return early, late
