# SPDX-License-Identifier: Apache-2.0
"""A `BaggageSpanProcessor` puts the caller's baggage on the span of the call, whoever makes that span."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from opentelemetry import baggage
from opentelemetry import context as contexts

from after200.faults import FaultServer

from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options, read, traced_by

processor = pytest.importorskip(
    "opentelemetry.processor.baggage",
    reason="opentelemetry-processor-baggage is not installed, or not for this OpenTelemetry",
    exc_type=ImportError,
)

TRACED = hasattr(anthropic._base_client, "start_api_call_span")


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto"])
def test_the_baggage_of_the_caller_is_on_the_span_of_the_call(
    server: FaultServer, telemetry: Telemetry, mode: str, twin: Twin
) -> None:
    telemetry.tracer_provider.add_span_processor(processor.BaggageSpanProcessor(processor.ALLOW_ALL_BAGGAGE_KEYS))
    option: dict[str, Any] = traced_by(telemetry) if mode == "auto" and TRACED else {}
    token = contexts.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with telemetry.instrumented(spans=mode):
            read("messages.create(stream=True)", twin, client_options(server, "overloaded_error_mid_stream", **option))
        assert {"tenant": "acme"} == baggage.get_all()
    finally:
        contexts.detach(token)
    (span,) = telemetry.spans
    said = span.attributes or {}
    assert ("acme", "overloaded_error", 529) == (
        said["tenant"],
        said["error.type"],
        said["http.response.status_code"],
    )
