# SPDX-License-Identifier: Apache-2.0
"""The public names as a typed program uses them. Checked by mypy, never run."""

from __future__ import annotations

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from typing_extensions import assert_type

from after200 import AnthropicInstrumentor, EndedCall, Failure, Settings, __version__, classify, names
from after200.faults import SCENARIOS, FaultServer, Scenario, Served
from after200.testing import RecordedCall, RecordedPoint, RecordedTelemetry

assert_type(__version__, str)

instrumentor = AnthropicInstrumentor()
instrumentor.instrument()
instrumentor.instrument(spans="own", genai_metrics=False, chunk_timing=True, correct_exceptions=True)
instrumentor.instrument(
    tracer_provider=TracerProvider(), meter_provider=MeterProvider(), logger_provider=LoggerProvider()
)


def on_call_end(call: EndedCall) -> None:
    assert_type(call.verdict.outcome, names.Outcome)
    assert_type(call.duration, float)


instrumentor.instrument(on_call_end=on_call_end)
instrumentor.instrument(span="own")  # type: ignore[call-arg]
instrumentor.instrument(spans="mine")  # type: ignore[arg-type]
instrumentor.uninstrument()
assert_type(Settings().correct_exceptions, bool)

failure = classify(ValueError())
assert_type(failure, Failure | None)
if failure is not None:
    assert_type(failure.failure, names.Failure)
    assert_type(failure.status, int | None)
    assert_type(failure.retryable, bool)
classify("overloaded")  # type: ignore[arg-type]

with FaultServer(mix={"overloaded": 0.05}, seed=7) as server:
    assert_type(server, FaultServer)
    assert_type(server.base_url("mix"), str)
    assert_type(server.base_url("completed", "a key"), str)
    assert_type(server.log, tuple[Served, ...])
    assert_type(server.wait_idle(timeout=1.0), tuple[Served, ...])
    assert_type(server.wait_for(lambda log: len(log) == 2), tuple[Served, ...])
    assert_type(server.log[0].wire_status, int | None)
assert_type(SCENARIOS["completed"], Scenario)

with RecordedTelemetry(spans="own") as telemetry:
    assert_type(telemetry, RecordedTelemetry)
    assert_type(telemetry.spans, list[ReadableSpan])
    assert_type(telemetry.calls, list[RecordedCall])
    assert_type(telemetry.calls[0].failure, str | None)
    assert_type(telemetry.points("after200.calls", {"after200.outcome": "failed"}), list[RecordedPoint])
    assert_type(telemetry.total("after200.calls"), float)
