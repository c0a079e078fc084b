# SPDX-License-Identifier: Apache-2.0
"""Every signal names its scope, the version of the package, and the conventions that its names are taken from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anthropic
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from after200 import __version__, names
from after200.faults import FaultServer
from after200.testing import RecordedTelemetry

# Its name has changed between releases of the OpenTelemetry SDK.
_InMemoryLogs: Any = getattr(log_export, "InMemoryLogRecordExporter", None) or getattr(
    log_export, "InMemoryLogExporter", None
)


def test_all_three_signals_have_the_schema_url(server: FaultServer) -> None:
    reader, exporter = InMemoryMetricReader(), _InMemoryLogs()
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    logger_provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(exporter))
    providers = {"meter_provider": MeterProvider([reader]), "logger_provider": logger_provider}
    with RecordedTelemetry(**providers) as telemetry:
        client = anthropic.Anthropic(api_key="none", base_url=server.base_url("http_529"), max_retries=0)
        with suppress(anthropic.APIStatusError):
            client.messages.create(model="claude-sonnet-5", max_tokens=8, messages=[{"role": "user", "content": "?"}])
        [span] = telemetry.spans
        [log] = exporter.get_finished_logs()
        data = reader.get_metrics_data()
    assert data is not None
    [metrics] = [scope.scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    scopes = [span.instrumentation_scope, metrics, log.instrumentation_scope]
    assert [(names.SCOPE, __version__, names.SCHEMA_URL)] * 3 == [
        (scope.name, scope.version, scope.schema_url) for scope in scopes if scope is not None
    ]
