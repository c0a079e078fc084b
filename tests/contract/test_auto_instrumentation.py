# SPDX-License-Identifier: Apache-2.0
"""The long way: a program that knows nothing of telemetry, under `opentelemetry-instrument`, exporting OTLP.

The program runs in a process of its own with the settings that a service would have, and everything that leaves it is
received over a real socket.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from after200.cli.receiver import Receiver
from after200.faults import FaultServer

from .processes import Run

INSTRUMENT = (str(Path(sys.executable).with_name("opentelemetry-instrument")),)

pytestmark = pytest.mark.skipif(
    not entry_points(group="opentelemetry_instrumentor", name="after200"),
    reason="after200 is on the path but not installed, so that opentelemetry-instrument does not find it",
)

PROGRAM = """
    import anthropic

    client = anthropic.Anthropic(api_key="none", max_retries=0)
    request = dict(model="claude-test", max_tokens=9, messages=[{"role": "user", "content": "Say hello."}])
    for stream in (True, False):
        try:
            for event in client.messages.create(stream=stream, **request):
                print(event.type)
        except anthropic.APIStatusError as error:
            print(error.status_code, error.body["error"]["type"])
"""
PRINTED = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_delta",
    "content_block_delta",
    "content_block_delta",
    "200 overloaded_error",
    "529 overloaded_error",
]


def service(receiver: Receiver, server: FaultServer, **settings: str) -> dict[str, str]:
    """The environment of a service."""
    return {
        "ANTHROPIC_BASE_URL": server.base_url("overloaded_error_mid_stream"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "checkout",
        **settings,
    }


def hidden(receiver: Receiver, metric: str, **attributes: Any) -> float:
    """The sum of those points of `metric` that are hidden overloads."""
    where = {"error.type": "overloaded_error", "http.response.status_code": 529, **attributes}
    return receiver.total(metric, where)


def test_an_overload_after_the_200_leaves_as_a_failure_with_status_529(server: FaultServer, run: Run) -> None:
    with Receiver() as receiver:
        assert PRINTED == run(PROGRAM, wrapper=INSTRUMENT, **service(receiver, server)).splitlines()

        [streamed, refused] = [span for span in receiver.spans if "after200.outcome" in span.attributes]
        assert ("ERROR", "Overloaded", "CLIENT", "checkout") == (
            streamed.status,
            streamed.description,
            streamed.kind,
            streamed.resource["service.name"],
        )
        assert {
            "error.type": "overloaded_error",
            "http.response.status_code": 529,
            "after200.wire.status_code": 200,
            "after200.outcome": "failed",
            "after200.phase": "mid_stream",
            "after200.failure": "overloaded",
            "after200.retryable": True,
            "after200.stream.chunks": 4,
            "gen_ai.request.model": "claude-test",
        }.items() <= streamed.attributes.items()
        assert ("request", 529) == (
            refused.attributes["after200.phase"],
            refused.attributes["after200.wire.status_code"],
        )

        assert 1 == hidden(receiver, "after200.calls", **{"after200.wire.status_code": 200})
        assert 1 == hidden(receiver, "after200.calls", **{"after200.wire.status_code": 529})
        assert 2 == receiver.total("after200.calls")
        assert 0 == receiver.total("after200.streams.open")
        assert 2 == hidden(receiver, "gen_ai.client.operation.duration")
        assert [] == receiver.rejected


@pytest.mark.repeats("context/test_current.py")
def test_the_log_record_of_a_failure_leaves_in_the_trace_of_its_span(server: FaultServer, run: Run) -> None:
    with Receiver() as receiver:
        run(PROGRAM, wrapper=INSTRUMENT, **service(receiver, server))
        records = [record for record in receiver.logs if record.event_name == "gen_ai.client.operation.exception"]
        spans = [span for span in receiver.spans if "after200.outcome" in span.attributes]
        assert [span.span_id for span in spans] == [record.span_id for record in records]
        assert [(529, 200), (529, 529)] == [
            (record.attributes["http.response.status_code"], record.attributes["after200.wire.status_code"])
            for record in records
        ]


@pytest.mark.repeats("unit/test_settings.py")
def test_settings_in_the_environment_hold(server: FaultServer, run: Run) -> None:
    settings = {
        "OTEL_INSTRUMENTATION_AFTER200_SPANS": "none",
        "OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS": "false",
        "ANTHROPIC_OPEN_TELEMETRY": "false",
    }
    with Receiver() as receiver:
        assert PRINTED == run(PROGRAM, wrapper=INSTRUMENT, **service(receiver, server, **settings)).splitlines()
        assert [] == [span.name for span in receiver.spans if "chat" in span.name]
        assert {"after200.calls", "after200.attempts"} <= receiver.metrics()
        assert [] == [name for name in receiver.metrics() if name.startswith("gen_ai.")]
        assert 2 == receiver.total("after200.calls")


def test_a_service_can_turn_it_off(server: FaultServer, run: Run) -> None:
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "after200", "ANTHROPIC_OPEN_TELEMETRY": "false"}
    with Receiver() as receiver:
        assert PRINTED == run(PROGRAM, wrapper=INSTRUMENT, **service(receiver, server, **off)).splitlines()
        assert [] == [name for name in receiver.metrics() if name.startswith(("after200.", "gen_ai."))]
        assert [] == [span.name for span in receiver.spans if "after200.outcome" in span.attributes]
