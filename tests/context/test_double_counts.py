# SPDX-License-Identifier: Apache-2.0
"""When after200 says that a framework counts its calls too: by the framework's own series, and never by mistake.

`tests/neighbours/test_frameworks.py` shows the same with the frameworks themselves. Here, this test records what a
framework does, through the meter of the framework's scope.
"""

from __future__ import annotations

from typing import Any

import pytest

from after200 import names
from after200.faults import FaultServer

from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import client_options, read

SCOPE = "pydantic-ai"
OF_THE_CALL = {names.REQUEST_MODEL: REQUEST["model"], names.PROVIDER_NAME: "anthropic", names.TOKEN_TYPE: "input"}
SAID = (
    "pydantic-ai records gen_ai.client.token.usage of the same calls as after200 does: added up, each call counts "
    "twice. Other calls of this process may go past it, so do not turn off the metrics of after200: sum only the "
    "series whose otel.scope.name is after200, or the after200.* metrics."
)


def framework_records(telemetry: Telemetry, scope: str = SCOPE, **other: object) -> None:
    """What a framework records of a call; in the names of `other`, `__` stands for a dot."""
    meter = telemetry.meter_provider.get_meter(scope)
    attributes: dict[str, Any] = OF_THE_CALL | {name.replace("__", "."): value for name, value in other.items()}
    meter.create_histogram(names.TOKEN_USAGE.name).record(7, attributes)


def call(server: FaultServer) -> None:
    read("messages.create", "sync", client_options(server, "completed"))


def said(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> list[str]:
    telemetry.metrics_data()
    return [record.getMessage() for record in caplog.records if record.name == "after200"]


def test_a_framework_is_named_once_whatever_span_stands_between(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry.instrumented():
        for _ in range(2):
            with telemetry.tracer_provider.get_tracer("application").start_as_current_span("ask"):
                call(server)
            framework_records(telemetry)
            assert [SAID] == said(telemetry, caplog)


def test_it_is_named_when_the_model_that_answered_is_all_that_it_records(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry.instrumented():
        call(server)
        meter = telemetry.meter_provider.get_meter(SCOPE)
        meter.create_histogram(names.TOKEN_USAGE.name).record(7, {names.RESPONSE_MODEL: REQUEST["model"]})
        assert [SAID] == said(telemetry, caplog)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"gen_ai__request__model": "claude-other"}, id="another-model"),
        pytest.param({"gen_ai__provider__name": "openai"}, id="the-same-model-by-a-gateway-without-the-sdk"),
        pytest.param({"scope": "an.instrumentation.of.another.sdk"}, id="a-scope-of-which-nothing-is-known"),
    ],
)
def test_nothing_is_said_of_calls_that_after200_does_not_record(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture, other: dict[str, Any]
) -> None:
    with telemetry.instrumented():
        call(server)
        framework_records(telemetry, **other)
        assert [] == said(telemetry, caplog)


def test_nothing_is_said_of_what_a_framework_recorded_before_after200_was_active(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    framework_records(telemetry)
    with telemetry.instrumented():
        call(server)
        assert [] == said(telemetry, caplog)


def test_nothing_is_said_where_after200_leaves_these_metrics_to_others(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry.instrumented(genai_metrics=False):
        call(server)
        framework_records(telemetry)
        assert [] == said(telemetry, caplog)


def test_nothing_is_said_of_a_framework_that_calls_once_after200_is_not_active_any_more(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry.instrumented():
        call(server)
        assert [] == said(telemetry, caplog)
    call(server)
    framework_records(telemetry)
    assert [] == said(telemetry, caplog)
