# SPDX-License-Identifier: Apache-2.0
"""What is sampled out stays so: one call gets at most one decision of one sampler, and all of its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anthropic
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)

from after200.faults import FaultServer

from ..support.sdk_tracing import NEEDS_TRACING
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options, read, sync_client

pytestmark = [NEEDS_TRACING, pytest.mark.variants]

CREATE = "messages.create(stream=True)"
SCENARIO = "overloaded_error_mid_stream"


class Counting(Sampler):
    """Asks another sampler, and counts how often it was asked."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self.asked = 0
        self._decisions = decisions

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        self.asked += 1
        return SamplingResult(self._decisions[(self.asked - 1) % len(self._decisions)])

    def get_description(self) -> str:
        return "Counting"


class Sampled:
    """A provider with a sampler of its own, and what it exported."""

    def __init__(self, sampler: Sampler) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]


def call(server: FaultServer, telemetry: Telemetry, sampled: Sampled, twin: Twin = "sync", **option: Any) -> None:
    """One call of a client whose spans, as after200's, are the provider's of `sampled`."""
    with telemetry.instrumented(spans="auto", tracer_provider=sampled.provider):
        read(
            CREATE,
            twin,
            client_options(server, SCENARIO, open_telemetry={"tracer_provider": sampled.provider, **option}),
        )


def calls_counted(telemetry: Telemetry) -> float:
    return telemetry.total("after200.calls", {"after200.outcome": "failed"})


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("propagation", [True, False])
def test_a_root_that_is_sampled_out_gets_no_second_chance(
    server: FaultServer, telemetry: Telemetry, twin: Twin, propagation: bool
) -> None:
    sampler = Counting([Decision.DROP, Decision.RECORD_AND_SAMPLE])
    sampled = Sampled(sampler)
    call(server, telemetry, sampled, twin, propagation=propagation)
    assert (1, []) == (sampler.asked, sampled.names)
    call(server, telemetry, sampled, twin, propagation=propagation)
    assert (2, ["anthropic.messages.create"]) == (sampler.asked, sampled.names)
    assert 2 == calls_counted(telemetry)


def test_nor_where_the_trace_is_not_propagated_at_all(
    server: FaultServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK then drops a span that does not record, as if there had been none."""
    monkeypatch.setattr(anthropic._tracing, "trace_context_injector", lambda: None)
    sampler = Counting([Decision.DROP, Decision.RECORD_AND_SAMPLE])
    sampled = Sampled(sampler)
    call(server, telemetry, sampled)
    assert (1, []) == (sampler.asked, sampled.names)


def test_a_ratio_of_the_roots_is_that_ratio_of_the_calls(server: FaultServer, telemetry: Telemetry) -> None:
    """The traces that the sampler takes are those that are exported: the SDK's spans, and no other."""
    sampled = Sampled(ParentBased(TraceIdRatioBased(0.5)))
    for _ in range(40):
        call(server, telemetry, sampled)
    assert {"anthropic.messages.create"} == set(sampled.names)
    assert 40 == calls_counted(telemetry)
    bound = TraceIdRatioBased.get_bound_for_rate(0.5)
    trace_ids = [span.context.trace_id for span in sampled.exporter.get_finished_spans() if span.context is not None]
    assert all(trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < bound for trace_id in trace_ids)
    assert len(trace_ids) == len(set(trace_ids))


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["auto", "own"])
@pytest.mark.parametrize("tracing", ["on", "off", "no-op"])
def test_a_parent_that_is_not_sampled_means_no_span_and_all_metrics(
    server: FaultServer, telemetry: Telemetry, mode: str, tracing: str, twin: Twin
) -> None:
    option: Any = {
        "on": {"tracer_provider": telemetry.tracer_provider},
        "off": False,
        "no-op": {"tracer_provider": trace.NoOpTracerProvider()},
    }[tracing]
    parent = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, is_remote=True))
    with trace.use_span(parent), telemetry.instrumented(spans=mode):
        read(CREATE, twin, client_options(server, SCENARIO, open_telemetry=option))
    assert [] == telemetry.spans
    assert [] == telemetry.open_spans
    assert 1 == calls_counted(telemetry)
    assert 1 == telemetry.total("gen_ai.client.operation.duration", {"error.type": "overloaded_error"})


def test_another_provider_s_sampler_decides_for_itself(server: FaultServer, telemetry: Telemetry) -> None:
    sampled_out = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    with telemetry.instrumented(spans="auto"):
        read(CREATE, "sync", client_options(server, SCENARIO, open_telemetry={"tracer_provider": sampled_out}))
    assert ["chat claude-test"] == [span.name for span in telemetry.spans]


def test_the_sdk_s_trace_of_a_call_that_is_sampled_out_goes_with_its_request(
    server: FaultServer, telemetry: Telemetry
) -> None:
    """Not recorded is not unknown: the trace goes on at the other end, as it does without the package."""
    sent: list[str] = []
    http_client = anthropic.DefaultHttpxClient(
        event_hooks={"request": [lambda request: sent.append(request.headers["traceparent"])]}
    )
    sampled = Sampled(ALWAYS_OFF)
    with (
        telemetry.instrumented(spans="auto", tracer_provider=sampled.provider),
        sync_client(
            client_options(
                server, "completed", http_client=http_client, open_telemetry={"tracer_provider": sampled.provider}
            )
        ) as client,
    ):
        client.messages.create(**REQUEST)
    assert 1 == len(sent)
    assert 0 == int(sent[0][-2:], 16) & trace.TraceFlags.SAMPLED
