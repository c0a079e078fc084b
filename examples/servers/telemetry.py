# SPDX-License-Identifier: Apache-2.0
"""Sets OpenTelemetry up in one process. A server with several worker processes calls `set_up` in each of them."""

from __future__ import annotations

from uuid import uuid4

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from after200 import AnthropicInstrumentor


def set_up() -> None:
    """Exports all three signals by OTLP, to where `OTEL_EXPORTER_OTLP_ENDPOINT` says, and instruments the SDK.

    Each process has an instance id of its own: without it, the counters of all workers would be written to the same
    series, and each would overwrite the others.
    """
    resource = Resource.create({"service.instance.id": str(uuid4())})
    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource))
    logger_provider = LoggerProvider(resource)
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    set_logger_provider(logger_provider)
    AnthropicInstrumentor().instrument()


def shut_down() -> None:
    """Exports what is left. Python does so by itself at its exit, but not every worker process exits that way."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider()):
        provider.shutdown()
