# SPDX-License-Identifier: Apache-2.0
"""Every scenario × every surface × sync and async, over the socket.

Each case runs twice: without the package, to know what the application sees, and with it. What is recorded is compared
whole with the table in `expected.py`.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from typing import Any

import pytest

from ..support.sdk_tracing import HAS_TRACING, NEEDS_TRACING, sdk_spans
from ..support.streams.application import Application
from ..support.streams.expected import BASIC_ROWS, ROWS
from ..support.streams.row import Row
from ..support.streams.surfaces import FEW_SURFACES, SURFACES, Surface
from ..support.streams.telling import Told, ending_on
from ..support.telemetry import Telemetry, described

ALL_SURFACES = "AFTER200_ALL_SURFACES" in os.environ
"""Whether every scenario is played on every surface in both span modes, which takes a quarter of an hour."""

MODES = ("sync", "async")
BASIC = {row.scenario for row in BASIC_ROWS}
"""The scenarios that end in a way of their own. The others differ in what the same code reads, whatever asks for it."""


def cases(*, sdk_span: bool = False) -> list[Any]:
    """The cases for the installed SDK; of a surface that it lacks, one case, to be skipped.

    One surface of each kind has every scenario, sync and async those of BASIC, else one of both in turn. Of the other
    surfaces, each has every second one of BASIC, sync or async, again in turn.
    """
    cases = []
    for number, surface in enumerate(SURFACES):
        lacking = pytest.mark.skipif(surface.missing(), reason=f"this SDK has no {surface.needs}")
        for place, row in enumerate(ROWS[:1] if surface.missing() else ROWS):
            turn, basic = number + place, row.scenario in BASIC and not sdk_span
            everywhere = ALL_SURFACES or (basic and turn % 2 == 0)
            # Nothing can hurry a scenario that ends by a timeout.
            if surface not in FEW_SURFACES and (row.timeout < 1 or not everywhere):
                continue
            # The helper shows all the text so far with each event: 300 times up to 1.2 MB, half a minute for one case.
            if (row.scenario, surface.name) == ("large_message", "messages.stream") and not ALL_SURFACES:
                continue
            both = ALL_SURFACES or (basic and surface in FEW_SURFACES)
            for mode in MODES if both else MODES[turn // 2 % 2 :][:1]:
                cases.append(
                    pytest.param(row, surface, mode, marks=lacking, id=f"{row.scenario}-{surface.name}-{mode}")
                )
    return cases


def kinds(row: Row, surface: Surface, mode: str) -> Iterator[Hashable]:
    """What a case covers: of all scenarios and all surfaces each, and every way to end on every surface.

    Each scenario is played as a stream and as a whole message, and with each way of decoding the body.
    """
    ending = ending_on(row, surface)
    end = (ending.outcome, ending.phase, row.seen)
    yield "scenario", row.scenario, surface.stream
    yield "scenario", row.scenario, surface.decoding
    yield "surface", surface.name, mode
    yield "end", end, surface.name
    yield "end", end, mode


@pytest.mark.variants(covers=kinds)
@pytest.mark.parametrize(("row", "surface", "mode"), cases())
def test_a_call_is_told_of_whole_and_the_application_sees_no_difference(
    row: Row, surface: Surface, mode: str, application: Application, telemetry: Telemetry
) -> None:
    options = options_for(row, surface)
    bare = application.play(row.scenario, surface, mode, **options)
    skip_what_this_sdk_cannot_read(row, bare.exception)
    application.server.clear()
    with telemetry.instrumented():
        seen = application.play(row.scenario, surface, mode, **options)

    assert bare.whole == seen.whole
    served = application.server.log
    told = Told(row, surface, application.server, served[-1].request_id)
    assert len(told.attempts) == len(served)
    assert [told.span()] == [described(span) for span in telemetry.spans]
    assert told.points() == telemetry.all_points()
    assert told.log_records(bare.exception) == telemetry.logged()
    assert [] == telemetry.open_spans


def options_for(row: Row, surface: Surface) -> dict[str, Any]:
    options: dict[str, Any] = {"max_retries": row.retries, "timeout": row.timeout}
    # A tool runner goes on for as long as the server pauses its turns.
    return {**options, "max_iterations": 1} if "tool_runner" in surface.name else options


def skip_what_this_sdk_cannot_read(row: Row, raised: BaseException | None) -> None:
    if row.scenario.startswith("delta_without_data") and isinstance(raised, ValueError):
        pytest.skip("this SDK has no way past an event without data: it raises")


def kinds_beside_a_span(row: Row, surface: Surface, mode: str) -> Iterator[Hashable]:
    """What a case with the SDK's own span covers: less, since the call is judged by what judges it without."""
    ending = ending_on(row, surface)
    yield "scenario", row.scenario
    yield "surface", surface.name, mode
    yield "end", (ending.outcome, ending.phase, row.seen), surface.decoding


@pytest.mark.variants(covers=kinds_beside_a_span)
@NEEDS_TRACING
@pytest.mark.parametrize(("row", "surface", "mode"), cases(sdk_span=True) if HAS_TRACING else [])
def test_the_same_verdict_and_metrics_come_with_the_sdk_s_own_span(
    row: Row, surface: Surface, mode: str, application: Application, telemetry: Telemetry
) -> None:
    tracing = sdk_spans(telemetry.tracer_provider)
    with telemetry.instrumented(spans="annotate"):
        seen = application.play(row.scenario, surface, mode, client=tracing, **options_for(row, surface))
    skip_what_this_sdk_cannot_read(row, seen.exception)
    # Around the calls of a tool runner, the SDK has a span of the agent, which is no span of a call.
    all_spans = [described(span) for span in telemetry.spans]
    [span] = [span for span in all_spans if span["gen_ai.operation.name"] != "invoke_agent"]
    told = Told(row, surface, application.server, application.server.log[-1].request_id)
    shared = {name: value for name, value in span.items() if told.is_shared(name)}
    if seen.exception is not None and told.ending.error_type is None:
        shared.pop("error.type", None)  # The SDK's own word for what it stumbled over after a whole answer.
    assert told.on_the_sdk_span() == shared
    if told.ending.error_type is not None:
        assert ("ERROR", told.ending.message) == (span["status"], span["description"])
    assert told.points() == telemetry.all_points()
    # The SDK leaves the span of the agent open where its tool runner fails.
    of_the_agent = {"anthropic.messages.tool_runner"} if "tool_runner" in surface.name else set()
    assert {*telemetry.open_spans} <= of_the_agent
