# SPDX-License-Identifier: Apache-2.0
"""What is one call: tools take several, counting tokens takes none, and what is retried is still the same one."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from ..support.patience import PATIENCE_S
from ..support.streams.application import Application
from ..support.streams.expected import ROW_OF
from ..support.streams.surfaces import MODEL, REQUEST, SURFACE_OF
from ..support.streams.telling import BORN_ON_EVERY_CALL, BORN_ON_STREAMS
from ..support.telemetry import Telemetry, described

TOOLS: list[dict[str, Any]] = [
    {
        "name": "tool",
        "description": "Tells the weather.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("name", ["beta.messages.tool_runner", "beta.messages.tool_runner(stream=True)"])
def test_each_round_of_the_tool_runner_is_a_call(
    name: str, mode: str, application: Application, telemetry: Telemetry
) -> None:
    surface = SURFACE_OF[name]
    if surface.missing():
        pytest.skip("this SDK has no beta.messages.tool_runner")
    bare = application.play("tool_use", surface, mode)
    with telemetry.instrumented():
        seen = application.play("tool_use", surface, mode)

    assert bare.whole == seen.whole
    assert [("completed", ("tool_use",)), ("completed", ("end_turn",))] == [
        (found["after200.outcome"], found["gen_ai.response.finish_reasons"])
        for found in (described(span) for span in telemetry.spans)
    ]
    assert 2 == telemetry.total("after200.calls", {"after200.outcome": "completed"})
    assert 2 == telemetry.total("after200.calls")
    assert [] == telemetry.open_spans


def test_the_pieces_of_a_tool_s_arguments_are_chunks(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        list(application.client("tool_use").messages.create(stream=True, tools=TOOLS, **REQUEST))
    [span] = [described(span) for span in telemetry.spans]
    assert (3, ("tool_use",)) == (span["after200.stream.chunks"], span["gen_ai.response.finish_reasons"])


def test_counting_tokens_is_no_call(application: Application, telemetry: Telemetry) -> None:
    client: Any = application.client("completed")
    surfaces = [client.messages, getattr(getattr(client, "beta", None), "messages", None)]
    counters = [messages for messages in surfaces if hasattr(messages, "count_tokens")]
    if not counters:
        pytest.skip("this SDK cannot count tokens")
    with telemetry.instrumented():
        for messages in counters:
            assert 12 == messages.count_tokens(model=MODEL, messages=REQUEST["messages"]).input_tokens
    assert len(counters) == len(application.server.wait_idle())
    assert {} == telemetry.all_points()
    assert [] == telemetry.spans


def test_the_models_of_the_api_are_no_call(application: Application, telemetry: Telemetry) -> None:
    """The server knows no such path, which is as good an answer as any."""
    with telemetry.instrumented(), pytest.raises(Exception, match="unknown path"):
        application.client("completed").get("/v1/models", cast_to=object)
    assert {} == telemetry.all_points()
    assert [] == telemetry.spans


def test_the_parameters_of_the_conventions_are_on_the_span_and_nothing_else_of_the_request(
    application: Application, telemetry: Telemetry
) -> None:
    """Some parameters only older SDKs name, so callers of newer ones add them to the body."""
    named = {"stop_sequences": ["END", "STOP"], "system": "Be kind.", "metadata": {"user_id": "u-1"}}
    added = {"temperature": 1, "top_p": 0.5, "top_k": 3, "anything": "else"}
    with telemetry.instrumented():
        application.client("completed").messages.create(**REQUEST, **named, extra_body=added)
    [span] = telemetry.spans
    assert span.attributes is not None
    assert {
        "gen_ai.request.model": MODEL,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 3,
        "gen_ai.request.stop_sequences": ("END", "STOP"),
    } == {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.request.")}
    assert type(span.attributes["gen_ai.request.temperature"]) is float


def test_the_watched_failures_are_born_once_for_each_kind_of_call(
    application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        for stream in (True, False, True):
            application.play("completed", SURFACE_OF[f"messages.create{'(stream=True)' if stream else ''}"], "sync")
    born = [name for name, value in telemetry.all_points().items() if name.startswith("after200.calls") and value == 0]
    assert len(BORN_ON_EVERY_CALL) * 2 + len(BORN_ON_STREAMS) == len(born)


def test_what_is_born_at_zero_is_there_while_the_call_runs(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        stream = application.client("completed").messages.create(stream=True, **REQUEST)
        points = telemetry.all_points()
        stream.close()
    assert {0} == {value for name, value in points.items() if name.startswith("after200.calls")}
    assert [1] == [value for name, value in points.items() if name.startswith("after200.streams.open")]


def test_a_failure_that_was_born_at_zero_counts_in_the_series_that_was_born(
    application: Application, telemetry: Telemetry
) -> None:
    scenarios = ("overloaded_error", "api_error", "rate_limit_error")
    with telemetry.instrumented():
        for scenario in scenarios:
            application.play(f"{scenario}_mid_stream", SURFACE_OF["messages.create(stream=True)"], "sync")
        application.play("end_without_message_stop", SURFACE_OF["messages.create(stream=True)"], "sync")
        application.play("reset_mid_stream", SURFACE_OF["messages.create(stream=True)"], "sync")
    calls = [value for name, value in telemetry.all_points().items() if name.startswith("after200.calls")]
    assert [0] * 5 + [1] * 5 == sorted(calls)


def test_a_call_that_is_retried_is_one_call_of_several_attempts(application: Application, telemetry: Telemetry) -> None:
    row = ROW_OF["http_503_then_529_then_completed"]
    with telemetry.instrumented():
        application.play(row.scenario, SURFACE_OF["messages.create(stream=True)"], "sync", max_retries=row.retries)
    assert 1 == telemetry.total("after200.calls")
    assert [(503, "503", 1), (529, "529", 1), (200, None, 1)] == [
        (point.attributes["after200.wire.status_code"], point.attributes.get("error.type"), point.value)
        for metric, point in telemetry.data_points()
        if metric.name == "after200.attempts"
    ]
    assert {2} == {described(span)["http.request.resend_count"] for span in telemetry.spans}


# --- `parse`, which makes something of a whole body before the application sees it ---


class Place(pydantic.BaseModel):
    """What the application asks for, and what the fault server's words are not."""

    city: str


