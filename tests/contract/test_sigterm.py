# SPDX-License-Identifier: Apache-2.0
"""`flush_on_sigterm`: a process that gets SIGTERM ends by it as ever, and what it has recorded is exported before.

Each process says when it can be sent the signal, and prints what its exporters get.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from types import FrameType
from typing import Any, TextIO

import pytest

from after200 import AnthropicInstrumentor, sigterm
from after200.faults import FaultServer

from ..support import warm

LIMIT = 60
"""After how many seconds a process is taken for one that hangs."""

PROGRAM = """
    import os, signal, sys, threading, time
    import anthropic
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from after200 import AnthropicInstrumentor

    how = os.environ["HOW"]

    def say(*what):
        os.write(1, (" ".join(map(str, what)) + "\\n").encode())

    class Spans(SpanExporter):
        def export(self, spans):
            if how == "hanging exporter":
                say("hangs")
                threading.Event().wait()
            say("spans", sorted(filter(None, (span.attributes.get("after200.outcome") for span in spans))))
            return SpanExportResult.SUCCESS

    class Metrics(MetricExporter):
        def export(self, data, timeout_millis=0, **_):
            say("calls", sorted(
                (point.attributes["after200.outcome"], point.value)
                for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
                if metric.name == "after200.calls" for point in metric.data.data_points if point.value
            ))
            return MetricExportResult.SUCCESS

        def force_flush(self, timeout_millis=0): return True
        def shutdown(self, timeout_millis=0, **_): pass

    def instrument():
        AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True, flush_on_sigterm=True)

    if how == "handler of its own":
        signal.signal(signal.SIGTERM, lambda *_: [say("handled"), os._exit(7)])
    if how == "handler before, default later":
        signal.signal(signal.SIGTERM, lambda *_: say("never"))
    if how == "another thread":
        thread = threading.Thread(target=instrument)
        thread.start()
        thread.join()
    else:
        instrument()
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(BatchSpanProcessor(Spans(), schedule_delay_millis=3_600_000))
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(Metrics(), 3_600_000)]))

    def call():
        return client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}], stream=True
        )

    client = anthropic.Anthropic(api_key="none", base_url=os.environ["URL"])
    list(call())
    held = call()
    next(held)
    if how == "server":
        # As uvicorn does: a handler for its time, then the one before it, and the signal once more.
        came = []
        before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
        say("ready")
        while not came:
            time.sleep(0.01)
        signal.signal(signal.SIGTERM, before)
        signal.raise_signal(signal.SIGTERM)
    if how == "handler before, default later":
        # As gunicorn's worker of uvicorn does with the handler that it has from its parent.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if how == "handler later, default in the end":
        # As an event loop does with a handler that it is asked to remove.
        signal.signal(signal.SIGTERM, lambda *_: say("never"))
        signal.signal(signal.SIGTERM, 0)
    if how == "recording":
        # The signal comes while the main thread exports, and so holds the lock that flushing needs.
        class Waiting(Spans):
            def export(self, spans):
                if not came:
                    say("ready")
                while not came:
                    time.sleep(0.01)
                return super().export(spans)
        came = []
        install = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, lambda *given: [install(*given), came.append(given)])
        tracer_provider.add_span_processor(BatchSpanProcessor(Waiting(), schedule_delay_millis=3_600_000))
        list(call())
        tracer_provider.force_flush()
    if how == "reading":
        for number, _ in enumerate(client.copy(base_url=os.environ["SLOW"]).messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}], stream=True
        )):
            if not number:
                say("ready")
    say("ready")
    while True:
        time.sleep(0.01)  # Not `signal.pause()`: it waits for ever for a signal that came just before it.
"""
BOTH = ["calls [('abandoned', 1), ('completed', 1)]", "spans ['abandoned', 'completed']"]


@contextmanager
def started(program: str, **environment: str) -> Iterator[tuple[warm.Program, TextIO, TextIO]]:
    """The program, what it prints, to be read while it runs, and what it writes to standard error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
    reading, writing = os.pipe()
    with open(os.devnull) as nothing, open(reading) as printed, tempfile.TemporaryFile("w+") as errors:
        with open(writing, "w") as out:
            arguments = ["-c", textwrap.dedent(program)]
            process = warm.start(arguments, (nothing, out, errors), {**inherited, **environment})
        with process:
            hang = threading.Timer(LIMIT, process.send_signal, [signal.SIGKILL])
            hang.start()
            try:
                yield process, printed, errors
            finally:
                hang.cancel()


