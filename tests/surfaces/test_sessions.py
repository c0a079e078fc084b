# SPDX-License-Identifier: Apache-2.0
"""Event streams of sessions and their threads (managed agents): endless, with errors inside that do not end them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer

from ..support.telemetry import Telemetry, series
from .expected import inner_errors, outcome, recorded, span
from .needs import Connect, needs

pytestmark = needs("beta.sessions")

Open = Callable[[Any], Any]


def open_session(client: Any) -> Any:
    """The events of a session."""
    return client.beta.sessions.events.stream("sess_01")


def open_thread(client: Any) -> Any:
    """The events of a thread of a session."""
    return client.beta.sessions.threads.events.stream("sthr_01", session_id="sess_01")


OPEN = [open_session, pytest.param(open_thread, marks=needs("beta.sessions.threads"))]
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
EITHER = pytest.mark.parametrize("opened", OPEN, ids=["session", "thread"])

IDLE = "session.status_idle"
EVENTS = ["session.status_running", *["agent.message"] * 4, IDLE]


def read(client: Any, opened: Open, *, is_async: bool, until: str = "") -> list[str]:
    """The types of the events that the application gets, until it has seen enough; and the class of what is raised."""
    seen: list[str] = []

    def enough(event: Any) -> bool:
        seen.append(event.type)
        return bool(event.type == until)

    async def main() -> None:
        async with client, await opened(client) as stream:
            async for event in stream:
                if enough(event):
                    break

    try:
        if is_async:
            asyncio.run(main())
        else:
            with client, opened(client) as stream:
                for event in stream:
                    if enough(event):
                        break
    except Exception as error:
        seen.append(type(error).__name__)
    return seen


def inner(error_type: str, failure: str) -> str:
    """The series of an error that a session reports."""
    return series(
        "after200.inner_errors",
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "anthropic",
            "error.type": error_type,
            "after200.failure": failure,
        },
    )


@BOTH
@EITHER
def test_a_session_that_is_left_is_closed(
    connect: Connect, server: FaultServer, telemetry: Telemetry, opened: Open, is_async: bool
) -> None:
    with telemetry.instrumented():
        seen = read(connect("session_events", is_async=is_async), opened, is_async=is_async, until=IDLE)
    assert EVENTS == seen
    closed = {"after200__outcome": "closed", "after200__stream__chunks": 0}
    assert [span(server, "invoke_agent", **closed)] == recorded(telemetry)
    assert {} == inner_errors(telemetry)


@BOTH
@EITHER
def test_a_session_whose_body_ends_is_completed_without_an_end_event(
    connect: Connect, telemetry: Telemetry, opened: Open, is_async: bool
) -> None:
    with telemetry.instrumented():
        seen = read(connect("session_error_then_end", is_async=is_async), opened, is_async=is_async)
    assert [EVENTS[0], "session.error", *EVENTS[1:]] == seen
    assert {"completed": 1} == outcome(telemetry)


@BOTH
@EITHER
@pytest.mark.parametrize(
    ("scenario", "error_type", "failure"),
    [
        ("session_error", "model_overloaded_error", "overloaded"),
        ("session_error_rate_limited", "model_rate_limited_error", "rate_limited"),
    ],
)
def test_an_error_that_a_session_reports_is_counted_and_ends_nothing(
    connect: Connect,
    telemetry: Telemetry,
    opened: Open,
    is_async: bool,
    scenario: str,
    error_type: str,
    failure: str,
) -> None:
    without = read(connect(scenario, is_async=is_async), opened, is_async=is_async, until=IDLE)
    with telemetry.instrumented():
        seen = read(connect(scenario, is_async=is_async), opened, is_async=is_async, until=IDLE)
    assert without == seen
    assert {inner(error_type, failure): 1} == inner_errors(telemetry)
    assert {"closed": 1} == outcome(telemetry)


@EITHER
def test_an_error_event_does_end_it(connect: Connect, server: FaultServer, telemetry: Telemetry, opened: Open) -> None:
    with telemetry.instrumented():
        seen = read(connect("overloaded_error_mid_stream"), opened, is_async=False)
    assert "APIStatusError" == seen[-1]
    failed = {
        "description": "Overloaded",
        "error__type": "overloaded_error",
        "http__response__status_code": 529,
        "after200__outcome": "failed",
        "after200__phase": "first_chunk",  # a chunk is a `content_block_delta`, and there are none here
        "after200__failure": "overloaded",
        "after200__retryable": True,
        "after200__stream__chunks": 0,
    }
    assert [span(server, "invoke_agent", **failed)] == recorded(telemetry)
    assert {} == inner_errors(telemetry)


@EITHER
def test_a_lost_connection_ends_it(connect: Connect, telemetry: Telemetry, opened: Open) -> None:
    with telemetry.instrumented():
        read(connect("half_chunk"), opened, is_async=False)
    assert {"failed": 1} == outcome(telemetry)
    assert 1 == telemetry.total("after200.calls", {"error.type": "connection_error"})


def test_errors_are_counted_when_the_application_reads_the_lines(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("session_error_then_end") as client:
        stream = client.beta.sessions.events.with_streaming_response.stream
        with stream("sess_01") as response:
            assert "event: session.error" in list(response.iter_lines())
    assert {inner("model_overloaded_error", "overloaded"): 1} == inner_errors(telemetry)
    assert {"completed": 1} == outcome(telemetry)


def test_a_refused_session_is_a_failed_call(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("http_529") as client, pytest.raises(anthropic.APIStatusError):
        open_session(client)
    assert 1 == telemetry.total("after200.calls", {"error.type": "overloaded_error", "after200.phase": "request"})
