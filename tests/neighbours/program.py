# SPDX-License-Identifier: Apache-2.0
"""Runs the application beside a neighbour, once for each run it is told of: `python -m tests.neighbours.program`.

In comes a JSON object on stdin: the neighbour's name, the server's URL, and the runs. Each is a process of its own,
forked before anything is set up. Out goes a JSON list: what each run recorded, by who recorded it.
"""

from __future__ import annotations

import gc
import itertools
import json
import logging
import os
import sys
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from ..support.neighbours import activation
from .application import CALLS, make, text
from .forking import in_fork


class Spans(SpanProcessor):
    """Every span that was started, and those that have ended."""

    def __init__(self) -> None:
        self.started: dict[int, Any] = {}
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        assert span.context is not None
        self.started[span.context.span_id] = span

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)

    def of(self, handler: Any) -> list[ReadableSpan]:
        """What has ended in the trace of `handler`, but for the application's own."""
        trace_id = handler.get_span_context().trace_id
        traced = [span for span in self.ended if span.context is not None and span.context.trace_id == trace_id]
        return [span for span in traced if scope_of(span) != "application"]


class Logs:
    """Every log record that OpenTelemetry was given."""

    def __init__(self) -> None:
        self.came: list[Any] = []

    def on_emit(self, log_data: Any) -> None:
        self.came.append(log_data)

    emit = on_emit

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True


class Said(logging.Handler):
    """What the package says of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def scope_of(signal: Any) -> str:
    return getattr(signal.instrumentation_scope, "name", "") or ""


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes, without what is another at each run: numbers of requests, times, the traceback's own frames."""
    flat: dict[str, Any] = {}
    for name, value in (attributes or {}).items():
        if isinstance(value, float):
            flat[name] = "FLOAT"
        elif name == "exception.stacktrace":
            flat[name] = "STACKTRACE"
        elif name == "server.port" or name.startswith("code."):
            flat[name] = "VARIES"
        else:
            flat[name] = text(value)
    return flat


def described(span: Any, spans: Spans) -> dict[str, Any]:
    parent = spans.started.get(span.parent.span_id) if span.parent is not None else None
    return {
        "scope": scope_of(span),
        "name": text(span.name),
        "kind": span.kind.name,
        "parent": "" if parent is None else scope_of(parent),
        "status": span.status.status_code.name,
        "description": text(span.status.description),
        "attributes": plain(span.attributes),
        "events": [[event.name, plain(event.attributes)] for event in span.events],
    }


def points(reader: InMemoryMetricReader) -> dict[str, dict[str, Any]]:
    """Scope → series → how many values, and their sum where that is no time."""
    found: dict[str, dict[str, Any]] = {}
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    series = f"{metric.name} {json.dumps(plain(point.attributes), sort_keys=True)}"
                    value = point.count if hasattr(point, "count") else point.value
                    found.setdefault(scope.scope.name, {})[series] = "FLOAT" if isinstance(value, float) else value
    return found


def run(neighbour: str, url: str, told: dict[str, Any]) -> dict[str, Any]:
    """One run: activates what `told` says in that order, makes every call, and says what became of each."""
    os.environ.update(told.get("environment", {}))
    spans, logs, said, reader = Spans(), Logs(), Said(), InMemoryMetricReader()
    logging.getLogger("after200").addHandler(said)
    activation.set_providers(neighbour, [spans], reader, logs)
    for step in told["steps"]:
        take(step)

    import anthropic

    tracings: dict[str, dict[str, Any]] = {"off": {}}
    if hasattr(anthropic._base_client, "start_api_call_span"):
        tracings = {"on": {}, "off": {"open_telemetry": False}}
    tracer = trace.get_tracer("application")
    seen: dict[str, Any] = {}
    recorded: dict[str, Any] = {}
    # Each call once sync and once async, one of them with the SDK's own tracing where there is any.
    for number, name in enumerate(CALLS):
        twins = ("sync", "async") if number % 2 else ("async", "sync")
        for twin, (tracing, options) in zip(twins, itertools.cycle(tracings.items())):
            call = f"{name}, {twin}, {tracing}"
            before = trace.get_current_span()
            with tracer.start_as_current_span("handler") as handler:
                seen[call] = make(name, twin, url, dict(options))
            seen[call].append(f"current: {trace.get_current_span() is before}")
            points(reader)  # Collecting ends what the call dropped.
            recorded[call] = [described(span, spans) for span in spans.of(handler)]
    ended = {span.context.span_id for span in spans.ended if span.context is not None}
    return {
        "seen": seen,
        "spans": recorded,
        "points": points(reader),
        "records": sorted(
            [scope_of(entry), text(entry.log_record.event_name or entry.log_record.body)] for entry in logs.came
        ),
        "open": sorted(scope_of(span) for span_id, span in spans.started.items() if span_id not in ended),
        "said": said.lines,
    }


def take(step: str) -> None:
    """Activates, or deactivates: `after200`, `-after200`, or a neighbour's name."""
    if step.endswith("after200"):
        from after200 import AnthropicInstrumentor

        instrumentor = AnthropicInstrumentor()
        instrumentor.uninstrument() if step.startswith("-") else instrumentor.instrument(skip_dep_check=True)
    else:
        activation.ACTIVATE[step]()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr)
    task = json.load(sys.stdin)
    activation.load(task["neighbour"])
    # What the imports left behind is not to be gone through at each collection.
    gc.freeze()
    json.dump([in_fork(run, task["neighbour"], task["url"], told) for told in task["runs"]], sys.stdout)
