# SPDX-License-Identifier: Apache-2.0
"""The four modes of `spans`: whose spans there are, and that no mode changes a single metric."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from after200.faults import FaultServer

from ..support.sdk_tracing import NEEDS_TRACING
from ..support.telemetry import Telemetry
from ..support.traced_calls import (
    LEAVINGS,
    TWINS,
    Twin,
    acancel,
    async_client,
    client_options,
    leave,
    read,
    told,
    traced_by,
)
from .endings import STREAMED

pytestmark = [NEEDS_TRACING, pytest.mark.variants]

CREATE = "messages.create(stream=True)"
OVERLOADED = "overloaded_error_mid_stream"
MODES = ("auto", "own", "annotate", "none")
SDK, OWN = "anthropic.messages.create", "chat claude-test"

SPANS = {
    ("auto", "on"): [SDK],
    ("auto", "off"): [OWN],
    ("own", "on"): [SDK, OWN],
    ("own", "off"): [OWN],
    ("annotate", "on"): [SDK],
    ("annotate", "off"): [],
    ("none", "on"): [SDK],
    ("none", "off"): [],
}
"""Mode and the SDK's tracing → the spans of one call, in the order in which they end."""


def sdk_alone(server: FaultServer, twin: Twin) -> dict[str, Any]:
    """The SDK's span without the package."""
    telemetry = Telemetry()
    read(CREATE, twin, client_options(server, OVERLOADED, **traced_by(telemetry)))
    return told(telemetry.spans[0])


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(("mode", "tracing"), SPANS)
def test_each_mode_has_its_spans(
    server: FaultServer, telemetry: Telemetry, mode: str, tracing: str, twin: Twin
) -> None:
    option = traced_by(telemetry) if tracing == "on" else {"open_telemetry": False}
    with telemetry.instrumented(spans=mode):
        read(CREATE, twin, client_options(server, OVERLOADED, **option))
    assert SPANS[mode, tracing] == [span.name for span in telemetry.spans]
    assert [] == telemetry.open_spans
    said = {span.name for span in telemetry.spans if "after200.outcome" in (span.attributes or {})}
    assert (set() if mode == "none" else set(SPANS[mode, tracing][-1:])) == said


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "none"])
def test_a_mode_that_is_not_for_the_sdk_s_span_leaves_it_as_it_is(
    server: FaultServer, telemetry: Telemetry, mode: str, twin: Twin
) -> None:
    with telemetry.instrumented(spans=mode):
        read(CREATE, twin, client_options(server, OVERLOADED, **traced_by(telemetry)))
    assert sdk_alone(server, twin) == told(telemetry.spans[0])


@pytest.mark.parametrize("twin", TWINS)
def test_in_own_the_package_s_span_is_the_parent_of_the_sdk_s(
    server: FaultServer, telemetry: Telemetry, twin: Twin
) -> None:
    with telemetry.instrumented(spans="own"):
        read(CREATE, twin, client_options(server, OVERLOADED, **traced_by(telemetry)))
    sdk, own = telemetry.spans
    assert own.context == sdk.parent
    assert own.parent is None
    assert STREAMED[OVERLOADED].items() <= told(own).items()


# --- the metrics ---


def off(telemetry: Telemetry) -> Any:
    return False


def on(telemetry: Telemetry) -> Any:
    return {"tracer_provider": telemetry.tracer_provider}


def no_op(telemetry: Telemetry) -> Any:
    return {"tracer_provider": trace.NoOpTracerProvider()}


def sampled_out(telemetry: Telemetry) -> Any:
    return {"tracer_provider": TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)}


def make_every_kind_of_call(server: FaultServer, option: Any) -> None:
    """One call for each way in which one can end."""
    for scenario in STREAMED:
        for way in (CREATE, "messages.with_streaming_response.iter_lines"):
            for twin in TWINS:
                read(way, twin, client_options(server, scenario, open_telemetry=option))
    for scenario in ("completed", "http_529_always", "body_error_200"):
        read("messages.create", "sync", client_options(server, scenario, open_telemetry=option))
    for leaving in LEAVINGS.values():
        for twin in TWINS:
            leave(leaving, twin, client_options(server, leaving.scenario, open_telemetry=option))

    async def cancel() -> None:
        options = client_options(server, "stall_mid_stream", open_telemetry=option)
        async with async_client(options) as client:
            await acancel(client)

    asyncio.run(cancel())


@pytest.fixture(scope="module")
def points(server: FaultServer) -> dict[str, Any]:
    """Every point of those calls where the SDK traces nothing and the package makes no span."""
    telemetry = Telemetry()
    with telemetry.instrumented(spans="none"):
        make_every_kind_of_call(server, False)
    return telemetry.all_points()


def test_the_calls_whose_metrics_are_compared_are_all_there(points: dict[str, Any]) -> None:
    calls = sum(value for name, value in points.items() if name.startswith("after200.calls{"))
    assert len(STREAMED) * 4 + 3 + len(LEAVINGS) * 2 + 1 == calls


@pytest.mark.parametrize(
    ("mode", "tracing"),
    [
        *((mode, on) for mode in MODES),
        ("auto", off),
        ("own", off),
        ("auto", no_op),
        ("auto", sampled_out),
        ("annotate", sampled_out),
    ],
)
def test_the_metrics_are_the_same_whatever_the_spans(
    server: FaultServer, telemetry: Telemetry, points: dict[str, Any], mode: str, tracing: Any
) -> None:
    with telemetry.instrumented(spans=mode):
        make_every_kind_of_call(server, tracing(telemetry))
    assert points == telemetry.all_points()
    assert [] == telemetry.open_spans