def parse(messages: Any) -> Exception:
    """Asks for a `Place`, and returns what comes instead."""
    try:
        messages.parse(output_format=Place, **REQUEST)
    except Exception as exception:
        return exception
    raise AssertionError("the server's words are no place")


@pytest.mark.parametrize("path", ["messages", "beta.messages"])
@pytest.mark.parametrize(
    ("scenario", "outcome", "error_type", "status"),
    [
        ("completed", "completed", None, 200),
        ("body_error_200", "failed", "overloaded_error", 529),
        ("body_html_200", "failed", "stream_malformed", None),
        ("body_not_json_200", "failed", "stream_malformed", None),
    ],
)
def test_what_the_sdk_cannot_parse_is_judged_by_what_the_provider_sent(
    scenario: str,
    outcome: str,
    error_type: str | None,
    status: int | None,
    path: str,
    application: Application,
    telemetry: Telemetry,
) -> None:
    """A message whose text is not as the application would have it is complete, though `parse` raises."""
    messages: Any = application.client(scenario)
    for part in path.split("."):
        messages = getattr(messages, part, None)
    if not hasattr(messages, "parse"):
        pytest.skip(f"this SDK has no {path}.parse")
    bare = parse(messages)
    with telemetry.instrumented():
        seen = parse(messages)
    assert (type(bare), str(bare)) == (type(seen), str(seen))
    [span] = [described(span) for span in telemetry.spans]
    assert (outcome, error_type, status, 200) == (
        span["after200.outcome"],
        span.get("error.type"),
        span.get("http.response.status_code"),
        span["after200.wire.status_code"],
    )
    assert (7 if outcome == "completed" else None) == span.get("gen_ai.usage.output_tokens")


@pytest.mark.parametrize("scenario", ["body_html_200", "body_not_json_200"])
def test_a_strict_client_that_refuses_a_body_makes_it_malformed(
    scenario: str, application: Application, telemetry: Telemetry
) -> None:
    client = application.client(scenario)
    client._strict_response_validation = True
    with telemetry.instrumented(), pytest.raises(Exception) as raised:  # noqa: PT011
        client.messages.create(**REQUEST)
    assert not isinstance(raised.value, AssertionError)
    [span] = [described(span) for span in telemetry.spans]
    assert ("stream_malformed", "first_chunk") == (span["error.type"], span["after200.phase"])


# --- times ---


@pytest.mark.parametrize("name", ["messages.create(stream=True)", "messages.with_streaming_response.iter_lines"])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_wait_that_a_timeout_ends_is_the_longest_gap(
    name: str, mode: str, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        application.play("stall_mid_stream", SURFACE_OF[name], mode, timeout=0.5)
    [span] = [described(span) for span in telemetry.spans]
    assert 0.49 < span["after200.stream.longest_gap"] < PATIENCE_S


def test_a_slow_stream_has_the_times_that_its_server_took(application: Application, telemetry: Telemetry) -> None:
    """20 ms before every event: the first chunk is the fourth one, as the ping counts too."""
    with telemetry.instrumented():
        application.play("completed_slow", SURFACE_OF["messages.create(stream=True)"], "sync")
    [span] = [described(span) for span in telemetry.spans]
    assert 0.08 < span["gen_ai.response.time_to_first_chunk"] < PATIENCE_S
    assert 0.02 < span["after200.stream.longest_gap"] < PATIENCE_S
    [duration] = [
        point.sum for metric, point in telemetry.data_points() if metric.name == "gen_ai.client.operation.duration"
    ]
    assert 0.2 < duration < PATIENCE_S
    ended, started = telemetry.spans[0].end_time, telemetry.spans[0].start_time
    assert ended is not None
    assert started is not None
    assert 0.2 < (ended - started) / 1e9 < PATIENCE_S
