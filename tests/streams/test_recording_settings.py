# SPDX-License-Identifier: Apache-2.0
"""What the settings turn on and off, compared whole with what is recorded by default."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.streams.application import Application
from ..support.streams.expected import ROW_OF
from ..support.streams.surfaces import MODEL, SURFACE_OF
from ..support.streams.telling import Told
from ..support.telemetry import Telemetry, described, series

CREATE = SURFACE_OF["messages.create(stream=True)"]
SCENARIOS = ("completed", "overloaded_error_mid_stream")


def told_with(application: Application, telemetry: Telemetry, scenario: str, **settings: Any) -> Told:
    """Plays `scenario` with `settings`, and returns what would be told of it by default."""
    with telemetry.instrumented(**settings):
        application.play(scenario, CREATE, "sync")
    return Told(ROW_OF[scenario], CREATE, application.server, application.server.log[-1].request_id)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_genai_metrics_the_package_s_own_stay_whole(
    scenario: str, application: Application, telemetry: Telemetry
) -> None:
    told = told_with(application, telemetry, scenario, genai_metrics=False)
    own = {point: value for point, value in told.points().items() if point.startswith("after200.")}
    assert own == telemetry.all_points()
    assert [told.span()] == [described(span) for span in telemetry.spans]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_chunk_timing_records_the_time_from_each_chunk_to_the_next(
    scenario: str, application: Application, telemetry: Telemetry
) -> None:
    told = told_with(application, telemetry, scenario, chunk_timing=True)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": application.server.port,
    }
    per_chunk = {series("gen_ai.client.operation.time_per_output_chunk", attributes): 3}
    assert {**told.points(), **per_chunk} == telemetry.all_points()
    assert [told.span()] == [described(span) for span in telemetry.spans]


def test_chunk_timing_is_one_of_the_genai_metrics(application: Application, telemetry: Telemetry) -> None:
    told = told_with(application, telemetry, "completed", chunk_timing=True, genai_metrics=False)
    assert {point: value for point, value in told.points().items() if point.startswith("after200.")} == (
        telemetry.all_points()
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_without_spans_metrics_and_logs_stay_whole(
    mode: str, scenario: str, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented(spans="none"):
        seen = application.play(scenario, CREATE, mode)
    told = Told(ROW_OF[scenario], CREATE, application.server, application.server.log[-1].request_id)
    assert [] == telemetry.spans
    assert [] == telemetry.open_spans
    assert told.points() == telemetry.all_points()
    assert told.log_records(seen.exception) == telemetry.logged()


def test_settings_come_from_the_environment_too(
    application: Application, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS", "false")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_AFTER200_SPANS", "none")
    told = told_with(application, telemetry, "completed", spans=None)
    assert {point: value for point, value in told.points().items() if point.startswith("after200.")} == (
        telemetry.all_points()
    )
    assert [] == telemetry.spans


def test_without_a_logger_provider_nothing_is_logged_and_the_rest_is_whole(
    application: Application, telemetry: Telemetry
) -> None:
    told = told_with(application, telemetry, "overloaded_error_mid_stream", logger_provider=None)
    assert [] == telemetry.logged()
    assert told.points() == telemetry.all_points()
    assert [told.span()] == [described(span) for span in telemetry.spans]


def test_a_log_record_stands_in_the_context_of_its_span(application: Application, telemetry: Telemetry) -> None:
    told_with(application, telemetry, "overloaded_error_mid_stream")
    [span], [record] = telemetry.spans, telemetry.log_records()
    assert (span.context.trace_id, span.context.span_id) == (record.trace_id, record.span_id)


def test_the_buckets_are_the_ones_that_the_conventions_advise(application: Application, telemetry: Telemetry) -> None:
    told_with(application, telemetry, "completed", chunk_timing=True)
    seconds = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
    tokens = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
    assert {
        "after200.stream.longest_gap": seconds,
        "after200.stream.time_to_first_text": seconds,
        "gen_ai.client.operation.duration": seconds,
        "gen_ai.client.operation.time_to_first_chunk": seconds,
        "gen_ai.client.operation.time_per_output_chunk": seconds,
        "gen_ai.client.token.usage": tokens,
    } == {metric.name: point.explicit_bounds for metric, point in telemetry.data_points() if hasattr(point, "count")}
