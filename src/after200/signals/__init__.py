# SPDX-License-Identifier: Apache-2.0
"""An ended call → a span, metrics and a log record. The only folder that touches OpenTelemetry.

Each signal is one small file that reads the record. One that fails is logged once, and the others go on.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from ..call.record import Call, EndedCall, ProviderError
from ..guard import guarded
from ..neighbours import suppressed_by_neighbour
from ..settings import Settings
from .logs import Logs
from .metrics import Metrics
from .spans import Spans


class Signals:
    """What the hooks tell of: a call begins, begins to stream, ends."""

    def __init__(
        self,
        settings: Settings,
        *,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        logger_provider: Any = None,
    ) -> None:
        self.settings = settings
        self._spans = Spans(settings.spans, tracer_provider)
        self._metrics = Metrics(settings.genai_metrics, settings.chunk_timing, meter_provider)
        self._logs = Logs(logger_provider)
        # Each guarded by itself: one that fails must not take the others with it.
        self._ends = tuple(guarded(signal.end) for signal in (self._metrics, self._logs, self._spans))
        self._begin_metrics = guarded(self._metrics.begin)

    def suppressed(self) -> bool:
        """Whether the application has turned instrumentation off in this context."""
        return not is_instrumentation_enabled() and not suppressed_by_neighbour()

    @guarded
    def begin(self, call: Call, *, sdk_traces: bool = False) -> None:
        """The request of `call` is about to be sent. `sdk_traces`: the SDK is about to make a span for it itself."""
        self._begin_metrics(call)
        self._spans.begin(call, sdk_traces=sdk_traces)

    def sdk_span(self, call: Call, span: Any, tracer: Any) -> Any:
        """The SDK asked `tracer` for `span` for `call`, or for none. The span that the SDK is to go on with."""
        return self._spans.adopt(call, span, tracer)

    @guarded
    def stream_began(self, call: Call) -> None:
        """The application has a stream to read."""
        self._metrics.stream_began(call)

    @guarded
    def inner_error(self, call: Call, error: ProviderError) -> None:
        """What `call` reads reports an error of something else."""
        self._metrics.inner_error(call, error)

    def end(self, call: EndedCall, handle: Any) -> None:
        """`call` has ended. `handle` is what `begin` left on it."""
        for end in self._ends:
            end(call, handle)
