# SPDX-License-Identifier: Apache-2.0
"""The machine of lives: `python -m tests.load.lives URL FIRST_SEED SEQUENCES` plays random lives of processes.

A life is a sequence of {instrument, uninstrument, set or reset the global providers, call, open, read on, close, drop,
collect, fork, thread ends, loop ends}, and its end: the exit of the process, or SIGTERM. Beside each process runs a
model, which says what every provider must export. Each life is a process of its own, forked from this one, which has
made the imports; so is each fork within a life. What is printed is one JSON object for each life that differs from its
model, hangs or dies, and the number of lives at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import json
import os
import random
import signal
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import anthropic
from opentelemetry import metrics, trace
from opentelemetry.metrics import _internal as metrics_internal
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.util._once import Once

from after200 import AnthropicInstrumentor

REQUEST: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
READ = {
    "completed": "completed",
    "overloaded_error_mid_stream": "failed",
    "end_without_message_stop": "truncated",
    "http_400": "failed",
}
NEVER = 3_600_000
HANGS_AFTER = 120
"""After how many seconds a process is taken for one that hangs."""

Counts = Counter[str]
TLS = ssl.create_default_context()


class Provider:
    """The providers that were set together, with exporters that write to the pipe of the life."""

    def __init__(self, number: int, out: int) -> None:
        self.number = number
        self.traces = TracerProvider()
        self.traces.add_span_processor(BatchSpanProcessor(Spans(number, out), schedule_delay_millis=NEVER))
        self.metrics = MeterProvider([PeriodicExportingMetricReader(Metrics(number, out), NEVER)])


def write(out: int, kind: str, number: int, value: Any) -> None:
    os.write(out, (json.dumps([kind, os.getpid(), number, value]) + "\n").encode())


class Spans(SpanExporter):
    """Writes the outcomes of spans."""

    def __init__(self, number: int, out: int) -> None:
        self._number, self._out = number, out

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcomes = [(span.attributes or {}).get("after200.outcome") for span in spans]
        write(self._out, "spans", self._number, [outcome for outcome in outcomes if outcome])
        return SpanExportResult.SUCCESS


class Metrics(MetricExporter):
    """Writes how many calls were counted, by outcome, and how many streams are open."""

    def __init__(self, number: int, out: int) -> None:
        super().__init__()
        self._number, self._out = number, out

    def export(self, metrics_data: Any, timeout_millis: float = 0, **kwargs: Any) -> MetricExportResult:
        counts: Counts = Counter()
        for resource in metrics_data.resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.data.data_points:
                    if metric.name == "after200.calls" and point.value:
                        counts[point.attributes["after200.outcome"]] += point.value
                    elif metric.name == "after200.streams.open":
                        counts["open"] += point.value
        write(self._out, "metrics", self._number, +counts)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 0, **kwargs: Any) -> None:
        pass


class Instruments:
    """The model of the metrics of one provider, or of the one that will be set."""

    def __init__(self) -> None:
        self.provider: Provider | None = None
        self.calls: Counts = Counter()


class Life:
    """One process and its model."""

    def __init__(self, url: str, seed: int, out: int) -> None:
        self.url, self.out = url, out
        self.random = random.Random(seed)
        self.steps_left = self.random.randint(5, 14)
        self.depth = 0
        self.providers: list[Provider] = []
        self.present: Provider | None = None
        """The providers that are global now."""
        self.waiting = Instruments()
        """The instruments that stand for those of the next provider that is set."""
        self.all_instruments = [self.waiting]
        self.instruments: Instruments | None = None
        """Those of the instrumentation that is on."""
        self.tracing: list[Provider | None] = [None]
        """The provider of the instrumentation's tracer, in a list that is shared with it; None while it waits."""
        self.flushes = False
        self.flushed: Provider | None = None
        """The provider that SIGTERM flushes; None stands for the one that is global then."""
        self.open: list[tuple[Any, Instruments | None, Provider | None]] = []
        self.spans: Counter[tuple[int, str]] = Counter()
        self.begin_process()

    def begin_process(self) -> None:
        signal.alarm(HANGS_AFTER)
        self.client = anthropic.Anthropic(
            api_key="none", max_retries=0, base_url=self.url, http_client=anthropic.DefaultHttpxClient(verify=TLS)
        )

    # --- the model of one call ---

    def begins(self) -> tuple[Instruments | None, Provider | None]:
        """A call begins. Returns who records it."""
        if self.instruments is None:
            return None, None
        if self.tracing[0] is None:
            self.tracing[0] = self.present
        return self.instruments, self.tracing[0]

    def ends(self, recorded_by: tuple[Instruments | None, Provider | None], outcome: str) -> None:
        instruments, provider = recorded_by
        if instruments is not None:
            instruments.calls[outcome] += 1
        if provider is not None:
            self.spans[provider.number, outcome] += 1

    # --- steps ---

    def instrument(self) -> None:
        if self.instruments is not None:
            return
        self.flushes = self.random.random() < 0.5
        AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True, flush_on_sigterm=self.flushes)
        self.tracing, self.flushed = [self.present], self.present
        if self.present is None:
            self.instruments = self.waiting
            return
        known = [each for each in self.all_instruments if each.provider is self.present]
        if not known:
            known = [Instruments()]
            known[0].provider = self.present
            self.all_instruments += known
        self.instruments = known[0]

    def uninstrument(self) -> None:
        if self.instruments is not None:
            AnthropicInstrumentor().uninstrument()
            self.instruments = None

    def set_providers(self) -> None:
        if self.present is None:
            self.present = self.waiting.provider = Provider(len(self.providers), self.out)
            self.providers.append(self.present)
            trace.set_tracer_provider(self.present.traces)
            metrics.set_meter_provider(self.present.metrics)

    def reset_providers(self) -> None:
        trace._TRACER_PROVIDER_SET_ONCE, trace._TRACER_PROVIDER = Once(), None
        metrics_internal._METER_PROVIDER_SET_ONCE, metrics_internal._METER_PROVIDER = Once(), None
        metrics_internal._PROXY_METER_PROVIDER = metrics_internal._ProxyMeterProvider()
        self.present, self.waiting = None, Instruments()
        self.all_instruments.append(self.waiting)

    def call(self) -> None:
        scenario, outcome = self.random.choice(list(READ.items()))
        recorded_by = self.begins()
        with contextlib.suppress(anthropic.APIError):
            list(self.client.copy(base_url=f"{self.url}/{scenario}").messages.create(**REQUEST))
        self.ends(recorded_by, outcome)

    def begin_stream(self) -> Any:
        stream = self.client.copy(base_url=f"{self.url}/completed").messages.create(**REQUEST)
        next(stream)
        return stream

    def open_stream(self) -> None:
        recorded_by = self.begins()
        self.open.append((self.begin_stream(), *recorded_by))

    def take_stream(self, outcome: str, end: Callable[[Any], object]) -> None:
        if self.open:
            stream, *recorded_by = self.open.pop(self.random.randrange(len(self.open)))
            end(stream)
            self.ends((recorded_by[0], recorded_by[1]), outcome)

    def read_on(self) -> None:
        self.take_stream("completed", list)

    def close(self) -> None:
        self.take_stream("closed", lambda stream: stream.close())

    def drop(self) -> None:
        self.take_stream("abandoned", id)

    def collect(self) -> None:
        for provider in self.providers:
            provider.metrics.force_flush()

    def collect_garbage(self) -> None:
        gc.collect()

    def thread_ends(self) -> None:
        recorded_by = self.begins()
        kept: list[Any] = []
        keep = self.random.random() < 0.5

        def work() -> None:
            stream = self.begin_stream()
            if keep:
                kept.append(stream)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if kept:
            self.open.append((kept.pop(), *recorded_by))
        else:
            self.ends(recorded_by, "abandoned")

    def loop_ends(self) -> None:
        recorded_by = self.begins()
        reads = self.random.random() < 0.5

        async def work() -> None:
            client = anthropic.AsyncAnthropic(
                api_key="none",
                max_retries=0,
                base_url=f"{self.url}/completed",
                http_client=anthropic.DefaultAsyncHttpxClient(verify=TLS),
            )
            stream = await client.messages.create(**REQUEST)
            await anext(stream)
            if reads:
                async for _ in stream:
                    pass

        asyncio.run(work())
        self.ends(recorded_by, "completed" if reads else "abandoned")

    def fork(self) -> None:
        if self.depth == 2:
            return
        child = os.fork()
        if child:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status not in (0, -signal.SIGTERM):
                raise RuntimeError(f"a forked process ended with {status}")
            return
        self.depth += 1
        self.steps_left = self.random.randint(1, 6)
        self.begin_process()
        # What the parent has and has not reported is its own; the streams are its own too.
        self.open.clear()
        self.spans.clear()
        for instruments in self.all_instruments:
            instruments.calls.clear()
        for provider in self.providers:
            write(self.out, "begins", provider.number, os.getppid())

    # --- the whole life ---

    STEPS: Sequence[tuple[Callable[[Life], None], int]] = ()

    def play(self) -> None:
        """Plays the life up to its end, in this process and in those that it forks."""
        steps, weights = zip(*self.STEPS, strict=True)
        while self.steps_left:
            self.steps_left -= 1
            [step] = self.random.choices(steps, weights)
            step(self)
        in_use = self.flushed or self.present
        by_signal = self.flushes and self.instruments is not None and self.random.random() < 0.6
        if by_signal:
            # The signal flushes the providers that are in use. The others are flushed, and their streams ended, here.
            kept = []
            for stream, instruments, provider in self.open:
                if instruments is not None and instruments.provider is in_use and provider is in_use:
                    kept.append((stream, instruments, provider))
                else:
                    stream.close()
                    self.ends((instruments, provider), "closed")
            self.open = kept
            self.collect()  # Before a collection, streams that were dropped are ended: their spans can leave then.
            for provider in self.providers:
                provider.traces.force_flush()
        for _, *recorded_by in self.open:
            self.ends((recorded_by[0], recorded_by[1]), "abandoned")
        for instruments in self.all_instruments:
            if instruments.provider is not None:
                spans = {
                    what: count for (number, what), count in self.spans.items() if number == instruments.provider.number
                }
                write(self.out, "expected", instruments.provider.number, [+instruments.calls, spans])
        if by_signal:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("SIGTERM does not end the process")


