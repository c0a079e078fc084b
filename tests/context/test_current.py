# SPDX-License-Identifier: Apache-2.0
"""What is current: the call's span while its request is sent, the application's own things at any other time.

Everything is compared with a run without the package: what leaks, and what gets lost, is a difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anthropic
import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as contexts
from opentelemetry.trace import Link

from after200.faults import FaultServer

from ..support.patience import PATIENCE_S
from ..support.sdk_tracing import HAS_TRACING, sdk_spans
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import (
    LEAVINGS,
    TWINS,
    Leaving,
    Twin,
    async_client,
    client_options,
    leave,
    sync_client,
)

SCENARIOS = ("completed", "overloaded_error_mid_stream", "reset_mid_stream")
mine: contextvars.ContextVar[str] = contextvars.ContextVar("mine", default="unset")


def now() -> tuple[Any, ...]:
    """Everything that is current and that somebody may have put there."""
    span = trace.get_current_span().get_span_context()
    return span.span_id, sorted(baggage.get_all().items()), mine.get(), len(contexts.get_current())


@contextmanager
def users_own(value: str) -> Iterator[None]:
    """A context manager of the application's: baggage, and a variable of its own."""
    token, variable = contexts.attach(baggage.set_baggage("tenant", value)), mine.set(value)
    try:
        yield
    finally:
        mine.reset(variable)
        contexts.detach(token)


@asynccontextmanager
async def ausers_own(value: str) -> AsyncIterator[None]:
    with users_own(value):
        yield


def watch(client: Any) -> list[Any]:
    """What is current at every point at which an application can look."""
    seen = [now()]
    try:
        with users_own("around"):
            stream = client.messages.create(stream=True, **REQUEST)
            seen.append(now())
            for event in stream:
                seen.append((event.type, now()))
                with users_own(event.type):
                    seen.append(now())
                # A generator is free to change what is current in the middle of its reader.
                mine.set(f"after {event.type}")
        seen.append(now())
    except Exception as exception:
        seen.append((type(exception).__name__, now()))
    return seen


async def awatch(client: Any) -> list[Any]:
    """What is current at every point at which an application can look."""
    seen = [now()]
    try:
        async with ausers_own("around"):
            stream = await client.messages.create(stream=True, **REQUEST)
            seen.append(now())
            async for event in stream:
                seen.append((event.type, now()))
                async with ausers_own(event.type):
                    seen.append(now())
                mine.set(f"after {event.type}")
        seen.append(now())
    except Exception as exception:
        seen.append((type(exception).__name__, now()))
    return seen


def watched(twin: Twin, options: dict[str, Any]) -> list[Any]:
    async def arun() -> list[Any]:
        async with async_client(options) as client:
            return await awatch(client)

    def run() -> list[Any]:
        with sync_client(options) as client:
            return watch(client)

    return asyncio.run(arun()) if twin == "async" else contextvars.copy_context().run(run)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", ["own", "auto"])
def test_nothing_of_the_package_s_is_current_while_the_application_runs(
    server: FaultServer, telemetry: Telemetry, mode: str, scenario: str, twin: Twin
) -> None:
    handler = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1)))
    with trace.use_span(handler):
        bare = watched(twin, client_options(server, scenario))
        with telemetry.instrumented(spans=mode):
            assert bare == watched(twin, client_options(server, scenario))
        assert 2 == now()[0]
    assert len(bare) > 10
    assert 1 == len(telemetry.spans)


@pytest.mark.parametrize("name", LEAVINGS)
@pytest.mark.parametrize("twin", TWINS)
def test_nor_after_a_stream_that_was_left(server: FaultServer, telemetry: Telemetry, name: str, twin: Twin) -> None:
    leaving = LEAVINGS[name]
    seen: list[Any] = []

    def watching(client: Any) -> None:
        leaving.leave(client)
        seen.append(now())

    async def awatching(client: Any) -> None:
        await leaving.aleave(client)
        seen.append(now())

    tracer = telemetry.tracer_provider.get_tracer("test")
    with telemetry.instrumented(), tracer.start_as_current_span("handler") as handler:
        before = now()
        leave(Leaving(leaving.scenario, watching, awatching), twin, client_options(server, leaving.scenario))
        seen.append(now())
    assert handler.get_span_context().span_id == before[0]
    assert [before, before] == seen


