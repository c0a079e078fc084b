# SPDX-License-Identifier: Apache-2.0
"""The way of an exemplar to the backend: the points of a failed call carry its trace over OTLP too."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from after200.faults import FaultServer

from ..support.telemetry import Telemetry
from ..support.traced_calls import client_options, read
from .exemplars import CREATE, DURATION, OVERLOADED, context_of

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the OTLP exporter is not installed")

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from after200.cli.receiver import Receiver


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
