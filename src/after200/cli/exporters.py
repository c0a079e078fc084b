# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry exporters of this process, observed: where each sends, what it accepts, what it complains about.

The exporters stay the real ones and receive what they would receive; only their `export` is observed.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from after200.cli.otlp import Point, Request, Telemetry

BASES = {"SpanExporter": "traces", "MetricExporter": "metrics", "LogExporter": "logs", "LogRecordExporter": "logs"}
"""The base classes of exporters, by name since they move between versions of OpenTelemetry, and their signals."""

READER = "PrometheusMetricReader"
"""The reader that Prometheus scrapes. What it receives goes to its `_receive_metrics`, as with every reader."""


@dataclass(eq=False)
class Exporter:
    """One exporter of the process, or one reader that Prometheus scrapes.

    `signal` is "traces", "metrics" or "logs", `kind` the module and class. `offered` and `accepted` count batches.
    `errors` is what it logged or raised while it exported, `telemetry` what it accepted.
    """

    signal: str
    kind: str
    endpoint: str | None
    scraped: bool
    offered: int = 0
    accepted: int = 0
    errors: list[str] = field(default_factory=list)
    telemetry: Telemetry = field(default_factory=Telemetry)

    def __str__(self) -> str:
        name, protocol = self.kind.rpartition(".")[2], "over gRPC" if ".grpc." in self.kind else "over HTTP"
        if self.endpoint is None:
            return name
        return f"{name} at {self.endpoint}" if self.scraped else f"{name} {protocol} to {self.endpoint}"

    @property
    def failed(self) -> bool:
        """Whether it was given something, and nothing of it was accepted."""
        return self.offered > 0 and self.accepted == 0

    @property
    def points(self) -> list[Point]:
        """The series of metrics that it accepted, as they stand."""
        return list(self.telemetry.points.values())


class Messages(logging.Handler):
    """Keeps the warnings of these loggers, each once, and gives each exporter those of its own."""

    def __init__(self, *loggers: str) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.exporting = threading.local()
        for name in loggers:
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line: the logger, the message, and the exception if there is one."""
        error = record.exc_info[1] if record.exc_info else None
        line = f"{record.name}: {record.getMessage()}" + (f" ({type(error).__name__}: {error})" if error else "")
        line = " ".join(line.split())
        if line not in self.lines and len(self.lines) < 100:
            self.lines.append(line)
        getattr(self.exporting, "errors", []).append(line)


class Exporters:
    """The exporters of this process, in the order in which they were found."""

    def __init__(self, messages: Messages) -> None:
        self.found: list[Exporter] = []
        self._messages = messages
        self._observed: list[Any] = []

    def find(self) -> None:
        """Finds the exporters that exist, and observes those that are new."""
        _hear_repetitions()
        objects = gc.get_objects()
        signals = {kind: _signal(kind) for kind in {type(each) for each in objects}}
        for each in objects:
            signal = signals.get(type(each))
            if signal is not None and not any(each is known for known in self._observed):
                self._observed.append(each)
                kind, scraped = type(each), not hasattr(each, "export")
                exporter = Exporter(signal, f"{kind.__module__}.{kind.__qualname__}", _endpoint(each, scraped), scraped)
                self.found.append(exporter)
                hook = "_receive_metrics" if scraped else "export"
                setattr(each, hook, self._observe(getattr(each, hook), exporter))

    def _observe(self, export: Callable[..., Any], exporter: Exporter) -> Callable[..., Any]:
        def observed(batch: Any, *args: Any, **kwargs: Any) -> Any:
            self._messages.exporting.errors = exporter.errors
            exporter.offered += 1
            try:
                result = export(batch, *args, **kwargs)
            except Exception as error:
                exporter.errors.append(f"{type(error).__name__}: {error}")
                raise
            finally:
                del self._messages.exporting.errors
            if exporter.scraped or getattr(result, "name", "") == "SUCCESS":
                exporter.accepted += 1
                if exporter.signal != "logs":
                    exporter.telemetry.add(_encoded(exporter.signal, batch))
            return result

        return observed

    def flush(self, patience: Mapping[str, float]) -> None:
        """Exports everything, all signals at once; `patience` is how many seconds each signal is waited for."""
        self.find()
        threads = {}
        for signal, provider in providers().items():
            ours = [exporter for exporter in self.found if exporter.signal == signal]
            # A reader that Prometheus scrapes must not be flushed: its next page would show everything twice.
            if any(not exporter.scraped for exporter in ours):
                threads[signal] = threading.Thread(target=_flush, args=(provider, patience[signal]), daemon=True)
                threads[signal].start()
            elif ours:
                list(importlib.import_module("prometheus_client").REGISTRY.collect())
        for signal, thread in threads.items():
            thread.join(patience[signal])


def providers() -> dict[str, Any]:
    """Returns the global provider of each signal; the placeholders of the API have no `force_flush`."""
    from opentelemetry import _logs, metrics, trace

    return {
        "traces": trace.get_tracer_provider(),
        "metrics": metrics.get_meter_provider(),
        "logs": _logs.get_logger_provider(),
    }


def _hear_repetitions() -> None:
    """Removes the filters by which OpenTelemetry drops a message that was logged at the same line shortly before.

    Two exporters of a kind share that line, so the second one would seem to say nothing.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("opentelemetry.") and isinstance(logger, logging.Logger):
            for known in [one for one in logger.filters if type(one).__name__ == "DuplicateFilter"]:
                logger.removeFilter(known)


def _flush(provider: Any, seconds: float) -> None:
    with suppress(Exception):  # what an exporter raises is among its errors
        provider.force_flush(int(seconds * 1000))


def _encoded(signal: str, batch: Any) -> Request:
    # Imported here: there are exporters only where there is an SDK, which these modules need.
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    return encode_spans(batch) if signal == "traces" else encode_metrics(batch)


def _signal(kind: type) -> str | None:
    bases = [base.__name__ for base in kind.__mro__]
    return "metrics" if READER in bases else next((BASES[name] for name in bases if name in BASES), None)


def _endpoint(exporter: Any, scraped: bool) -> str | None:
    if scraped:
        host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost")
        return f"http://{host}:{os.environ.get('OTEL_EXPORTER_PROMETHEUS_PORT', '9464')}/metrics"
    endpoint = getattr(exporter, "_endpoint", None)  # private, and the only place where an endpoint set in code stands
    return re.sub(r"//[^/@]*@", "//", endpoint) if isinstance(endpoint, str) else None  # without a password