def rest(process: warm.Program, printed: TextIO, errors: TextIO) -> tuple[str, str, int]:
    """What the program prints until it ends, what it has written to standard error, and the status of its exit."""
    found, status = printed.read(), process.wait()
    errors.seek(0)
    return found, errors.read(), status


def ended_by_sigterm(how: str, server: FaultServer) -> tuple[list[str], str, int]:
    """Returns what the program printed, sorted, and what it wrote to standard error, and the status of its exit."""
    urls = {"URL": server.base_url("completed"), "SLOW": server.base_url("stall_mid_stream")}
    with started(PROGRAM, HOW=how, **urls) as (process, printed, errors):
        before = list(takewhile(lambda line: line != "ready\n", printed))
        process.send_signal(signal.SIGTERM)
        after, said, status = rest(process, printed, errors)
        # A main thread that may go on for a moment can say once more that it is ready.
        found = [line for line in [*map(str.strip, before), *after.splitlines()] if line != "ready"]
        return sorted(found), said, status


@pytest.mark.parametrize(
    ("how", "expected", "status"),
    [
        ("plain", BOTH, -signal.SIGTERM),
        ("server", BOTH, -signal.SIGTERM),
        ("handler before, default later", BOTH, -signal.SIGTERM),
        ("handler later, default in the end", BOTH, -signal.SIGTERM),
        # Its second stream is the one that it was reading.
        (
            "reading",
            ["calls [('abandoned', 2), ('completed', 1)]", "spans ['abandoned', 'abandoned', 'completed']"],
            -signal.SIGTERM,
        ),
        ("handler of its own", ["handled"], 7),
        ("hanging exporter", ["calls [('abandoned', 1), ('completed', 1)]", "hangs"], -signal.SIGTERM),
    ],
)
def test_what_was_recorded_leaves_the_process_before_sigterm_ends_it(
    how: str, expected: list[str], status: int, server: FaultServer
) -> None:
    assert (expected, "", status) == ended_by_sigterm(how, server)


def test_a_main_thread_that_exports_may_end_that_before_everything_is_flushed(server: FaultServer) -> None:
    found, errors, status = ended_by_sigterm("recording", server)
    assert ("", -signal.SIGTERM) == (errors, status)
    # Two exporters, of which the second was added later; it is the one that is held up.
    assert [
        "calls [('abandoned', 1), ('completed', 2)]",
        "spans ['abandoned']",
        "spans ['abandoned']",
        "spans ['completed', 'completed']",
        "spans ['completed']",
    ] == found


def test_a_process_that_is_instrumented_in_another_thread_is_warned_and_ends_as_ever(server: FaultServer) -> None:
    printed, errors, status = ended_by_sigterm("another thread", server)
    assert ([], -signal.SIGTERM) == (printed, status)
    assert errors.startswith("flush_on_sigterm has no effect: instrument() was not called in the main thread")


def test_uninstrumenting_gives_the_signal_its_default_action_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.signal
    assert signal.SIG_DFL == before[0]
    AnthropicInstrumentor().instrument(skip_dep_check=True, flush_on_sigterm=True)
    try:
        ours = signal.getsignal(signal.SIGTERM)
        assert before[0] != ours
        assert ours == signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.SIG_IGN == signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert ours == signal.getsignal(signal.SIGTERM)
        with pytest.raises(TypeError):
            signal.signal("TERM", signal.SIG_DFL)  # type: ignore[arg-type]
    finally:
        AnthropicInstrumentor().uninstrument()
    assert before == (signal.getsignal(signal.SIGTERM), signal.signal)


def frame_in(module: str, function: Any = sys._getframe) -> FrameType | None:
    """Returns the frame of a function of `module` that runs a function of the standard library."""
    namespace: dict[str, Any] = {"__name__": module, "function": function, "frames": []}
    exec("def run(): frames.append(function())\nrun()", namespace)
    [frame] = namespace["frames"]
    return frame  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("application", False),
        ("anthropic._streaming", False),
        ("httpcore._sync", False),
        ("threading", False),
        ("after200.hooks.sdk.requests", True),
        ("after200.signals.recording", True),
        ("opentelemetry.context", True),
        ("opentelemetry.sdk.trace.export", True),
    ],
)
def test_the_main_thread_is_interrupted_only_where_it_holds_no_lock_of_the_recording(
    module: str, expected: bool
) -> None:
    assert expected == sigterm.records(frame_in(module))
