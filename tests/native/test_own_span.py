# SPDX-License-Identifier: Apache-2.0
"""Where the SDK makes no span that records, after200's own says the same, and it is the only one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as contexts
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from after200.faults import FaultServer

from ..support.sdk_tracing import NEEDS_TRACING
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import SECONDS, Telemetry
from ..support.traced_calls import (
    FIRST_CHUNK,
    LEAVINGS,
    TWINS,
    Twin,
    acancel,
    async_client,
    client_options,
    leave,
    read,
    sync_client,
    told,
)
from .endings import DECODED, DELTAS, STREAMED, Said, ended

pytestmark = [NEEDS_TRACING, pytest.mark.variants]

CREATE = "messages.create(stream=True)"
LINES = "messages.with_streaming_response.iter_lines"


def switched_off(monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    return {"open_telemetry": False}


def spans_off(monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    return {"open_telemetry": {"traces": False, "tracer_provider": telemetry.tracer_provider}}


def off_by_environment(monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    return {}


def no_op(monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    return {"open_telemetry": {"tracer_provider": trace.NoOpTracerProvider()}}


def sampled_out_for_this_client(monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    return {"open_telemetry": {"tracer_provider": TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)}}


SILENT: tuple[Callable[[pytest.MonkeyPatch, Telemetry], dict[str, Any]], ...] = (
    switched_off,
    spans_off,
    off_by_environment,
    no_op,
    sampled_out_for_this_client,
)
"""Why the SDK makes no span that records: each gives the options of such a client."""


@pytest.fixture(params=SILENT, ids=lambda silent: silent.__name__)
def silent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry) -> dict[str, Any]:
    """The options of a client for which the SDK records no span."""
    options: dict[str, Any] = request.param(monkeypatch, telemetry)
    return options


START: Said = {
    "name": "chat claude-test",
    "kind": "CLIENT",
    "status": "UNSET",
    "description": None,
    "events": [],
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-test",
    "gen_ai.request.max_tokens": 64,
    "gen_ai.request.stream": True,
    "server.address": "127.0.0.1",
}
ANSWERED: Said = {"anthropic.request.id": "req_01N"}
STARTED: Said = {
    "gen_ai.response.id": "msg_01N",
    "gen_ai.response.model": "claude-test",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.cache_write.input_tokens": 0,
}
CHUNKS: Said = {FIRST_CHUNK: SECONDS}
CLOSED: Said = {"gen_ai.response.finish_reasons": ("end_turn",), "gen_ai.usage.output_tokens": 7}

SEEN: dict[str, Said] = {
    "completed": {**STARTED, **CHUNKS, **CLOSED},
    "http_529_then_completed": {**STARTED, **CHUNKS, **CLOSED},
    "overloaded_error_after_message_stop": {**STARTED, **CHUNKS, **CLOSED},
    "error_unnamed_then_completed": {**STARTED, **CHUNKS, **CLOSED},
    "overloaded_error_first_event": {},
    "end_before_first_event": {},
    "reset_first_event": {},
    "http_529_always": {},
}
"""A scenario → what went by in its stream; the others break off after the content."""


def expected(scenario: str, said: Said, server: FaultServer) -> Said:
    """The whole of after200's own span."""
    seen = SEEN.get(scenario, {**STARTED, **CHUNKS})
    return {**START, "server.port": server.port, **ANSWERED, **seen, **said}


def only_span(telemetry: Telemetry) -> Said:
    assert 1 == len(telemetry.spans), [span.name for span in telemetry.spans]
    assert [] == telemetry.open_spans
    return told(telemetry.spans[0])


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(
    ("way", "scenario", "said"),
    [
        *((way, scenario, said) for scenario, said in STREAMED.items() for way in (CREATE, LINES)),
        *((CREATE, scenario, said) for scenario, said in DECODED.items()),
    ],
)
def test_the_package_s_own_span_says_everything_that_the_sdk_s_would(
    server: FaultServer, telemetry: Telemetry, way: str, scenario: str, said: Said, twin: Twin
) -> None:
    with telemetry.instrumented(spans="auto"):
        read(way, twin, client_options(server, scenario, open_telemetry=False))
    assert expected(scenario, said, server) == only_span(telemetry)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("scenario", ["overloaded_error_mid_stream", "http_529_always", "completed"])
