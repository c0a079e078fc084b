# SPDX-License-Identifier: Apache-2.0
"""A program that instruments and then forks, as a preloading gunicorn does: `python forking.py URL`.

It prints one JSON object: what each process recorded, and what of it came from before the fork.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any

import anthropic
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from after200 import AnthropicInstrumentor

REQUEST: Any = {"model": "claude-test", "max_tokens": 64, "messages": [{"role": "user", "content": "Say hello."}]}


class Recorded:
    """What this process recorded."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def __call__(self) -> dict[str, Any]:
        calls: dict[str, int] = {}
        open_streams = 0
        data = self.reader.get_metrics_data()
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
            for point in metric.data.data_points:
                if metric.name == "after200.calls" and point.value:
                    outcome = point.attributes["after200.outcome"]
                    calls[outcome] = calls.get(outcome, 0) + point.value
                elif metric.name == "after200.streams.open":
                    open_streams += point.value
        spans = [(span.attributes or {})["after200.outcome"] for span in self.exporter.get_finished_spans()]
        return {"calls": calls, "open": open_streams, "spans": sorted(spans)}


def in_child(work: Any) -> Any:
    """What `work` returns in a fork of this process."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with os.fdopen(write_end, "w") as out:
            json.dump(work(), out)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        told = json.load(answer)
    os.waitpid(child, 0)
    return told


def call(url: str, scenario: str) -> None:
    """One call that is read to its end."""
    client = anthropic.Anthropic(api_key="none", base_url=f"{url}/{scenario}", max_retries=0)
    try:
        for _ in client.messages.create(stream=True, **REQUEST):
            pass
    except anthropic.APIStatusError:
        pass


def main(url: str) -> None:
    recorded = Recorded()
    AnthropicInstrumentor().instrument(
        spans="own",
        skip_dep_check=True,
        tracer_provider=recorded.tracer_provider,
        meter_provider=recorded.meter_provider,
    )
    client = anthropic.Anthropic(api_key="none", base_url=f"{url}/completed")
    held = {"stream": client.messages.create(stream=True, **REQUEST)}
    next(held["stream"])

    def work() -> dict[str, Any]:
        before = recorded()
        # The parent's stream, of which this process has a copy, goes; its call is the parent's to end.
        held.clear()
        gc.collect()
        call(url, "overloaded_error_mid_stream")
        call(url, "completed")
        return {"before": before, "after": recorded()}

    children = [in_child(work), in_child(work)]
    for _ in held["stream"]:
        pass
    call(url, "completed")
    print(json.dumps({"children": children, "parent": recorded()}))


if __name__ == "__main__":
    main(sys.argv[1])
