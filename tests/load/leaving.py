# SPDX-License-Identifier: Apache-2.0
"""A program that ends while its streams are open: `python leaving.py URL HOW FILE [bare]`.

What its metrics come to at the end goes to FILE, as the export at shutdown writes it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import anthropic
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from after200 import AnthropicInstrumentor

REQUEST: Any = {"model": "claude-test", "max_tokens": 64, "messages": [{"role": "user", "content": "Say hello."}]}
STREAMS = 20
READ = 7
"""Streams that are read to the end; the others stay open."""

kept: list[Any] = []


class Nowhere(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def set_up(file: str) -> None:
    """As a service does it: global providers, that are shut down when the process ends."""
    out = open(file, "w")  # noqa: SIM115 (open until the process has ended)
    reader = PeriodicExportingMetricReader(
        ConsoleMetricExporter(out=out, formatter=lambda data: data.to_json(indent=None) + "\n"), 3_600_000
    )
    metrics.set_meter_provider(MeterProvider([reader]))
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(tracer_provider)
    AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True)


def open_streams(url: str) -> None:
    client = anthropic.Anthropic(api_key="none", base_url=f"{url}/completed")
    for number in range(STREAMS):
        stream = client.messages.create(stream=True, **REQUEST)
        next(stream)
        kept.append(stream)
        if number < READ:
            list(stream)


async def aopen_streams(url: str) -> None:
    client = anthropic.AsyncAnthropic(api_key="none", base_url=f"{url}/completed")
    for number in range(STREAMS):
        stream = await client.messages.create(stream=True, **REQUEST)
        await anext(stream)
        kept.append(stream)
        if number < READ:
            async for _event in stream:
                pass


def in_threads(url: str) -> None:
    """Daemon threads that wait for what never comes, and the main thread that ends."""
    client = anthropic.Anthropic(api_key="none", base_url=f"{url}/stall_mid_stream")
    waiting = threading.Barrier(STREAMS - READ + 1)

    def read() -> None:
        stream = client.messages.create(stream=True, **REQUEST)
        for _ in range(6):
            next(stream)
        waiting.wait()
        next(stream)

    for _ in range(STREAMS - READ):
        threading.Thread(target=read, daemon=True).start()
    waiting.wait()
    complete = client.with_options(base_url=f"{url}/completed")
    for _ in range(READ):
        list(complete.messages.create(stream=True, **REQUEST))


def cycle(url: str) -> None:
    """The streams in cycles, for the last collection to find."""
    open_streams(url)
    kept.append(kept)
    globals()["kept"] = [kept]


class InOrder(weakref.WeakSet[Any]):
    """The generators that a loop has to close, by their names: a loop closes them by their addresses.

    The newest HTTP client complains of its own generators on Python 3.13, in some orders, with the package or without.
    """

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=lambda generator: generator.__qualname__))


def loop(url: str) -> None:
    running: Any = asyncio.new_event_loop()
    running._asyncgens = InOrder()
    try:
        running.run_until_complete(aopen_streams(url))
        running.run_until_complete(running.shutdown_asyncgens())
    finally:
        running.close()


WAYS = {
    "open": open_streams,
    "loop": loop,
    "loop not closed": lambda url: asyncio.new_event_loop().run_until_complete(aopen_streams(url)),
    "threads": in_threads,
    "cycle": cycle,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    url, how, file = sys.argv[1:4]
    if "bare" not in sys.argv:
        set_up(file)
    WAYS[how](url)
