# SPDX-License-Identifier: Apache-2.0
"""The calls through HTTP libraries: made through each that is instrumented; each is said to be recorded, or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from after200 import names
from after200.cli.receiver import Receiver

from ..support.patience import PATIENCE_S
from .environments import environment, verify_in
from .verified import Verify

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
LOST = {
    "httpx": "ReadError",
    "httpx2": "ReadError",
    "aiohttp": "ClientPayloadError",
    "requests": "ChunkedEncodingError",
    "botocore": "ProtocolError",
}
"""A package → all that an application is told of five calls of which three fail: its connection was lost."""

READ = "a body, read to its end"
CHECKS = ("a good call", "a refusal", "an overload mid-stream", "a truncated stream")
ALL = {"traces": 5, "metrics": 5}

SERVICE = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from after200 import AnthropicInstrumentor, HTTPInstrumentor


def set_up():
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    AnthropicInstrumentor().instrument()
    HTTPInstrumentor().instrument(libraries=["requests"], tracer_provider=TracerProvider())
"""
"""A service whose calls through requests go to a tracer provider without an exporter."""


def expected(*packages: str) -> dict[str, Any]:
    return {
        package: {
            "application": {**dict.fromkeys(CHECKS, READ), "a dropped connection": LOST[package]},
            "recorded": ALL,
        }
        for package in packages
    }


def test_calls_go_through_each_library_and_each_is_recorded(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={DISABLED: None})
    assert [] == verified.result["findings"]
    assert expected(*LOST) == verified.result["libraries"]
    assert {"traces": [True] * 5, "metrics": [True] * 5} == verified.recorded
    model = verified.result["model"]
    clients = {
        (point.attributes[names.REQUEST_MODEL], point.attributes.get(names.CLIENT))
        for point in receiver.points(names.CALLS.name)
        if str(point.attributes[names.REQUEST_MODEL]).startswith(model)
    }
    assert {(model, None), *((f"{model}-{each}", each.removesuffix("2")) for each in LOST)} == clients


def test_people_see_a_row_for_each_library_that_is_not_turned_off(receiver: Receiver) -> None:
    settings = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        DISABLED: "after200_httpx,after200_botocore,after200_aiohttp",
    }
    command = [sys.executable, "-m", "after200.cli", "verify"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    [head] = [at for at, line in enumerate(lines) if "the same calls through" in line]
    rows = [line.split() for line in lines[head + 2 : head + 4]]
    recorded = ["5", "of", "5", "recorded", "right"]
    assert [["requests", "ChunkedEncodingError", *recorded, *recorded], []] == rows


def test_a_library_whose_calls_are_not_exported_is_named(
    verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "service.py").write_text(SERVICE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    verified = verify("--setup=service:set_up")
    assert ["different"] == verified.wrong
    assert "traces of calls through requests, missing: completed, status 200" in verified.said("different")
    assert {"traces": 0, "metrics": 5} == verified.result["libraries"]["requests"]["recorded"]


def test_an_environment_without_the_sdk_is_right_where_a_library_is_instrumented(
    tmp_path: Path, receiver: Receiver
) -> None:
    python = environment(tmp_path / "env", ["anthropic", "anthropic-*.dist-info"])
    settings = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        DISABLED: "after200_httpx,after200_botocore,after200_aiohttp",
    }
    status, result = verify_in(python, **settings)
    [note] = result["findings"]
    assert (0, "right", [], expected("requests")) == (status, result["verdict"], result["calls"], result["libraries"])
    assert ("sdk_missing", False) == (note["code"], note["wrong"])
    assert "the calls were made through requests only" in note["what"]