@pytest.mark.parametrize("twin", TWINS)
def test_spans_of_the_reader_are_no_children_of_the_call(server: FaultServer, telemetry: Telemetry, twin: Twin) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")

    def call() -> None:
        with sync_client(client_options(server, "completed")) as client:
            stream = client.messages.create(stream=True, **REQUEST)
            with tracer.start_as_current_span("reading"):
                for _ in stream:
                    with tracer.start_as_current_span("event"):
                        pass

    async def acall() -> None:
        async with async_client(client_options(server, "completed")) as client:
            stream = await client.messages.create(stream=True, **REQUEST)
            with tracer.start_as_current_span("reading"):
                async for _ in stream:
                    with tracer.start_as_current_span("event"):
                        pass

    with telemetry.instrumented(), tracer.start_as_current_span("handler"):
        asyncio.run(acall()) if twin == "async" else call()
    by_id = {span.context.span_id: span.name for span in telemetry.spans if span.context is not None}
    parents = {(span.name, by_id.get(span.parent.span_id) if span.parent else None) for span in telemetry.spans}
    assert {
        ("handler", None),
        ("chat claude-test", "handler"),
        ("reading", "handler"),
        ("event", "reading"),
    } == parents


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto"])
def test_the_call_s_span_is_current_while_its_request_is_sent(
    server: FaultServer, telemetry: Telemetry, mode: str, twin: Twin
) -> None:
    """With the baggage that there is; and what is hung on the current span there, a link say, is the call's."""
    sdk_s = mode == "auto" and HAS_TRACING
    tracing = sdk_spans(telemetry.tracer_provider if sdk_s else None)
    linked = trace.SpanContext(3, 4, is_remote=True)
    seen: list[Any] = []

    def note(request: Any) -> None:
        seen.append((trace.get_current_span(), baggage.get_baggage("tenant")))
        trace.get_current_span().add_link(linked)

    async def anote(request: Any) -> None:
        note(request)

    async def acall() -> None:
        http_client = anthropic.DefaultAsyncHttpxClient(event_hooks={"request": [anote]})
        async with async_client(client_options(server, "completed", http_client=http_client, **tracing)) as client:
            await client.messages.create(**REQUEST)

    def call() -> None:
        http_client = anthropic.DefaultHttpxClient(event_hooks={"request": [note]})
        with sync_client(client_options(server, "completed", http_client=http_client, **tracing)) as client:
            client.messages.create(**REQUEST)

    with telemetry.instrumented(spans=mode), users_own("acme"):
        asyncio.run(acall()) if twin == "async" else call()
    (span,) = telemetry.spans
    assert span.context is not None
    assert [(span.context, "acme")] == [(current.get_span_context(), tenant) for current, tenant in seen]
    assert [linked] == [link.context for link in span.links]


def test_a_handler_with_links_keeps_them_and_is_the_parent(server: FaultServer, telemetry: Telemetry) -> None:
    linked = trace.SpanContext(3, 4, is_remote=True)
    tracer = telemetry.tracer_provider.get_tracer("test")
    with telemetry.instrumented(), tracer.start_as_current_span("handler", links=[Link(linked)]):
        watched("sync", client_options(server, "completed"))
    call, handler = telemetry.spans
    assert handler.context == call.parent
    assert ([linked], []) == ([link.context for link in handler.links], list(call.links))


# --- threads and tasks ---


