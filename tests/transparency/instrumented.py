# SPDX-License-Identifier: Apache-2.0
"""The package under test, with telemetry whose open spans can be counted."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from after200 import AnthropicInstrumentor

from ..support.sdk_tracing import sdk_spans

PROFILE = "transparency"


class Counting(SpanProcessor):
    """The spans that have started and not ended."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.ended += 1


class Faults(logging.Handler):
    """What the package logs: a fault of its own, which nothing here may bring about."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


class Instrumented:
    """Puts the package on and takes it off again."""

    def __init__(self) -> None:
        self.spans = Counting()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(self.spans)
        self.meter_provider = MeterProvider(shutdown_on_exit=False)
        self.faults = Faults()

    def client_options(self, *, traced: bool) -> dict[str, Any]:
        """The SDK's own tracing on or off, in the versions that have it."""
        return sdk_spans(self.tracer_provider if traced else None)

    @contextmanager
    def __call__(self, spans: str, **options: Any) -> Iterator[None]:
        instrumentor = AnthropicInstrumentor()
        instrumentor.instrument(
            spans=spans,
            tracer_provider=self.tracer_provider,
            meter_provider=self.meter_provider,
            skip_dep_check=True,
            **options,
        )
        try:
            yield
        finally:
            instrumentor.uninstrument()

    def check(self) -> None:
        """No span is open, and the package had no fault."""
        assert [] == self.faults.texts
        if self.spans.started != self.spans.ended:
            gc.collect()
        assert 0 == self.spans.started - self.spans.ended
