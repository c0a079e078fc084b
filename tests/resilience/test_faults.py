# SPDX-License-Identifier: Apache-2.0
"""A span that has ended already, a clock that goes backwards, and memory that runs out anywhere in the package."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Hashable, Iterator
from types import FrameType
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from after200.guard import reported

from ..support.in_memory.trace import Trace
from ..support.telemetry import Telemetry
from .watching import CALLS, Call, Logged, watch, watch_all

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class EndsAtOnce(SpanProcessor):
    """Ends each span when it starts, as an application can that asks for the current one."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        span.end()


def test_a_span_that_has_been_ended_by_somebody_else_is_left_alone(
    bare: list[Trace], telemetry: Telemetry, logged: Logged
) -> None:
    telemetry.tracer_provider.add_span_processor(EndsAtOnce())
    with telemetry.instrumented():
        assert bare == watch_all()
    # OpenTelemetry warns of each attribute that is set on a span that has ended, and of each that is ended again.
    assert [] == logged.messages
    assert len(CALLS) == len(telemetry.spans)
    assert len(CALLS) == telemetry.total("after200.calls")


@pytest.mark.parametrize("step", [-0.25, 0.0])
def test_a_clock_that_goes_backwards_or_stands_still_changes_nothing(
    step: float, bare: list[Trace], telemetry: Telemetry, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count(1000.0, step)
    for part in (
        "call.record",
        "following.attempts",
        "following.running",
        "following.dropped",
        "following.process_end",
        "hooks.sdk.wire_events",
        "signals.rate_limits",
    ):
        monkeypatch.setattr(f"after200.{part}.clock", lambda: next(times))
    with telemetry.instrumented():
        assert bare == watch_all()
    # A time below zero would not be recorded, and be warned of.
    assert len(CALLS) == telemetry.total("gen_ai.client.operation.duration")
    assert [] == logged.messages


# --- memory that runs out ---


class OutOfMemory:
    """Raises `MemoryError` where the package calls the `number`th of its own functions.

    A function that the application or the SDK calls is left out, and what closes their generators: where that cannot be
    called, it is not ours to save.
    """

    def __init__(self, number: int | None = None) -> None:
        self._number = number
        self.calls = 0
        self.place = ""

    def __enter__(self) -> OutOfMemory:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call" and self._counts(frame):
            self.calls += 1
            if self.calls - 1 == self._number:
                self.place = f"{frame.f_code.co_name}, called by {frame.f_back}"
                raise MemoryError("injected")
        return None

    def _counts(self, frame: FrameType) -> bool:
        name, caller = frame.f_globals.get("__name__", ""), frame.f_back
        if not name.startswith("after200.") or name == "after200.guard" or caller is None:
            return False
        if frame.f_code.co_name == "aclose":
            return False
        return str(caller.f_globals.get("__name__", "")).startswith("after200.")


def kinds(call: Call) -> Iterator[Hashable]:
    """What one call covers: each way of reading, and both kinds of clients."""
    _, surface, steps, asynchronous = call
    yield surface, steps
    yield asynchronous


@pytest.mark.variants(covers=kinds)
@pytest.mark.parametrize("call", CALLS[:24], ids=lambda call: f"{call[1]} {call[2]} {'async' if call[3] else 'sync'}")
def test_memory_that_runs_out_anywhere_in_the_package_changes_nothing(
    call: Call, telemetry: Telemetry, logged: Logged
) -> None:
    without = watch(call)
    with telemetry.instrumented():
        watch(call)
        gc.collect()  # The finalizers of streams that earlier tests left would be counted with this run's functions.
        telemetry.all_points()  # Collecting ends what was dropped, so every run has the same to do.
        gc.collect()  # What other tests left behind would be ended in this run, and be counted.
        with OutOfMemory() as all_of_it:
            assert without == watch(call)
        injected = 0
        for number in range(all_of_it.calls):
            logged.records.clear()
            reported.clear()
            with OutOfMemory(number) as fault:
                seen = watch(call)
            telemetry.all_points()  # What a finalizer raised is logged with the next collection.
            assert but_for_turns(without) == but_for_turns(seen), fault.place
            if fault.place:
                injected += 1
                assert 1 == len(logged.messages), fault.place
        # A run can call a few functions fewer than the one that was counted, which may have ended what others dropped.
        assert injected >= 0.9 * all_of_it.calls > 0


def but_for_turns(trace: Trace) -> Trace:
    """Without the turns of the event loop in which what was dropped is closed: that may take one more."""
    return [entry for entry in trace if entry[:2] != ("application", "turn")]