Life.STEPS = (
    (Life.instrument, 5),
    (Life.uninstrument, 1),
    (Life.set_providers, 4),
    (Life.reset_providers, 1),
    (Life.call, 3),
    (Life.open_stream, 4),
    (Life.read_on, 2),
    (Life.close, 1),
    (Life.drop, 2),
    (Life.collect, 2),
    (Life.collect_garbage, 1),
    (Life.thread_ends, 1),
    (Life.loop_ends, 1),
    (Life.fork, 1),
)


def differences(lines: Iterable[list[Any]]) -> list[Any]:
    """Returns where what was exported differs from what the models expect: process, provider, expected, found."""
    expected: dict[tuple[int, int], list[Any]] = {}
    spans: dict[tuple[int, int], Counts] = {}
    begin: dict[tuple[int, int], Counts] = {}
    last: dict[tuple[int, int], Counts] = {}
    for kind, process, number, value in lines:
        key = process, number
        if kind == "expected":
            expected[key] = value
        elif kind == "spans":
            spans.setdefault(key, Counter()).update(value)
        elif kind == "begins":
            # A forked process goes on from what its parent has reported.
            parent = value, number
            begin[key] = last.get(parent, begin.get(parent, Counter())).copy()
            del begin[key]["open"]
        else:
            last[key] = Counter(value)
    found = {}
    for key in expected:
        counted = last.get(key, Counter())
        counted.subtract(begin.get(key, Counter()))
        found[key] = [{what: count for what, count in counted.items() if count}, dict(spans.get(key, Counter()))]
    return [[*key, expected[key], found[key]] for key in expected if expected[key] != found[key]]


def main(url: str, first: int, sequences: int) -> None:
    faulthandler.register(signal.SIGALRM, chain=True)  # Says where each thread is; then the signal ends the process.
    failed = 0
    for seed in range(first, first + sequences):
        read_end, write_end = os.pipe()
        child = os.fork()
        if not child:
            os.close(read_end)
            Life(url, seed, write_end).play()
            return  # The exit of the process, with everything that Python does then.
        os.close(write_end)
        with os.fdopen(read_end) as lines:
            exported = [json.loads(line) for line in lines]
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found = differences(exported)
        if found or status not in (0, -signal.SIGTERM):
            failed += 1
            print(json.dumps({"seed": seed, "status": status, "differences": found}), flush=True)
    print(json.dumps({"lives": sequences, "failed": failed}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
