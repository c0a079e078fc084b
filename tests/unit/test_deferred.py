# SPDX-License-Identifier: Apache-2.0
"""Sums and points that are added without a lock, and reach an export exactly once all the same.

The two assumptions of `signals/deferred.py` about the OpenTelemetry SDK are tested with that SDK.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import SpanContext, TraceFlags, get_current_span

from after200 import locks, names
from after200.signals import deferred
from after200.signals.deferred import FOLD_AT, NO_CONTEXT, WAITING, Deferred, Points, Sum, context_of

from ..support.held import held
from ..support.patience import PATIENCE_S

A, B, C = (("a", 1),), (("a", 2),), (("a", 3),)


def sums(total: Sum) -> dict[str, float]:
    """Returns what an instrument would report."""
    return {
        ",".join(f"{name}={value}" for name, value in (found.attributes or {}).items()): found.value
        for found in total.observe(CallbackOptions())
    }


# --- sums ---


def test_a_sum_is_reported_for_each_set_of_attributes() -> None:
    total = Sum()
    for key, amount in [(A, 2), (A, 3), (B, 1), (C, 0), (B, -1)]:
        total.add(key, amount)
    assert {"a=1": 5, "a=2": 0, "a=3": 0} == sums(total)
    assert {"a=1": 5, "a=2": 0, "a=3": 0} == sums(total)


def test_an_addition_is_one_unless_it_says_how_many() -> None:
    total = Sum()
    total.add(())
    assert {"": 1} == sums(total)


def test_nothing_that_many_threads_add_is_lost_while_others_read() -> None:
    total, threads, times = Sum(), 4, 3 * FOLD_AT
    start, done = threading.Barrier(threads + 1), threading.Event()
    seen: list[float] = [0]

    def add() -> None:
        start.wait(PATIENCE_S)
        for number in range(times):
            total.add((A, B, C)[number % 3])

    def read() -> None:
        start.wait(PATIENCE_S)
        while not done.is_set():
            seen.append(sum(sums(total).values()))

    adders = [threading.Thread(target=add) for _ in range(threads)]
    reader = threading.Thread(target=read)
    for thread in (*adders, reader):
        thread.start()
    for thread in adders:
        thread.join(PATIENCE_S)
    done.set()
    reader.join(PATIENCE_S)
    assert {"a=1": 4000, "a=2": 4000, "a=3": 4000} == sums(total)
    assert sorted(seen) == seen


def test_what_waits_to_be_added_up_does_not_grow_without_bounds_when_nobody_reads() -> None:
    total = Sum()
    for number in range(5 * FOLD_AT):
        total.add(())
        if number % 100 == 98:
            assert held(total) < 66 * FOLD_AT
    assert {"": 5 * FOLD_AT} == sums(total)


def test_who_holds_the_lock_does_not_hold_up_who_adds() -> None:
    """A finalizer can add in the middle of the very addition, or observation, that it interrupts."""
    total = Sum()

    class Interrupting(str):
        """A value of an attribute that, whenever it is looked up, is interrupted by a finalizer which adds a lot."""

        def __hash__(self) -> int:
            if not interrupted:
                interrupted.append(True)
                for _ in range(FOLD_AT + 5):
                    total.add(())
            return super().__hash__()

    interrupted: list[bool] = []
    total.add((("a", Interrupting("b")),))
    reader = threading.Thread(target=total.observe, args=[CallbackOptions()], daemon=True)
    reader.start()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert {"": FOLD_AT + 5, "a=b": 1} == sums(total)


# --- points ---


class Histogram:
    """Keeps what is recorded, with the trace that an exemplar would have."""

    def __init__(self) -> None:
        self.recorded: list[tuple[float, dict[str, Any], int]] = []
        self.threads: set[int] = set()

    def record(self, value: float, attributes: dict[str, Any], context: Any) -> None:
        self.threads.add(threading.get_ident())
        self.recorded.append((value, attributes, get_current_span(context).get_span_context().trace_id))


def test_points_are_recorded_in_their_order_each_in_the_context_of_its_span() -> None:
    points, histogram = Points(), Histogram()
    points.add(histogram, 1.0, {"a": 1}, context_of(SpanContext(0xABC, 0xDEF, False, TraceFlags(1))))
    points.add(histogram, 2.0, {"a": 2}, NO_CONTEXT)
    assert [] == histogram.recorded
    points.record()
    points.record()
    assert [(1.0, {"a": 1}, 0xABC), (2.0, {"a": 2}, 0)] == histogram.recorded


def test_a_histogram_that_raises_keeps_back_no_point_but_its_own() -> None:
    class Broken(Histogram):
        def record(self, *point: Any) -> None:
            raise RuntimeError("broken")

    points, histogram = Points(), Histogram()
    for found in (Broken(), histogram, Broken(), histogram):
        points.add(found, 1.0, {}, NO_CONTEXT)  # type: ignore[arg-type]
    points.record()
    assert 2 == len(histogram.recorded)
    assert not points._waiting


def test_points_that_nobody_collects_are_worked_off_in_another_thread_and_none_is_lost() -> None:
    """A call must never wait for a lock of OpenTelemetry's: in a forked process, it may be held for ever."""
    points, histogram, adding = Points(), Histogram(), threading.get_ident()
    for number in range(3 * WAITING):
        points.add(histogram, number, {}, NO_CONTEXT)
    points._recording.wait(PATIENCE_S)
    assert len(histogram.recorded) > WAITING
    assert {adding} & histogram.threads == set()
    points.record()
    assert [*range(3 * WAITING)] == [value for value, _, _ in histogram.recorded]


