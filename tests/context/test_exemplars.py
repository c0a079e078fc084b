# SPDX-License-Identifier: Apache-2.0
"""From a bad minute on a chart to a call that made it: the points of a failed call carry its trace."""

from __future__ import annotations

import anthropic
import pytest
from opentelemetry import trace

from after200 import names
from after200.faults import FaultServer

from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options, read, traced_by
from .exemplars import CREATE, DURATION, OVERLOADED, context_of

OF_A_CALL = {metric.name for metric in names.METRICS if metric.kind == "histogram"} - {names.TIME_PER_OUTPUT_CHUNK.name}
"""The histograms, each point of which belongs to one call: those that are recorded without `chunk_timing`."""


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
    found = exemplars(telemetry)
    call = telemetry.spans[0]
    assert ("anthropic.messages.create" if traced else "chat claude-test") == call.name
    assert {name: {context_of(call)} for name in OF_A_CALL} == found


def test_a_call_that_is_sampled_out_leaves_no_trace_to_look_for(server: FaultServer, telemetry: Telemetry) -> None:
    """The filter `trace_based` takes what is sampled only."""
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True))), telemetry.instrumented():
        read(CREATE, "sync", client_options(server, OVERLOADED))
    assert 1 == telemetry.total(DURATION)
    assert {} == exemplars(telemetry)


def test_a_call_without_a_span_does_not_carry_that_of_whoever_collects(
    server: FaultServer, telemetry: Telemetry
) -> None:
    with telemetry.instrumented(spans="none"):
        read(CREATE, "sync", client_options(server, OVERLOADED))
    with telemetry.tracer_provider.get_tracer("test").start_as_current_span("flushing"):
        assert {} == exemplars(telemetry)