def test_each_thread_s_call_belongs_to_what_is_current_in_that_thread(
    server: FaultServer, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")
    together = threading.Barrier(6)

    def handle(number: int) -> None:
        with (
            tracer.start_as_current_span(f"handler {number}"),
            sync_client(client_options(server, "completed")) as client,
        ):
            together.wait(PATIENCE_S)
            stream = client.messages.create(stream=True, **REQUEST | {"model": f"model-{number}"})
            together.wait(PATIENCE_S)
            for _ in stream:
                pass

    with telemetry.instrumented(), ThreadPoolExecutor(6) as pool:
        list(pool.map(handle, range(6)))
    assert_each_under_its_own(telemetry, 6)


async def test_each_task_s_call_belongs_to_what_is_current_in_that_task(
    server: FaultServer, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")

    async def handle(client: Any, number: int) -> None:
        with tracer.start_as_current_span(f"handler {number}"):
            async for _ in await client.messages.create(stream=True, **REQUEST | {"model": f"model-{number}"}):
                await asyncio.sleep(0)

    with telemetry.instrumented():
        async with async_client(client_options(server, "completed")) as client:
            await asyncio.gather(*(handle(client, number) for number in range(6)))
    assert_each_under_its_own(telemetry, 6)


def assert_each_under_its_own(telemetry: Telemetry, count: int) -> None:
    names = {span.context.span_id: span.name for span in telemetry.spans if span.context is not None}
    found = {span.name: names[span.parent.span_id] for span in telemetry.spans if span.parent is not None}
    assert {f"chat model-{number}": f"handler {number}" for number in range(count)} == found
    assert count == telemetry.total("after200.calls", {"after200.outcome": "completed"})


async def test_a_stream_that_goes_in_a_cycle_leaves_the_loop_nothing_to_complain_of(
    server: FaultServer, telemetry: Telemetry
) -> None:
    """All of its generators are garbage at once then, and the loop is asked to close each of them."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: complaints.append(str(told)))
    with telemetry.instrumented():
        async with async_client(client_options(server, "completed")) as client:
            cycle: list[Any] = [await client.messages.create(stream=True, **REQUEST)]
            async for _ in cycle[0]:
                break
            cycle.append(cycle)
            del cycle
            gc.collect()
            for _ in range(10):
                await asyncio.sleep(0)
            gc.collect()
    assert [] == complaints
    assert 1 == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})


def test_a_stream_that_another_thread_reads_stays_in_the_trace_in_which_it_was_asked_for(
    server: FaultServer, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")
    seen: list[Any] = []

    def read_there(stream: Any) -> None:
        with tracer.start_as_current_span("elsewhere"):
            before = now()
            for _ in stream:
                seen.append(now() == before)

    with telemetry.instrumented(), sync_client(client_options(server, "overloaded_error_mid_stream")) as client:
        with tracer.start_as_current_span("handler"):
            stream = client.messages.create(stream=True, **REQUEST)
        with ThreadPoolExecutor(1) as pool, pytest.raises(anthropic.APIStatusError):
            pool.submit(read_there, stream).result()
    spans = {span.name: span for span in telemetry.spans}
    assert spans["handler"].context == spans["chat claude-test"].parent
    assert spans["elsewhere"].parent is None
    assert {True} == set(seen)


@pytest.mark.parametrize("instrumented", [False, True])
async def test_a_call_that_is_closed_in_another_context_than_it_began_in_logs_nothing(
    instrumented: bool, server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenTelemetry logs an error with a traceback for a context that is detached elsewhere than it was attached."""

    async def play() -> None:
        async with async_client(client_options(server, "completed")) as client:
            call = client.messages.create(stream=True, **REQUEST)
            waits_for = contextvars.copy_context().run(call.send, None)
            assert waits_for is None or asyncio.isfuture(waits_for)  # None: old versions let the loop take a turn.
            contextvars.copy_context().run(call.close)

    with telemetry.instrumented(spans="own") if instrumented else contextlib.nullcontext():
        before = now()
        await play()
        assert before == now()
    assert [] == [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert [] == telemetry.open_spans
    assert (1 if instrumented else 0) == telemetry.total("after200.calls")
