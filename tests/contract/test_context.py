# SPDX-License-Identifier: Apache-2.0
"""When the span of a call is current: while its request is sent, and never while the application reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from opentelemetry import context, trace
from opentelemetry.trace import INVALID_SPAN

from after200.hooks.sdk.requests import current_call

from ..support.streams.application import Application
from ..support.streams.expected import ROWS
from ..support.streams.surfaces import FEW_SURFACES, REQUEST, SURFACE_OF, Surface
from ..support.telemetry import Telemetry


@contextmanager
def sending_spans(client: Any) -> Iterator[list[Any]]:
    """The span that is current each time that an HTTP request of `client` is sent."""
    spans: list[Any] = []

    def hook(request: Any) -> None:
        spans.append(trace.get_current_span())

    async def ahook(request: Any) -> None:
        spans.append(trace.get_current_span())

    http = client._client
    before = http.event_hooks
    http.event_hooks = {"request": [ahook if isinstance(client, anthropic.AsyncAnthropic) else hook], "response": []}
    try:
        yield spans
    finally:
        http.event_hooks = before


@pytest.mark.parametrize("surface", FEW_SURFACES, ids=lambda surface: surface.name)
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_span_of_a_call_is_current_while_each_of_its_requests_is_sent(
    mode: str, surface: Surface, application: Application, telemetry: Telemetry
) -> None:
    if surface.missing():
        pytest.skip(f"this SDK has no {surface.needs}")
    client = application.sync_client if mode == "sync" else application.async_client
    with telemetry.instrumented(), sending_spans(client) as current:
        application.play("http_503_then_529_then_completed", surface, mode, max_retries=2)
    [span] = telemetry.spans
    assert [span.context.span_id] * 3 == [found.get_span_context().span_id for found in current]


@pytest.mark.parametrize("parent", [True, False])
def test_while_the_application_reads_the_span_around_it_is_current(
    parent: bool, application: Application, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("application")
    around = tracer.start_span("around") if parent else INVALID_SPAN
    current = []
    with telemetry.instrumented(), trace.use_span(around):
        with application.client("completed").messages.stream(**REQUEST) as stream:
            current.append(trace.get_current_span())
            for _ in stream.text_stream:
                current.append(trace.get_current_span())
        for _ in application.client("completed").messages.create(stream=True, **REQUEST):
            current.append(trace.get_current_span())
        current.append(trace.get_current_span())
    assert {around.get_span_context().span_id} == {found.get_span_context().span_id for found in current}
    assert {around.get_span_context().span_id if parent else None} == {
        span.parent.span_id if span.parent else None for span in telemetry.spans
    }


def test_while_an_async_application_reads_the_span_around_it_is_current(
    application: Application, telemetry: Telemetry
) -> None:
    current = []

    async def read() -> None:
        async for _ in await application.aclient("completed").messages.create(stream=True, **REQUEST):
            current.append(trace.get_current_span())

    with telemetry.instrumented():
        application.run(read())
    assert [INVALID_SPAN] * 9 == current


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_context_is_as_it_was_after_every_scenario(
    mode: str, application: Application, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    before = context.get_current()
    with telemetry.instrumented():
        for row in ROWS:
            if row.timeout >= 1:
                application.play(row.scenario, SURFACE_OF["messages.create(stream=True)"], mode, max_retries=0)
                assert before is context.get_current()
                assert None is current_call.get()
    assert [] == caplog.messages


def test_a_span_that_the_application_starts_while_it_reads_is_no_child_of_the_call(
    application: Application, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("application")
    with telemetry.instrumented():
        for _ in application.client("completed").messages.create(stream=True, **REQUEST):
            tracer.start_span("work").end()
    assert {None} == {span.parent for span in telemetry.spans if span.name == "work"}


def test_a_call_made_in_a_middle_of_another_s_request_is_a_call_of_its_own(
    application: Application, telemetry: Telemetry
) -> None:
    """As when a credential provider, or an event hook, asks for something while a request is being built."""
    inner = application.client("completed")
    asked: list[Any] = []

    def hook(request: Any) -> None:
        if not asked:
            asked.append(request)
            inner.messages.create(**REQUEST)

    http: Any = application.sync_client._client
    before = http.event_hooks
    http.event_hooks = {"request": [hook], "response": []}
    try:
        with telemetry.instrumented():
            list(application.client("completed").messages.create(stream=True, **REQUEST))
    finally:
        http.event_hooks = before
    first, second = telemetry.spans
    assert first.parent is not None
    assert (second.context.span_id, None) == (first.parent.span_id, second.parent)
    assert 2 == telemetry.total("after200.calls")
    assert 2 == telemetry.total("after200.attempts")
