# SPDX-License-Identifier: Apache-2.0
"""That each contestant does what its row says while it is on, and nothing while it is off."""

from __future__ import annotations

import asyncio
import json

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from benchmarks import __main__ as program
from benchmarks import startup, wire
from benchmarks.contestant import Telemetry
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import Load

CALLS = "after200.calls"
RECORDS = {
    "bare": (0, None),
    "bare again": (0, None),
    "after200, spans=own": (2, 2),
    "after200, spans=annotate": (2, 2),
    "after200, spans=none": (0, 2),
    "the SDK's own tracing": (2, None),
    "the span and the points, by hand": (2, None),
}
"""How many spans, and which sum of `after200.calls`, a call in each way leaves."""


def calls(telemetry: Telemetry) -> int | None:
    data = telemetry.metrics.get_metrics_data()
    if data is None:
        return None
    points = [
        point
        for of_resource in data.resource_metrics
        for of_scope in of_resource.scope_metrics
        for metric in of_scope.metrics
        if metric.name == CALLS
        for point in metric.data.data_points
    ]
    return sum(point.value for point in points) if points else None


def test_there_is_an_expectation_for_each() -> None:
    assert list(RECORDS) == list(CONTESTANTS)


@pytest.mark.parametrize("name", CONTESTANTS)
def test_a_contestant_records_what_its_row_says_and_nothing_when_it_is_off(name: str) -> None:
    telemetry, exporter, connection = Telemetry.of_its_own(), InMemorySpanExporter(), wire.Wire()
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    contestant = CONTESTANTS[name](connection, telemetry)
    contestant.on()
    contestant.clients.read(1)
    asyncio.run(contestant.clients.aread(1))
    contestant.off()
    assert RECORDS[name] == (len(exporter.get_finished_spans()), calls(telemetry))
    exporter.clear()
    if not contestant.traced_by_sdk:
        contestant.clients.read(1)
        assert RECORDS[name][1] == calls(telemetry)
        assert () == exporter.get_finished_spans()


def test_the_table_has_a_row_for_each_and_the_json_every_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "LONG", Load(20, 2))
    monkeypatch.setattr(program, "SHORT", Load(2, 2))
    assert 0 == program.main(["--rounds=2", "--json"])
    results = json.loads(capsys.readouterr().out)
    for name in CONTESTANTS:
        assert f"\n| {name} | " in program.table(results)
    assert [*program.COLUMNS, "peak"] == list(results)
    for column in program.COLUMNS:
        for name in CONTESTANTS:
            for figures in results[column][name].values():
                assert 0 < figures["low"] <= figures["median"] <= figures["high"]


def test_too_few_rounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        program.main(["--rounds=1"])
    assert 2 == stopped.value.code
    assert "--rounds 1: a whole number from 2 up is needed" in capsys.readouterr().err


def test_the_start_of_a_process_is_measured_with_and_without_the_sdk() -> None:
    rows = [line.split("|") for line in startup.table(startup.measure(1, unmeasured=0)).splitlines()[2:]]
    assert list(startup.PROGRAMS) == [row[1].strip() for row in rows]
    alone, _, with_sdk, _ = (float(row[2]) for row in rows)
    assert 0 < alone < with_sdk


def test_the_cost_of_an_event_is_measured_for_each_length(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "LENGTHS", (1, 10, 20))
    assert 0 == program.main(["--lengths", "--rounds=2"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()[2:]]
    assert ["1", "10", "20"] == [row[1].strip() for row in rows]
    assert all(float(cell.replace(",", "")) > 0 for row in rows for cell in row[2:5])
