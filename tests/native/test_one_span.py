# SPDX-License-Identifier: Apache-2.0
"""One call, one span: the SDK's, with what the SDK says of it and what after200 knows beside."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from after200.faults import FaultServer

from ..support.sdk_tracing import NEEDS_TRACING
from ..support.telemetry import SECONDS, Telemetry
from ..support.traced_calls import (
    DECODED_WAYS,
    LEAVINGS,
    STREAMED_WAYS,
    TWINS,
    WHOLE_WAYS,
    Twin,
    acancel,
    async_client,
    client_options,
    leave,
    read,
    shown,
    sync_client,
    told,
    traced_by,
)
from .endings import DECODED, STREAMED, WHOLE, Said, ended, erred, written_on

pytestmark = [NEEDS_TRACING, pytest.mark.variants]

SDK_SPAN = "anthropic.messages.create"

LEFT: dict[str, Said] = {
    "closed": ended("closed", 1, gap=False),
    "left by an exception of its own": ended("closed", 1, gap=False),
    "helper left": ended("closed", 1, gap=False),
    "response left unread": ended("closed", 0),
    "dropped": ended("abandoned", 1, gap=False),
    "never read": ended("abandoned", 0),
    "left after message_stop": ended("completed", 4),
}

CASES = [
    *((way, scenario, said) for scenario, said in STREAMED.items() for way in STREAMED_WAYS),
    *((way, scenario, said) for scenario, said in DECODED.items() for way in DECODED_WAYS),
    *((way, scenario, said) for scenario, said in WHOLE.items() for way in WHOLE_WAYS),
]


def only_span(telemetry: Telemetry) -> Said:
    """The one span that there is."""
    assert [SDK_SPAN] == [span.name for span in telemetry.spans]
    assert [] == telemetry.open_spans
    return told(telemetry.spans[0])


def alone_and_with(record: Any, mode: str) -> tuple[Said, Said, Any, Any]:
    """The SDK's span without the package and with it, and what the application saw both times."""
    alone, together = Telemetry(), Telemetry()
    seen_alone = record(alone)
    with together.instrumented(spans=mode):
        seen = record(together)
    return only_span(alone), only_span(together), seen_alone, seen


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(("way", "scenario", "said"), CASES, ids=[f"{way}-{scenario}" for way, scenario, _ in CASES])
def test_a_call_that_is_read_to_its_end_is_one_span_that_says_what_both_know(
    server: FaultServer, way: str, scenario: str, said: Said, twin: Twin
) -> None:
    def record(telemetry: Telemetry) -> Any:
        return shown(read(way, twin, client_options(server, scenario, **traced_by(telemetry))))

    alone, together, seen_alone, seen = alone_and_with(record, "auto")
    assert written_on(alone, said) == together
    assert seen_alone == seen


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", LEAVINGS)
def test_a_stream_that_the_application_leaves_is_one_span_without_an_error(
    server: FaultServer, name: str, twin: Twin
) -> None:
    leaving = LEAVINGS[name]

    def record(telemetry: Telemetry) -> None:
        leave(leaving, twin, client_options(server, leaving.scenario, **traced_by(telemetry)))

    alone, together, _, _ = alone_and_with(record, "auto")
    assert "UNSET" == together["status"] or "completed" == together["after200.outcome"]
    assert written_on(alone, LEFT[name]) == together


def test_a_stream_whose_task_is_cancelled_is_one_span_without_an_error(server: FaultServer) -> None:
    def record(telemetry: Telemetry) -> None:
        async def run() -> None:
            async with async_client(client_options(server, "stall_mid_stream", **traced_by(telemetry))) as client:
                await acancel(client)

        asyncio.run(run())

    alone, together, _, _ = alone_and_with(record, "auto")
    assert written_on(alone, ended("cancelled", 4) | {"status": "UNSET"}) == together


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("way", ["messages.create(stream=True)", "messages.with_streaming_response.iter_lines"])
def test_a_stall_that_times_out_is_one_span_that_says_so(server: FaultServer, way: str, twin: Twin) -> None:
    def record(telemetry: Telemetry) -> Any:
        options = client_options(server, "stall_mid_stream", timeout=0.5, **traced_by(telemetry))
        return shown(read(way, twin, options))

    alone, together, seen_alone, seen = alone_and_with(record, "auto")
    said = erred("client_timeout_error", "timeout", None, "The client's timeout ran out.", 4)
    assert written_on(alone, said) == together
    assert seen_alone == seen


@pytest.mark.parametrize("twin", TWINS)
def test_annotate_completes_the_sdk_s_span_as_auto_does(server: FaultServer, twin: Twin) -> None:
    def record(telemetry: Telemetry) -> None:
        read(STREAMED_WAYS[0], twin, client_options(server, "overloaded_error_mid_stream", **traced_by(telemetry)))

    alone, together, _, _ = alone_and_with(record, "annotate")
    assert written_on(alone, STREAMED["overloaded_error_mid_stream"]) == together


@pytest.mark.parametrize("twin", TWINS)
def test_a_mid_stream_overload_is_exported_as_the_529_that_it_was(
    server: FaultServer, telemetry: Telemetry, twin: Twin
) -> None:
    """The headline, written out in full with what the SDK of any version says of it."""
    with telemetry.instrumented(spans="auto"):
        read(STREAMED_WAYS[0], twin, client_options(server, "overloaded_error_mid_stream", **traced_by(telemetry)))
    span = only_span(telemetry)
    expected = {
        "name": SDK_SPAN,
        "kind": "CLIENT",
        "status": "ERROR",
        "description": "Overloaded",
        "events": [],
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-test",
        "error.type": "overloaded_error",
        "http.response.status_code": 529,
        "after200.wire.status_code": 200,
        "after200.outcome": "failed",
        "after200.phase": "mid_stream",
        "after200.failure": "overloaded",
        "after200.retryable": True,
        "after200.stream.chunks": 4,
        "after200.stream.longest_gap": SECONDS,
    }
    assert expected == {name: span.get(name) for name in expected}


def test_what_is_no_call_keeps_the_span_that_the_sdk_gave_it(server: FaultServer) -> None:
    def record(telemetry: Telemetry) -> None:
        with sync_client(client_options(server, "completed", **traced_by(telemetry))) as client:
            client.messages.count_tokens(model="claude-test", messages=[{"role": "user", "content": "hi"}])

    alone, together = Telemetry(), Telemetry()
    record(alone)
    with together.instrumented(spans="auto"):
        record(together)
    assert [told(span) for span in alone.spans] == [told(span) for span in together.spans]
    assert 1 == len(together.spans)
    assert {} == together.all_points()
