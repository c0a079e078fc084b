# SPDX-License-Identifier: Apache-2.0
"""A job of an episode in time lapse: real calls to a fault server, exported with the times of the episode.

    python -m tests.support.monitoring.lapse EPISODE JOB FOLDER KIND...

The SDK, the fault server, after200 and the OpenTelemetry SDK are real; only the clock of the exports is not. Writes
FOLDER/JOB.KIND for each KIND, `classic` or `native`: OTLP exports with classic or with exponential histograms, each
with its time and length before it, as `replay` reads them. Also FOLDER/JOB.traces.json and FOLDER/JOB.logs.json: what a
trace store and a log store would find.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import struct
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import anthropic
import requests
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from after200 import AnthropicInstrumentor, HTTPInstrumentor
from after200.faults import FaultServer

from ..patience import PATIENCE_S
from .episodes import EPISODES, LIMITS, Episode

MANNERS = {"read": 0.8, "whole": 0.12, "close": 0.07, "abandon": 0.002, "cancel": 0.002}
STEPS_PER_BATCH = 80
REQUEST: dict[str, Any] = {"max_tokens": 64, "messages": [{"role": "user", "content": "Hello?"}]}


class Clock(SpanProcessor):
    """The time of the episode; notes each span that ends with it, as Tempo finds it."""

    def __init__(self, job: str) -> None:
        self._job = job
        self.now = 0.0
        self.rows: list[dict[str, Any]] = []

    def on_end(self, span: ReadableSpan) -> None:
        attributes = span.attributes or {}
        outcome = attributes.get("after200.outcome")
        resent = int(attributes.get("http.request.resend_count", 0))  # type: ignore[arg-type]
        if outcome in ("failed", "truncated") or (outcome == "completed" and resent):
            self.rows.append(
                {
                    "traceID": f"{span.context.trace_id:032x}",
                    "start": self.now * 1000,
                    "service": self._job,
                    "name": span.name,
                    "spanID": f"{span.context.span_id:016x}",
                    "saved": outcome == "completed",
                    "duration": (span.end_time or 0) - (span.start_time or 0),
                    "attributes": {name: str(value) for name, value in attributes.items()},
                }
            )


class Journal(LogRecordProcessor):
    """Notes each log record with the time of the episode, as Loki has it: labels have `_` in place of dots."""

    def __init__(self, clock: Clock, resource: Resource) -> None:
        self._clock = clock
        self._resource = resource
        self.rows: list[dict[str, Any]] = []

    def on_emit(self, log_record: Any) -> None:
        said = {**self._resource.attributes, **(log_record.log_record.attributes or {})}
        labels = {re.sub(r"[^a-zA-Z0-9_]", "_", name): str(value) for name, value in said.items()}
        self.rows.append({"time": self._clock.now * 1000, "line": log_record.log_record.body or "", "labels": labels})

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


class Job:
    """An application that calls some models, each call in one of the manners that applications have."""

    def __init__(self, calm_and_storm: dict[int, str], without_sdk: tuple[str, ...]) -> None:
        self._without_sdk = without_sdk
        self._clients = {
            key: anthropic.Anthropic(base_url=url, api_key="no-key-is-needed", timeout=PATIENCE_S)
            for key, url in calm_and_storm.items()
        }
        self._urls = calm_and_storm

    def call(self, key: int, model: str, manner: str) -> None:
        request = REQUEST | {"model": model}
        client = self._clients[key]
        with suppress(Exception):  # whatever the SDK and its HTTP library raise is what the episode is about
            if model in self._without_sdk:
                self._send(key, request | {"stream": manner != "whole"})
            elif manner == "whole":
                client.messages.create(**request)
            elif manner == "read":
                for _ in client.messages.create(**request, stream=True):
                    pass
            elif manner == "close":
                with client.messages.create(**request, stream=True) as stream:
                    next(iter(stream))
            elif manner == "abandon":
                dropped = client.messages.create(**request, stream=True)
                next(iter(dropped))
                del dropped
                gc.collect()
            else:
                asyncio.run(self._cancel(key, request))

    def _send(self, key: int, request: dict[str, Any]) -> None:
        headers = {"anthropic-version": "2023-06-01"}
        url = f"{self._urls[key]}/v1/messages"
        with requests.post(url, json=request, headers=headers, stream=True, timeout=PATIENCE_S) as response:
            for _ in response.iter_lines():
                pass

    async def _cancel(self, key: int, request: dict[str, Any]) -> None:
        url = self._urls[key].replace("/mix", "/stall_mid_stream")
        async with anthropic.AsyncAnthropic(base_url=url, api_key="no-key-is-needed") as client:
            began = asyncio.Event()

            async def read() -> None:
                async for event in await client.messages.create(**request, stream=True):
                    if event.type == "content_block_delta":
                        began.set()

            task = asyncio.create_task(read())
            await began.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def read_batch(self) -> None:
        url = self._urls[min(self._urls)].replace("/mix", "/batch_results")
        client = anthropic.Anthropic(base_url=url, api_key="no-key-is-needed")
        for _ in client.messages.batches.results("msgbatch_1"):
            pass


class Exports:
    """The exports of one reader, written to a file with the time of the episode instead of their own."""

    def __init__(self, path: Path, start: int, native: bool) -> None:
        aggregation = {Histogram: ExponentialBucketHistogramAggregation()} if native else None
        self.reader = InMemoryMetricReader(preferred_aggregation=aggregation)
        self._file = path.open("wb")
        self._start = start * 10**9

    def write(self, now: int) -> None:
        data = self.reader.get_metrics_data()
        if data is None:
            return
        request = encode_metrics(data)
        at = now * 10**9
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        point.time_unix_nano, point.start_time_unix_nano = at, self._start
                        for exemplar in getattr(point, "exemplars", ()):
                            exemplar.time_unix_nano = at
        body = request.SerializeToString()
        self._file.write(struct.pack(">QI", now, len(body)) + body)

    def close(self) -> None:
        self._file.close()


def run(episode: Episode, job: str, folder: Path, kinds: Sequence[str]) -> None:
    draw = random.Random(f"{episode.name} {job}")
    clock = Clock(job)
    exports = [Exports(folder / f"{job}.{kind}", episode.start, kind == "native") for kind in kinds]
    resource = Resource.create({"service.name": job, "service.instance.id": f"{job}-1"})
    meters = MeterProvider([export.reader for export in exports], resource=resource)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(clock)
    loggers, journal = LoggerProvider(resource=resource), Journal(clock, resource)
    loggers.add_log_record_processor(journal)
    AnthropicInstrumentor().instrument(
        tracer_provider=tracers, meter_provider=meters, logger_provider=loggers, spans="own", chunk_timing=True
    )
    if episode.without_sdk:
        HTTPInstrumentor().instrument(
            libraries=["requests"], tracer_provider=tracers, meter_provider=meters, logger_provider=loggers
        )
    with ExitStack() as stack:
        servers = {
            id(phase.mix): stack.enter_context(
                FaultServer(mix=phase.mix, seed=draw.randrange(2**31), chunk_delay=0.001, rate_limits=LIMITS)
            )
            for phase in episode.phases
        }
        application = Job({key: server.base_url("mix") for key, server in servers.items()}, episode.without_sdk)
        pool = stack.enter_context(ThreadPoolExecutor(max(1, episode.at_once)))
        running: set[Future[None]] = set()
        due = {model: draw.expovariate(calls) for model, calls in episode.jobs[job].items()}
        for step in range(episode.steps + 1):
            now = episode.start + step * episode.step
            clock.now = now
            if step:
                for model, calls in episode.jobs[job].items():
                    while due[model] < step:  # calls arrive at random, as those of many users do
                        due[model] += draw.expovariate(calls)
                        (manner,) = draw.choices(list(MANNERS), list(MANNERS.values()))
                        running.add(pool.submit(application.call, id(episode.mix_at(step)), model, manner))
                if step % STEPS_PER_BATCH == 0:
                    running.add(pool.submit(application.read_batch))
            while len(running) > episode.at_once:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
            if step == episode.steps:
                for one in running:
                    one.result()
            for export in exports:
                export.write(now)
    for export in exports:
        export.close()
    for name, rows in (("traces", clock.rows), ("logs", journal.rows)):
        (folder / f"{job}.{name}.json").write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    threading.excepthook = lambda args: None
    run(EPISODES[sys.argv[1]], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
