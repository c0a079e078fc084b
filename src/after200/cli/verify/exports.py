# SPDX-License-Identifier: Apache-2.0
"""Watches every exporter of the process at its class: which were made, where they send, and what was accepted.

Runs in the probed process before OpenTelemetry is set up. The exporters stay the real ones, and get what they would
get; only their `__init__` and `export` are listened to.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any

import wrapt

from after200 import names

GROUPS = {
    "traces": "opentelemetry_traces_exporter",
    "metrics": "opentelemetry_metrics_exporter",
    "logs": "opentelemetry_logs_exporter",
}


@dataclass
class Exporter:
    """One exporter, or one reader that is pulled from."""

    signal: str
    kind: str
    """Module and class."""
    endpoint: str | None
    pulled: bool = False
    offered: int = 0
    """Batches that it was given, taken or not, or neither yet."""
    accepted: int = 0
    refused: int = 0
    temporality: str = ""
    series: dict[str, tuple[str, str, dict[str, Any], float]] = field(default_factory=dict)
    """Of what was accepted: scope, metric, attributes and value of each series that counts calls."""
    spans: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Of what was accepted: scope, name and attributes of each span of a call."""


class Exports:
    """The exporters of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exporters: dict[int, Exporter] = {}
        self._kept: list[Any] = []
        self._watched: set[type] = set()

    def watch(self) -> None:
        """Listen to every exporter that is installed, once somebody imports it."""
        for signal, group in GROUPS.items():
            for entry_point in importlib.metadata.entry_points(group=group):
                wrapt.register_post_import_hook(self._on_import(signal, entry_point.attr), entry_point.module)

    def _on_import(self, signal: str, attribute: str) -> Callable[[ModuleType], None]:
        def imported(module: ModuleType) -> None:
            exporter = getattr(module, attribute, None)
            if isinstance(exporter, type) and exporter not in self._watched:
                self._watched.add(exporter)
                self._watch(signal, exporter)

        return imported

    def _watch(self, signal: str, exporter: type) -> None:
        wrapt.wrap_function_wrapper(exporter, "__init__", self._on_init(signal))
        if hasattr(exporter, "export"):
            wrapt.wrap_function_wrapper(exporter, "export", self._on_export)

    def _on_init(self, signal: str) -> Callable[..., Any]:
        def made(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
            wrapped(*args, **kwargs)
            kind = type(instance)
            pulled = not hasattr(kind, "export")
            with self._lock:
                self._kept.append(instance)  # keeps its id from being used again
                self._exporters[id(instance)] = Exporter(
                    signal, f"{kind.__module__}.{kind.__qualname__}", _endpoint(instance, pulled), pulled
                )

        return made

    def _on_export(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        batch = args[0] if args else next(iter(kwargs.values()), None)
        with self._lock:
            exporter = self._exporters.get(id(instance))
            if exporter is not None:
                exporter.offered += 1
        result = wrapped(*args, **kwargs)
        with self._lock:
            if exporter is not None and batch:
                _keep(exporter, batch, getattr(result, "name", "") == "SUCCESS")
        return result

    def report(self) -> list[dict[str, Any]]:
        """Every exporter with what it accepted so far, in values that JSON has."""
        with self._lock:
            return [
                asdict(exporter) | {"series": list(exporter.series.values())} for exporter in self._exporters.values()
            ]


def _endpoint(instance: Any, pulled: bool) -> str | None:
    if pulled:
        host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost")
        return f"http://{host}:{os.environ.get('OTEL_EXPORTER_PROMETHEUS_PORT', '9464')}/metrics"
    # Private, and all there is: an endpoint given in code stands nowhere else.
    endpoint = getattr(instance, "_endpoint", None)
    return (
        re.sub(r"//[^/@]*@", "//", endpoint) if isinstance(endpoint, str) else None
    )  # a password is nobody's business


def _keep(exporter: Exporter, batch: Any, accepted: bool) -> None:
    if not accepted:
        exporter.refused += 1
        return
    exporter.accepted += 1
    if exporter.signal == "traces":
        for span in batch:
            attributes = dict(span.attributes or {})
            if any(name.startswith(("gen_ai.", "after200.")) for name in attributes):
                exporter.spans.append((span.instrumentation_scope.name, span.name, _plain(attributes)))
    elif exporter.signal == "metrics":
        _keep_points(exporter, batch)


def _keep_points(exporter: Exporter, batch: Any) -> None:
    for resource in batch.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name not in (names.CALLS.name, names.DURATION.name):
                    continue
                delta = getattr(metric.data, "aggregation_temporality", None) == 1
                exporter.temporality = "delta" if delta else "cumulative"
                for point in metric.data.data_points:
                    attributes = _plain(dict(point.attributes or {}))
                    key = repr((scope.scope.name, metric.name, sorted(attributes.items(), key=str)))
                    value = float(getattr(point, "count", 0) or getattr(point, "value", 0))
                    before = exporter.series[key][3] if delta and key in exporter.series else 0.0
                    exporter.series[key] = (scope.scope.name, metric.name, attributes, before + value)


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, (str, bool, int, float)) else str(value) for name, value in attributes.items()
    }
