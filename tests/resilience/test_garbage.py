# SPDX-License-Identifier: Apache-2.0
"""The garbage collector finds abandoned streams wherever it likes: also while OpenTelemetry holds its locks."""

from __future__ import annotations

import faulthandler
import gc
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from after200.faults import FaultServer

from ..support import warm
from ..support.in_memory.answers import ANSWERS, Nothing
from ..support.in_memory.application import REQUEST
from ..support.in_memory.transport import Transport, client
from ..support.patience import PATIENCE_S
from ..support.telemetry import Telemetry
from .watching import Logged

THREADS = 8
STREAMS = 100

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def collecting_all_the_time() -> Iterator[None]:
    """The collector runs at nearly every allocation. A deadlock ends the process, with the stacks of all threads."""
    before = gc.get_threshold()
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
    gc.collect()
    gc.freeze()
    gc.set_threshold(3, 2, 2)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    faulthandler.cancel_dump_traceback_later()


def abandon(streams: int) -> None:
    """Opens streams, reads the first event of each, and leaves them in cycles."""
    with_client = client("Anthropic", Transport(ANSWERS[0], Nothing()), asynchronous=False)
    for _ in range(streams):
        cycle: list[Any] = [with_client.messages.create(**REQUEST, stream=True)]
        next(cycle[0])
        cycle.append(cycle)


@pytest.mark.usefixtures("collecting_all_the_time")
def test_streams_that_the_collector_finds_at_any_time_are_each_counted_once(
    telemetry: Telemetry, logged: Logged
) -> None:
    done = threading.Event()

    def collect_metrics() -> None:
        while not done.is_set():
            telemetry.all_points()

    with telemetry.instrumented():
        reader = threading.Thread(target=collect_metrics)
        threads = [threading.Thread(target=abandon, args=(STREAMS,)) for _ in range(THREADS)]
        for thread in (reader, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        reader.join()
        gc.collect()
        # An end that had to wait waits for the next call.
        with_client = client("Anthropic", Transport(ANSWERS[0], Nothing()), asynchronous=False)
        list(with_client.messages.create(**REQUEST, stream=True))
    assert THREADS * STREAMS == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})
    assert THREADS * STREAMS + 1 == telemetry.total("after200.calls")
    assert 0 == telemetry.total("after200.streams.open")
    assert [] == telemetry.open_spans
    assert [] == logged.messages


class Collecting(SpanProcessor):
    """Collects the garbage in the middle of OpenTelemetry, in the thread that holds its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.collected = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        pass

    def on_end(self, span: ReadableSpan) -> None:
        with self.lock:
            gc.collect()
            self.collected += 1


def test_a_stream_that_is_found_while_a_span_ends_is_ended_after_that(telemetry: Telemetry, logged: Logged) -> None:
    """`on_end` takes a lock that is not reentrant: to end another span in there would wait for ever."""
    processor = Collecting()
    telemetry.tracer_provider.add_span_processor(processor)
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
    try:
        with telemetry.instrumented():
            gc.disable()
            abandon(3)
            with_client = client("Anthropic", Transport(ANSWERS[0], Nothing()), asynchronous=False)
            list(with_client.messages.create(**REQUEST, stream=True))
            gc.enable()
            # The three were found when the span of the fourth call ended.
            list(with_client.messages.create(**REQUEST, stream=True))
    finally:
        gc.enable()
        faulthandler.cancel_dump_traceback_later()
    assert 3 == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})
    assert 5 == processor.collected
    assert [] == telemetry.open_spans
    assert [] == logged.messages


COLLECTED_BY_THE_EXPORTER = """
import atexit, gc, json, sys
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

class Collecting(SpanExporter):
    def __init__(self):
        self.outcomes = []

    def export(self, spans):
        gc.collect()
        self.outcomes += [span.attributes["after200.outcome"] for span in spans]
        return SpanExportResult.SUCCESS

def report():
    [resource] = reader.get_metrics_data().resource_metrics
    points = {}
    for metric in resource.scope_metrics[0].metrics:
        for point in metric.data.data_points if metric.name == "after200.calls" else ():
            outcome = point.attributes["after200.outcome"]
            points[outcome] = points.get(outcome, 0) + point.value
    points = {outcome: value for outcome, value in points.items() if value}
    print(json.dumps({"points": points, "spans": sorted(exporter.outcomes)}))

atexit.register(report)  # What is registered first runs last.
exporter, reader = Collecting(), InMemoryMetricReader()
tracer_provider = TracerProvider()
tracer_provider.add_span_processor(BatchSpanProcessor(exporter))
import anthropic
from after200 import AnthropicInstrumentor
AnthropicInstrumentor().instrument(
    tracer_provider=tracer_provider,
    meter_provider=MeterProvider([reader], shutdown_on_exit=False),
    spans="own",
    skip_dep_check=True,
)
client = anthropic.Anthropic(api_key="none", base_url=sys.argv[1])
request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}], "stream": True}
gc.disable()

def drop_in_a_cycle():
    stream = client.messages.create(**request)
    next(stream)
    stream.itself = stream

drop_in_a_cycle()
list(client.messages.create(**request))
tracer_provider.force_flush()  # The exporter's thread finds the stream, and nothing is called any more.
if sys.argv[2] == "collection":
    reader.get_metrics_data()
    tracer_provider.force_flush()
    assert "abandoned" in exporter.outcomes
"""


@pytest.mark.parametrize("ended_by", ["collection", "exit"])
def test_a_stream_that_the_exporter_s_thread_finds_is_recorded_though_nothing_is_called_any_more(
    ended_by: str, server: FaultServer
) -> None:
    arguments = ["-c", COLLECTED_BY_THE_EXPORTER, server.base_url("completed"), ended_by]
    done = warm.run(arguments)
    assert (0, "") == (done.returncode, done.stderr)
    assert {"points": {"abandoned": 1, "completed": 1}, "spans": ["abandoned", "completed"]} == json.loads(done.stdout)
