# SPDX-License-Identifier: Apache-2.0
"""An ended call → a span, metrics and a log record, through the API of OpenTelemetry.

Each signal is a file that reads the record. A signal that fails, at set-up or in use, is logged once, and the others
go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from ..call.observer import CallRecording
from ..call.record import Call
from ..guard import guarded
from ..settings import Settings
from .logs import Logs
from .metrics import Metrics
from .other_instrumentations import is_suppressed
from .recording import Recording
from .spans import Spans

_T = TypeVar("_T")
_is_suppressed = guarded(is_suppressed)


class Signals:
    """The observer of every call (`call/observer.py`)."""

    def __init__(
        self,
        settings: Settings,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        """The providers are the global ones where None."""
        self._spans = _made(Spans, settings.spans, tracer_provider)
        self._metrics = _made(Metrics, settings.genai_metrics, settings.chunk_timing, meter_provider)
        self._logs = _made(Logs, logger_provider)
        self._on_call_end = settings.on_call_end
        self._metric_baggage = settings.metric_baggage

    def suppressed(self) -> bool:
        """Returns whether the application has turned instrumentation off in this context; False when unknown."""
        return bool(_is_suppressed())

    @guarded
    def begin(self, call: Call, *, sdk_traces: bool = False) -> CallRecording:
        """The request of `call` is about to be sent; `sdk_traces` says that the SDK is about to make a span itself."""
        recording = Recording(self._spans, self._metrics, self._logs, self._on_call_end, self._metric_baggage)
        recording.begin(call, sdk_traces=sdk_traces)
        return recording

    def before_collection(self, callback: Callable[[], None]) -> None:
        """Calls `callback` each time before metrics are collected."""
        if self._metrics is not None:
            self._metrics.before_collection(callback)

    def stopped(self) -> None:
        """The instrumentation was taken off."""
        if self._metrics is not None:
            self._metrics.stopped()


def _made(signal: Callable[..., _T], *arguments: object) -> _T | None:
    """Returns `signal(*arguments)`; None, and one warning, when that raises."""
    return guarded(signal)(*arguments)
