# SPDX-License-Identifier: Apache-2.0
"""What the documentation says of a failure is what is recorded when it is played."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import anthropic
import httpx
import pytest

from after200 import HTTPInstrumentor, names
from after200.faults import SCENARIOS, FaultServer
from after200.names import errors
from after200.testing import RecordedTelemetry

from ..support.patience import PATIENCE_S
from .pages import DOCS, table

FAILURES = table("failures.md", "scenario", "error.type")
OTHERS = table("failures.md", "scenario", "where it shows")
ANSWERS = table("failures.md", "scenario", names.ANSWER)
TOKENS = table("failures.md", "scenario", names.TOKEN_DETAIL)
NOT_STREAMED = ", not streamed"
ASK: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 64,
    "stop_sequences": ["END"],
    "messages": [{"role": "user", "content": "Hello?"}],
    "extra_body": {"temperature": 0.5, "top_p": 0.9, "top_k": 5},  # as arguments they came and went
}

BODY = {**ASK, "stream": True}
BODY.update(BODY.pop("extra_body"))


def client(server: FaultServer, scenario: str) -> Any:
    """A client of the scenario's platform, with as many retries as its page says are needed."""
    timeout = 1.0 if scenario.startswith("stall") else PATIENCE_S
    options: dict[str, Any] = {"base_url": server.base_url(scenario), "timeout": timeout, "max_retries": 2}
    if scenario.startswith("bedrock"):
        keys = {"aws_access_key": "none", "aws_secret_key": "none", "aws_region": "us-east-1"}
        return anthropic.AnthropicBedrock(**keys, **options | {"max_retries": 0})
    if not scenario.endswith(("_always", "_then_completed")):
        options["max_retries"] = 0
    return anthropic.Anthropic(api_key="none", **options)


def play(server: FaultServer, scenario: str) -> None:
    """One call, read to its end, whatever comes of it; a stream, unless the scenario's cell says otherwise."""
    streaming = not scenario.endswith(NOT_STREAMED)
    before = len(server.log)
    with suppress(Exception):
        answer = client(server, scenario.removesuffix(NOT_STREAMED)).messages.create(**ASK, stream=streaming)
        for _ in answer if streaming else ():
            pass
    server.wait_for(lambda log: len(log) > before)


@pytest.mark.parametrize("row", FAILURES, ids=[row["scenario"] for row in FAILURES])
def test_a_failure_is_recorded_as_the_page_says(server: FaultServer, row: dict[str, str]) -> None:
    with RecordedTelemetry() as telemetry:
        play(server, row["scenario"])
    [call] = telemetry.calls
    recorded = {
        "outcome, phase": f"{call.outcome}, {call.phase}",
        "error.type": call.error_type,
        "HTTP": str(call.wire_status or "-"),
        "status": str(call.status or "-"),
        names.ERROR_CODE: call.attributes.get(names.ERROR_CODE, "-"),
        names.FAILURE: call.failure,
        "retry helps": "yes" if call.retryable else "no",
    }
    said = {name: value for name, value in row.items() if name in recorded}
    assert said == {name: recorded[name] for name in said}
    assert {"outcome, phase", "error.type", "HTTP", "status"} <= set(said)


@pytest.mark.parametrize("row", ANSWERS, ids=[row["scenario"] for row in ANSWERS])
def test_an_answer_is_recorded_as_the_page_says(server: FaultServer, row: dict[str, str]) -> None:
    with RecordedTelemetry() as telemetry:
        play(server, row["scenario"])
    [call] = telemetry.calls
    [point] = telemetry.points(names.ANSWERS_RECEIVED.name)
    assert ("completed", None, 200) == (call.outcome, call.error_type, call.status)
    assert row[names.ANSWER] == call.attributes[names.ANSWER] == point.attributes[names.ANSWER]
    assert row["stop reason"] == point.attributes[names.STOP_REASON]
    name, _, value = row["and"].partition(" is ")
    if value:
        recorded = {**call.attributes, **point.attributes}[name]
        shown = ", ".join(recorded) if isinstance(recorded, tuple) else str(recorded)
        assert value == (shown.lower() if isinstance(recorded, bool) else shown)