def test_whatever_the_reason_that_the_sdk_records_none(
    server: FaultServer, telemetry: Telemetry, silent: dict[str, Any], scenario: str, twin: Twin
) -> None:
    with telemetry.instrumented(spans="auto"):
        read(CREATE, twin, client_options(server, scenario, **silent))
    assert expected(scenario, STREAMED[scenario], server) == only_span(telemetry)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", LEAVINGS)
def test_a_stream_that_the_application_leaves(server: FaultServer, telemetry: Telemetry, name: str, twin: Twin) -> None:
    chunks, outcome, seen = {
        "response left unread": (0, "closed", {}),
        "never read": (0, "abandoned", {}),
        "dropped": (1, "abandoned", {**STARTED, **CHUNKS}),
        "left after message_stop": (DELTAS, "completed", {**STARTED, **CHUNKS, **CLOSED}),
    }.get(name, (1, "closed", {**STARTED, **CHUNKS}))
    with telemetry.instrumented(spans="auto"):
        leave(LEAVINGS[name], twin, client_options(server, LEAVINGS[name].scenario, open_telemetry=False))
    said = ended(outcome, chunks, gap=chunks > 1)
    assert {**START, "server.port": server.port, **ANSWERED, **seen, **said} == only_span(telemetry)


def test_a_stream_whose_task_is_cancelled(server: FaultServer, telemetry: Telemetry) -> None:
    async def run() -> None:
        async with async_client(client_options(server, "stall_mid_stream", open_telemetry=False)) as client:
            await acancel(client)

    with telemetry.instrumented(spans="auto"):
        asyncio.run(run())
    assert expected("stall_mid_stream", ended("cancelled", DELTAS), server) == only_span(telemetry)


@pytest.mark.parametrize("twin", TWINS)
def test_it_is_the_child_of_what_is_current_and_the_parent_of_what_is_sent(
    server: FaultServer, telemetry: Telemetry, silent: dict[str, Any], twin: Twin
) -> None:
    """A span that does not record would hide it from whoever looks for the current one while the request is sent."""
    tracer = telemetry.tracer_provider.get_tracer("test")
    sent: list[trace.SpanContext] = []

    def note(request: Any) -> None:
        sent.append(trace.get_current_span().get_span_context())

    async def anote(request: Any) -> None:
        note(request)

    async def acall() -> None:
        hooked = anthropic.DefaultAsyncHttpxClient(event_hooks={"request": [anote]})
        async with async_client(client_options(server, "completed", http_client=hooked, **silent)) as client:
            await client.messages.create(**REQUEST)

    def call() -> None:
        hooked = anthropic.DefaultHttpxClient(event_hooks={"request": [note]})
        with sync_client(client_options(server, "completed", http_client=hooked, **silent)) as client:
            client.messages.create(**REQUEST)

    with telemetry.instrumented(spans="auto"), tracer.start_as_current_span("handler"):
        asyncio.run(acall()) if twin == "async" else call()
    own, handler = telemetry.spans
    assert ("chat claude-test", "handler") == (own.name, handler.name)
    assert own.parent is not None
    assert handler.context == own.parent
    assert own.context is not None
    assert [own.context.span_id] == [context.span_id for context in sent]
    assert [own.context.trace_id] == [context.trace_id for context in sent]


@pytest.mark.parametrize("twin", TWINS)
def test_baggage_alone_is_no_decision_of_the_sdk_s(server: FaultServer, telemetry: Telemetry, twin: Twin) -> None:
    """With something to propagate, the SDK keeps a span that has no context at all."""
    token = contexts.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with telemetry.instrumented(spans="auto"):
            read(CREATE, twin, client_options(server, "completed"))
    finally:
        contexts.detach(token)
    assert expected("completed", STREAMED["completed"], server) == only_span(telemetry)
