# SPDX-License-Identifier: Apache-2.0
"""The public names as a typed program uses them. Checked by mypy, never run."""

from __future__ import annotations

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from typing_extensions import assert_type

from after200 import AnthropicInstrumentor, __version__
from after200.faults import FaultServer, Served

assert_type(__version__, str)

instrumentor = AnthropicInstrumentor()
instrumentor.instrument()
instrumentor.instrument(spans="own", genai_metrics=False, chunk_timing=True, correct_exceptions=True)
instrumentor.instrument(
    tracer_provider=TracerProvider(), meter_provider=MeterProvider(), logger_provider=LoggerProvider()
)
instrumentor.uninstrument()

with FaultServer(mix={"overloaded": 0.05}, seed=7) as server:
    assert_type(server, FaultServer)
    assert_type(server.base_url("mix"), str)
    assert_type(server.log, tuple[Served, ...])