def test_points_that_cannot_be_recorded_are_bounded_and_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deferred, "WAITING", 10)
    monkeypatch.setattr(deferred, "MOST_WAITING", 50)

    class Held(Histogram):
        """As one whose lock somebody holds."""

        def record(self, value: float, attributes: dict[str, Any], context: Any) -> None:
            is_held.set()
            let_go.wait(PATIENCE_S)
            super().record(value, attributes, context)

    points, histogram, is_held, let_go = Points(), Held(), threading.Event(), threading.Event()
    for number in range(20):
        points.add(histogram, number, {}, NO_CONTEXT)
    assert is_held.wait(PATIENCE_S)
    for number in range(20, 200):
        points.add(histogram, number, {}, NO_CONTEXT)
    assert 50 == len(points._waiting)
    assert [deferred.OLDEST_DROPPED] == [record.getMessage() for record in caplog.records]
    let_go.set()
    points._recording.wait(PATIENCE_S)
    points.record()
    assert [*range(150, 200)] == [value for value, _, _ in histogram.recorded][-50:]


def test_a_point_that_is_added_while_points_are_recorded_waits_for_the_next_time() -> None:
    class Adding(Histogram):
        def record(self, value: float, attributes: dict[str, Any], context: Any) -> None:
            super().record(value, attributes, context)
            points.add(self, value + 1, {}, NO_CONTEXT)

    points, histogram = Points(), Adding()
    points.add(histogram, 1, {}, NO_CONTEXT)
    points.record()
    points.record()
    assert [1, 2] == [value for value, _, _ in histogram.recorded]


# --- a process that is forked ---


def test_after_a_fork_a_counter_goes_on_from_what_was_reported_and_all_else_is_the_parent_s() -> None:
    """The reader is copied by the fork: it must neither see a sum fall, nor report twice what the parent reports."""
    counter, gauge, points, histogram = Sum(), Sum(only_grows=False), Points(), Histogram()
    for total in (counter, gauge):
        total.add(A, 5)
        total.observe(CallbackOptions())
        total.add(A, 3)
        total.add(B, 2)
    points.add(histogram, 1.0, {}, NO_CONTEXT)
    deferred.start_anew()
    points.record()
    assert [] == histogram.recorded
    assert {"a=1": 5, "a=2": 0} == sums(counter)
    assert {"a=1": 0, "a=2": 0} == sums(gauge)
    counter.add(A, 1)
    gauge.add(A, 1)
    assert {"a=1": 6, "a=2": 0} == sums(counter)
    assert {"a=1": 1, "a=2": 0} == sums(gauge)


def test_after_a_fork_nobody_waits_for_a_thread_of_the_parent_that_was_adding_up() -> None:
    counter, is_adding_up, may_go_on = Sum(), threading.Event(), threading.Event()

    class Slow(str):
        """A value of an attribute that takes long to look up."""

        def __hash__(self) -> int:
            is_adding_up.set()
            may_go_on.wait(PATIENCE_S)
            return super().__hash__()

    counter.add((("a", Slow("b")),))
    parent = threading.Thread(target=counter.observe, args=[CallbackOptions()])
    parent.start()
    assert is_adding_up.wait(PATIENCE_S)
    locks.after_fork()
    seen: list[dict[str, float]] = []
    child = threading.Thread(target=lambda: seen.append(sums(counter)), daemon=True)
    child.start()
    child.join(PATIENCE_S)
    may_go_on.set()
    parent.join(PATIENCE_S)
    assert [{}] == seen


def test_a_counter_that_nobody_has_read_starts_anew_at_zero() -> None:
    total = Sum()
    total.add(A, 5)
    total.start_anew()
    assert {"a=1": 0} == sums(total)


# --- the OpenTelemetry SDK ---

Reported = dict[str, list[tuple[dict[str, Any], float]]]


