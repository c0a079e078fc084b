# SPDX-License-Identifier: Apache-2.0
"""Every scenario × every way of every HTTP library to read an answer, over the socket.

Each case runs twice: without the package, to know what the application sees, and with it. What is recorded is compared
whole with the table of the SDK's calls, of which a call that is read raw is one.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator

import pytest

from after200.faults import FaultServer

from ..support.streams.expected import ROWS
from ..support.streams.row import Row
from ..support.streams.telling import Told, ending_on
from ..support.telemetry import Telemetry, described
from .calling import play, recorded
from .rows import row_of
from .ways import WAYS, Way

FEW = ("httpx iter_lines", "httpx post", "aiohttp content", "requests iter_lines")
"""The ways on which every scenario is played."""

SOME = (
    "completed",
    "gzip_completed",
    "overloaded_error_mid_stream",
    "http_529",
    "reset_mid_stream",
    "end_without_message_stop",
    "body_error_200",
)
"""The scenarios that are played in every way."""


def cases() -> list[object]:
    return [
        pytest.param(row_of(row, way), way, id=f"{row.scenario}-{way.name}")
        for row in ROWS
        for way in WAYS
        # Each HTTP request is a call here: a call of several attempts is several.
        if not row.attempts and (way.name in FEW or row.scenario in SOME)
        # Whether aiohttp hands on what came before bytes that it cannot decode is up to the network.
        if not (row.scenario == "gzip_broken" and way.client == "aiohttp")
    ]


def kinds(row: Row, way: Way) -> Iterator[Hashable]:
    """What a case covers: every scenario, of each library every way to end, and every way to read."""
    ending = ending_on(row, way)
    yield "scenario", row.scenario
    yield "way", way.name, ending.outcome
    yield "end", (ending.outcome, ending.phase, ending.failure, row.seen), way.client, way.stream


@pytest.fixture(autouse=True)
def empty_log(server: FaultServer) -> Iterator[None]:
    server.clear()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.variants(covers=kinds)
@pytest.mark.parametrize(("row", "way"), cases())
def test_a_call_is_recorded_whole_and_the_application_sees_no_difference(
    row: Row, way: Way, server: FaultServer, telemetry: Telemetry
) -> None:
    bare = play(server, row.scenario, way, row.timeout)
    server.clear()
    with recorded(telemetry):
        seen = play(server, row.scenario, way, row.timeout)
    assert bare.whole == seen.whole
    told = Told(row, way, server, server.log[-1].request_id, way.client)
    assert [told.span()] == [described(span) for span in telemetry.spans]
    assert told.points() == telemetry.all_points()
    assert told.log_records(bare.exception) == telemetry.logged()
    assert [] == telemetry.open_spans
