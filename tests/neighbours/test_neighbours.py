# SPDX-License-Identifier: Apache-2.0
"""Beside another instrumentation, each records what it records alone, and the application notices neither.

`ours` is after200 with the SDK's own tracing, `theirs` is the neighbour's. See `conftest.py` for the runs.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any

import pytest

from ..support.neighbours.expectations import Neighbour
from .recorded import OURS, Recorded
from .table import DOCUMENT, frameworks, table


def traits(recorded: Neighbour, run: str = "") -> Iterator[Hashable]:
    """What a test beside one neighbour covers: the run with each thing that there is to be seen of the neighbour."""
    yield from (
        (run, name)
        for name, has in {
            "records the same metrics": recorded.overlap,
            "can be told to leave them out": recorded.without_metrics,
            "leaves something to set": recorded.advice,
        }.items()
        if has
    )


pytestmark = pytest.mark.variants(covers=traits)

BOTH_ORDERS = ("ours first", "theirs first")
TOGETHER = (*BOTH_ORDERS, "ours put on again")


def without_parents(spans: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The spans, but for where each hangs: with two at work, one's hang under the other's."""
    return {call: [span | {"parent": ""} for span in found] for call, found in spans.items()}


@pytest.mark.parametrize("run", TOGETHER)
def test_the_application_sees_what_it_sees_with_the_neighbour_alone(recorded: Recorded, run: str) -> None:
    assert recorded["theirs"]["seen"] == recorded[run]["seen"]


def test_nor_does_it_notice_after200_alone(recorded: Recorded) -> None:
    assert recorded["bare"]["seen"] == recorded["ours"]["seen"]
    assert len(recorded["bare"]["seen"]) > 20


# --- our record ---


@pytest.mark.parametrize("run", TOGETHER)
def test_our_metrics_are_those_that_they_are_without_the_neighbour(recorded: Recorded, run: str) -> None:
    expected = recorded.points("ours", theirs=False)
    assert "after200.calls" in " ".join(expected["after200"])
    assert expected == recorded.points(run, theirs=False)


@pytest.mark.parametrize("run", TOGETHER)
def test_so_are_the_spans_that_say_it_and_the_log_records(recorded: Recorded, run: str) -> None:
    expected = without_parents(recorded.spans("ours", theirs=False))
    assert all(len(spans) == 1 for spans in expected.values())
    found = without_parents(recorded.spans(run, theirs=False))
    dropped = {call for call in expected if call.startswith(recorded.neighbour.drops or "-") and not found[call]}
    assert {call: spans for call, spans in expected.items() if call not in dropped} == {
        call: spans for call, spans in found.items() if call not in dropped
    }
    assert recorded.records("ours", theirs=False) == recorded.records(run, theirs=False)


def test_an_overload_says_what_it_was_beside_any_neighbour(recorded: Recorded) -> None:
    for run in BOTH_ORDERS:
        for call, spans in recorded.spans(run, theirs=False).items():
            if "overloaded" in call:
                (span,) = spans
                said = span["attributes"]
                assert ("ERROR", "Overloaded") == (span["status"], span["description"]), call
                assert ("overloaded_error", "529", "200") == (
                    said["error.type"],
                    said["http.response.status_code"],
                    said["after200.wire.status_code"],
                ), call


# --- theirs ---


@pytest.mark.parametrize("run", [*TOGETHER, "ours taken off"])
def test_their_record_is_what_it_is_without_us(recorded: Recorded, run: str) -> None:
    assert without_parents(recorded.spans("theirs", theirs=True)) == without_parents(recorded.spans(run, theirs=True))
    assert recorded.points("theirs", theirs=True) == recorded.points(run, theirs=True)
    assert recorded.records("theirs", theirs=True) == recorded.records(run, theirs=True)


@pytest.mark.parametrize("run", [*TOGETHER, "ours taken off", "as advised"])
def test_no_span_stays_open_because_of_us(recorded: Recorded, run: str) -> None:
    """What a neighbour never ends, it never ends alone either."""
    assert [] == [scope for scope in recorded[run]["open"] if scope.startswith(OURS)]
    alone = [scope for scope in recorded["theirs"]["open"] if not scope.startswith(OURS)]
    assert alone == recorded[run]["open"]


