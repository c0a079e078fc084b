# SPDX-License-Identifier: Apache-2.0
"""The span and the histogram points of a call, by hand and with constants: what OpenTelemetry itself takes for them.

No instrumentation that records as much through the API can cost less.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind, set_span_in_context

from after200 import names

from . import wire
from .contestant import Contestant, Telemetry

CALL: dict[str, Any] = {
    names.OPERATION_NAME: "chat",
    names.PROVIDER_NAME: "anthropic",
    names.REQUEST_MODEL: wire.MODEL,
    names.REQUEST_STREAM: True,
}
"""What the package's own metrics say of a call."""

CONVENTION: dict[str, Any] = {
    names.OPERATION_NAME: "chat",
    names.PROVIDER_NAME: "anthropic",
    names.REQUEST_MODEL: wire.MODEL,
    names.RESPONSE_MODEL: wire.MODEL,
    names.SERVER_ADDRESS: "api.anthropic.com",
    names.SERVER_PORT: 443,
}
"""What every `gen_ai.client.*` metric says of a call."""

START: dict[str, Any] = {
    **CALL,
    names.SERVER_ADDRESS: "api.anthropic.com",
    names.SERVER_PORT: 443,
    names.REQUEST_MAX_TOKENS: 1024,
}
END: dict[str, Any] = {
    names.RESPONSE_ID: "msg_01",
    names.RESPONSE_MODEL: wire.MODEL,
    names.RESPONSE_TIME_TO_FIRST_CHUNK: 0.1,
    names.RESPONSE_FINISH_REASONS: ("end_turn",),
    names.USAGE_INPUT_TOKENS: 25,
    names.USAGE_OUTPUT_TOKENS: 10,
    names.ANTHROPIC_REQUEST_ID: "req_benchmark",
    names.HTTP_STATUS: 200,
    names.WIRE_STATUS: 200,
    names.OUTCOME: "completed",
    names.ANSWER: "complete",
    names.STREAM_CHUNKS: 10,
    names.STREAM_LONGEST_GAP: 0.1,
    names.STREAM_TIME_TO_FIRST_TEXT: 0.1,
}
"""The attributes of the span: at its start, and at its end."""

POINTS: tuple[tuple[names.Metric, dict[str, Any]], ...] = (
    (names.LONGEST_GAP, {**CALL, names.OUTCOME: "completed"}),
    (names.TIME_TO_FIRST_TEXT, CALL),
    (names.DURATION, {**CONVENTION, names.HTTP_STATUS: 200}),
    (names.TIME_TO_FIRST_CHUNK, CONVENTION),
    (names.TOKEN_USAGE, {**CONVENTION, names.TOKEN_TYPE: "input"}),
    (names.TOKEN_USAGE, {**CONVENTION, names.TOKEN_TYPE: "output"}),
)
"""The histogram points of a call."""


class ByHand(Contestant):
    """The bare SDK, and around each call what after200 records of it but for the sums."""

    def __init__(self, connection: wire.Wire, telemetry: Telemetry) -> None:
        super().__init__(connection, telemetry)
        self.clients = Recorded(self.clients, telemetry)

    def on(self) -> None:
        self.clients.records = True

    def off(self) -> None:
        self.clients.records = False


class Recorded(wire.Clients):
    """Clients whose calls are recorded by hand."""

    def __init__(self, clients: wire.Clients, telemetry: Telemetry) -> None:
        super().__init__(clients.sync, clients.asynchronous)
        self.records = False
        self._tracer = telemetry.tracer_provider.get_tracer(names.SCOPE)
        meter = telemetry.meter_provider.get_meter(names.SCOPE)
        self._points = [
            (
                meter.create_histogram(
                    metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
                ),
                attributes,
            )
            for metric, attributes in POINTS
        ]

    def read(self, times: int) -> None:
        for _ in range(times):
            with self._recorded():
                super().read(1)

    async def aread(self, times: int) -> None:
        for _ in range(times):
            with self._recorded():
                await super().aread(1)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        if not self.records:
            yield
            return
        span = self._tracer.start_span(f"chat {wire.MODEL}", kind=SpanKind.CLIENT, attributes=START)
        yield
        context = set_span_in_context(span)
        for histogram, attributes in self._points:
            histogram.record(0.1, attributes, context)
        span.set_attributes(END)
        span.end()