@pytest.mark.parametrize("row", TOKENS, ids=[f"{row['scenario']}-{row[names.TOKEN_TYPE]}" for row in TOKENS])
def test_tokens_are_recorded_as_the_page_says(server: FaultServer, row: dict[str, str]) -> None:
    with RecordedTelemetry() as telemetry:
        play(server, row["scenario"])
    recorded = {
        (point.attributes[names.TOKEN_TYPE], point.attributes.get(names.TOKEN_DETAIL, "-")): point.value
        for point in telemetry.points(names.TOKENS.name)
    }
    assert float(row["tokens"]) == recorded[row[names.TOKEN_TYPE], row[names.TOKEN_DETAIL]]


@pytest.mark.parametrize("row", OTHERS, ids=[row["scenario"] for row in OTHERS])
def test_what_is_no_failure_is_none(server: FaultServer, row: dict[str, str]) -> None:
    scenario, _, leaving = row["scenario"].partition(", and ")
    assert scenario in SCENARIOS
    if leaving:
        assert set(row["outcome"].split(", ")) <= {"closed", "cancelled", "abandoned"}
        return
    with RecordedTelemetry() as telemetry:
        play(server, scenario)
    assert [(row["outcome"], None)] == [(call.outcome, call.error_type) for call in telemetry.calls]


def test_the_status_of_every_type_is_what_the_error_says() -> None:
    rows = table("what-is-recorded.md", "error.type", "status")
    assert len(errors.ERROR_TYPES) == len(rows)


def play_without_the_sdk(server: FaultServer, telemetry: RecordedTelemetry) -> None:
    """One call that fails in its stream, through an HTTP client alone."""
    instrumentor = HTTPInstrumentor()
    instrumentor.instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        libraries=["httpx"],
    )
    try:
        url = f"{server.base_url('overloaded_error_mid_stream')}/v1/messages"
        with httpx.stream("POST", url, json=BODY) as answer:
            for _ in answer.iter_lines():
                pass
    finally:
        instrumentor.uninstrument()


SCENARIOS_OF_EVERYTHING = (
    "completed",
    "cached",
    "overloaded_error_mid_stream",
    "http_529_then_completed",
    "reset_mid_stream",
    "bedrock_throttlingException_mid",
    "enforced_spend_limit_reached_mid_stream",
    "refusal_cyber",
    "web_search_failed",
    "fallback",
    "cached_by_ttl",
    "speed_fast",
    "rate_limits",
)


@pytest.fixture(scope="module")
def everything() -> RecordedTelemetry:
    """Telemetry of calls that have, between them, everything that there is."""
    with FaultServer() as server, RecordedTelemetry(chunk_timing=True) as telemetry:
        for scenario in SCENARIOS_OF_EVERYTHING:
            play(server, scenario)
        play_without_the_sdk(server, telemetry)
    return telemetry


def documented(place: str) -> set[str]:
    """The attributes that the page has for a place."""
    rows = table("what-is-recorded.md", "attribute", "on")
    return {row["attribute"] for row in rows if place in row["on"].split(", ")}


def test_spans_have_the_attributes_of_the_page_and_no_others(everything: RecordedTelemetry) -> None:
    recorded = {name for call in everything.calls for name in call.attributes}
    assert documented("span") - {names.BEDROCK_ORIGINAL_STATUS} == recorded - {names.BEDROCK_ORIGINAL_STATUS}


def test_log_records_have_the_attributes_of_the_page_and_no_others(everything: RecordedTelemetry) -> None:
    assert documented("log") == {name for log in everything.logs for name in log}


def test_metrics_have_the_attributes_of_the_page_and_no_others(everything: RecordedTelemetry) -> None:
    page = {
        row["metric"]: set(row["attributes"].split(", "))
        for row in table("what-is-recorded.md", "metric", "attributes")
    }
    recorded: dict[str, set[str]] = {}
    for metric in page:
        for point in everything.points(metric):
            recorded.setdefault(metric, set()).update(point.attributes)
    nothing_inner = page.pop(names.INNER_ERRORS.name)
    assert nothing_inner
    assert page == recorded


def test_every_scenario_that_a_page_names_is_there() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    named = set(re.findall(r"127\.0\.0\.1:8529/(\w+)", text)) | set(re.findall(r'base_url\("(\w+)"\)', text))
    assert named - {"mix"} <= set(SCENARIOS)
