# SPDX-License-Identifier: Apache-2.0
"""From a bad minute on a chart to a call that made it: the points of a failed call carry its trace."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from after200.cli.receiver import Receiver
from after200.faults import FaultServer

from ..native.calls import TWINS, Twin, client_options, read, traced_by
from ..telemetry import Telemetry

CREATE = "messages.create(stream=True)"
OVERLOADED = "overloaded_error_mid_stream"
DURATION = "gen_ai.client.operation.duration"
OF_A_CALL = {
    DURATION,
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.token.usage",
    "after200.stream.longest_gap",
}
"""The histograms, each point of which belongs to one call."""


def context_of(span: Any) -> tuple[int, int]:
    return span.context.trace_id, span.context.span_id


def exemplars(telemetry: Telemetry) -> dict[str, set[tuple[int, int]]]:
    """Each metric → the spans that its exemplars belong to."""
    found: dict[str, set[tuple[int, int]]] = {}
    for metric, point in telemetry.data_points():
        for exemplar in getattr(point, "exemplars", ()):
            found.setdefault(metric.name, set()).add((exemplar.trace_id, exemplar.span_id))
    return found


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto"])
@pytest.mark.parametrize("scenario", [OVERLOADED, "end_without_message_stop", "reset_mid_stream"])
def test_the_points_of_a_failed_call_carry_its_span(
    server: FaultServer, telemetry: Telemetry, scenario: str, mode: str, twin: Twin
) -> None:
    traced = mode == "auto" and hasattr(anthropic._base_client, "start_api_call_span")
    options = client_options(server, scenario, **(traced_by(telemetry) if traced else {}))
    tracer = telemetry.tracer_provider.get_tracer("test")
    # What is current while the stream is read is not what they carry.
    with telemetry.instrumented(spans=mode), tracer.start_as_current_span("handler"):
        read(CREATE, twin, options)
    call = telemetry.spans[0]
    assert ("anthropic.messages.create" if traced else "chat claude-test") == call.name
    assert {name: {context_of(call)} for name in OF_A_CALL} == exemplars(telemetry)


def test_a_call_that_is_sampled_out_leaves_no_trace_to_look_for(server: FaultServer, telemetry: Telemetry) -> None:
    """The filter `trace_based` takes what is sampled only."""
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True))), telemetry.instrumented():
        read(CREATE, "sync", client_options(server, OVERLOADED))
    assert 1 == telemetry.total(DURATION)
    assert {} == exemplars(telemetry)


class Keeping(Receiver):
    """A receiver of OTLP that keeps the metrics as they came over the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[Any] = []

    def take(self, path: str, body: bytes) -> bytes:
        request = ExportMetricsServiceRequest.FromString(body)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                metrics = [metric for metric in scope.metrics if metric.name == DURATION]
                self.came += [point for metric in metrics for point in metric.histogram.data_points]
        return super().take(path, body)


def test_they_carry_it_over_otlp_too(server: FaultServer, telemetry: Telemetry) -> None:
    with Keeping() as receiver:
        exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics")
        provider = MeterProvider([PeriodicExportingMetricReader(exporter)], shutdown_on_exit=False)
        with telemetry.instrumented(meter_provider=provider):
            read(CREATE, "sync", client_options(server, OVERLOADED))
            read(CREATE, "sync", client_options(server, "completed"))
        provider.shutdown()
    exported = {
        next((item.value.string_value for item in point.attributes if item.key == "error.type"), None): [
            (int.from_bytes(exemplar.trace_id, "big"), int.from_bytes(exemplar.span_id, "big"))
            for exemplar in point.exemplars
        ]
        for point in receiver.came
    }
    failed, completed = telemetry.spans
    assert {"overloaded_error": [context_of(failed)], None: [context_of(completed)]} == exported