@pytest.mark.parametrize("run", TOGETHER)
def test_a_span_of_theirs_hangs_where_it_hung_or_under_the_call_that_hangs_there(recorded: Recorded, run: str) -> None:
    alone = recorded.spans("theirs", theirs=True)
    ours = recorded.spans(run, theirs=False)
    for call, spans in recorded.spans(run, theirs=True).items():
        for before, span in zip(alone[call], spans, strict=True):
            between = [own["parent"] for own in ours[call] if own["scope"] == span["parent"]]
            assert span["parent"] == before["parent"] or before["parent"] in between, call


@pytest.mark.parametrize("run", TOGETHER)
def test_the_http_client_s_span_is_a_child_of_the_call_s(recorded: Recorded, run: str) -> None:
    found = 0
    for call, spans in recorded.spans(run, theirs=True).items():
        for span in spans:
            if span["scope"] == "opentelemetry.instrumentation.httpx":
                (own,) = recorded.spans(run, theirs=False)[call]
                assert own["scope"] == span["parent"], call
                found += 1
    if not found:
        assert recorded.neighbour.name not in ("httpx2", "openlit"), "it brings no instrumentation of the HTTP client"


# --- taken off while they have patched over us ---


def test_taken_off_we_leave_nothing_behind(recorded: Recorded) -> None:
    gone = recorded["ours taken off"]
    assert {} == recorded.points("ours taken off", theirs=False)
    assert [] == recorded.records("ours taken off", theirs=False)
    assert "after200" not in {span["scope"] for spans in gone["spans"].values() for span in spans}
    assert recorded["theirs"]["spans"] == gone["spans"]
    assert recorded["theirs"]["seen"] == gone["seen"]


# --- what counts twice, and what to set ---


@pytest.mark.parametrize("run", BOTH_ORDERS)
def test_the_metrics_that_both_record_are_named_once_with_the_setting(recorded: Recorded, run: str) -> None:
    overlap = recorded.neighbour.overlap
    assert set(overlap) == recorded.metrics(run, theirs=True) & recorded.metrics(run, theirs=False)
    said = recorded[run]["said"]
    assert ([] if not overlap else 1) == (said if not overlap else len(said))
    for line in said:
        assert line.startswith(f"WARNING {recorded.neighbour.title.partition(' ')[0]} records")
        assert set(overlap) == set(re.findall(r"gen_ai\.client\.[a-z_.]*[a-z]", line))
        assert "OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS=false" in line


@pytest.mark.parametrize("run", BOTH_ORDERS)
def test_a_streamed_call_has_as_many_spans_as_the_table_says(recorded: Recorded, run: str) -> None:
    counted = {
        call.rpartition(", ")[2]: (len(recorded["theirs"]["spans"][call]), len(spans))
        for call, spans in recorded[run]["spans"].items()
        if call.startswith("completed")
    }
    http = 1 if recorded.neighbour.name == "openlit" else 0  # It instruments the HTTP client, too.
    assert {
        tracing: (alone + http, together + http) for tracing, (alone, together) in recorded.neighbour.spans.items()
    } == counted


def test_as_advised_a_call_has_their_spans_only_and_counts_once(recorded: Recorded) -> None:
    if not recorded.neighbour.advice:
        return
    assert [] == recorded["as advised"]["said"]
    assert all(not spans for spans in recorded.spans("as advised", theirs=False).values())
    assert set() == recorded.metrics("as advised", theirs=True) & recorded.metrics("as advised", theirs=False)
    ours, kept = recorded.points("ours", theirs=False), recorded.points("as advised", theirs=False)
    assert {name: value for name, value in ours["after200"].items() if name.startswith("after200.")} == {
        name: value for name, value in kept["after200"].items() if name.startswith("after200.")
    }


def test_nothing_is_said_of_metrics_that_they_have_been_told_to_leave_out(recorded: Recorded) -> None:
    run = "their metrics off"
    if recorded.neighbour.without_metrics:
        assert set() == recorded.metrics(run, theirs=True) & recorded.metrics(run, theirs=False)
        assert [] == recorded[run]["said"]


def test_the_documentation_shows_the_tables() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert table() in text, "python -m tests.neighbours.table writes it"
    assert frameworks() in text, "python -m tests.neighbours.table writes it"