class Setup:
    """A meter provider with a reader, and what we create on it."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], exemplar_filter=AlwaysOnExemplarFilter(), shutdown_on_exit=False)
        self.meter = self.provider.get_meter("test")
        self.deferred = Deferred()

    def histogram(self, name: str = "latency") -> Any:
        return self.meter.create_histogram(name)

    def export(self) -> Reported:
        """Returns each metric's points of one export: their attributes, and their sum. Fails instead of hanging."""
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(self.reader.get_metrics_data()), daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "collecting holds a lock that recording needs"
        data = found[0]
        return {
            metric.name: [
                (dict(point.attributes), point.sum if hasattr(point, "sum") else point.value)
                for point in metric.data.data_points
            ]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def setup() -> Iterator[Setup]:
    setup = Setup()
    yield setup
    setup.provider.shutdown()


@pytest.mark.parametrize("histogram_first", [True, False])
def test_a_point_leaves_with_the_export_that_asks_for_it_whichever_instrument_was_created_first(
    setup: Setup, histogram_first: bool
) -> None:
    """Assumption 1: observable instruments are asked before synchronous ones are collected."""
    histogram = setup.histogram() if histogram_first else None
    total = setup.deferred.sum(setup.meter, names.CALLS)
    histogram = histogram or setup.histogram()
    for number in (1, 2, 3):
        total.add(A)
        setup.deferred.points.add(histogram, 10.0, {"a": 1}, None)
        expected: Reported = {"after200.calls": [({"a": 1}, number)], "latency": [({"a": 1}, 10.0 * number)]}
        assert expected == setup.export()


def test_callbacks_are_called_in_the_order_in_which_their_instruments_were_created(setup: Setup) -> None:
    """Assumption 1: what the first one works off is in what the later ones report."""
    order: list[str] = []
    first = setup.deferred.sum(setup.meter, names.CALLS)
    later = setup.deferred.sum(setup.meter, names.ATTEMPTS)

    def asked(name: str) -> Any:
        def callback(options: CallbackOptions) -> list[Observation]:
            order.append(name)
            return []

        return callback

    for name in ("b", "a", "c"):
        setup.meter.create_observable_counter(name, callbacks=[asked(name)])

    def before_collection() -> None:
        order.append("before")
        first.add(A)
        later.add(A)

    setup.deferred.before_collection = before_collection
    assert {"after200.calls": [({"a": 1}, 1)], "after200.attempts": [({"a": 1}, 1)]} == setup.export()
    assert ["before", "b", "a", "c"] == order


def test_a_callback_may_record_to_a_synchronous_instrument(setup: Setup) -> None:
    """Assumption 2: to any kind of one, and in any number."""
    histogram = setup.histogram()
    counter = setup.meter.create_counter("count")
    setup.deferred.sum(setup.meter, names.CALLS)

    def before_collection() -> None:
        counter.add(1)
        for number in range(100):
            histogram.record(1, {"n": number % 10})

    setup.deferred.before_collection = before_collection
    found = setup.export()
    assert [({}, 1)] == found["count"]
    assert [({"n": number}, 10) for number in range(10)] == sorted(found["latency"], key=lambda point: point[0]["n"])


def test_an_exemplar_is_of_the_call_and_not_of_whoever_collects(setup: Setup) -> None:
    setup.deferred.sum(setup.meter, names.CALLS)
    histogram = setup.histogram()
    setup.deferred.points.add(histogram, 1.0, {}, context_of(SpanContext(0xABC, 0xDEF, False, TraceFlags(1))))
    data = setup.reader.get_metrics_data()
    assert data is not None
    exemplars = [
        exemplar
        for scope in data.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        for exemplar in point.exemplars
        if metric.name == "latency"
    ]
    assert [(1.0, 0xABC, 0xDEF)] == [(found.value, found.trace_id, found.span_id) for found in exemplars]


def test_points_are_recorded_when_what_is_called_before_a_collection_raises_too(setup: Setup) -> None:
    setup.deferred.sum(setup.meter, names.CALLS)
    histogram = setup.histogram()
    setup.deferred.points.add(histogram, 1.0, {}, NO_CONTEXT)

    def before_collection() -> None:
        raise RuntimeError("a fault of ours")

    setup.deferred.before_collection = before_collection
    assert [({}, 1.0)] == setup.export().get("latency")


def test_many_readers_see_the_same_sums() -> None:
    readers = [InMemoryMetricReader(), InMemoryMetricReader()]
    provider = MeterProvider(readers, shutdown_on_exit=False)
    total = Deferred().sum(provider.get_meter("test"), names.CALLS)
    total.add(A, 5)
    for reader in (*readers, *readers):
        data = reader.get_metrics_data()
        assert data is not None
        points = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
        assert [5] == [point.value for point in points]
    provider.shutdown()
