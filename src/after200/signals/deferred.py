# SPDX-License-Identifier: Apache-2.0
"""Queues what a call adds to the metrics and records it when they are collected, to keep the cost of a call low.

Sums are reported by observable instruments when these are asked. Points of histograms wait in a queue that is recorded
when the first of our observable instruments is asked, in the thread that collects.

This file relies on two things that the OpenTelemetry API does not promise, and that tests check on the oldest and the
newest SDK (`tests/unit/test_deferred.py`):

1. `MeterProvider` calls the callbacks of observable instruments, in the order of their creation, before it collects
   the synchronous instruments of the same export. Otherwise a point leaves with the next export.
2. A callback may record to a synchronous instrument: collecting holds no lock that recording needs.

Adding takes no lock. A finalizer of the application's may close a stream at any allocation, in a thread that holds any
lock; and a process that was forked during a collection has locks of OpenTelemetry's that nobody releases. What waits is
bounded: where nobody collects, a short-lived thread works it off (`background.py`).

Sums cost a fraction of what synchronous counters would. Points cost the same as if they were recorded at once; they
wait only because recording takes a lock. Both were measured (`docs/cost.md`).
"""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, set_span_in_context
from opentelemetry.util.types import Attributes, AttributeValue

from ..background import Background
from ..guard import guarded, report_fault, warn_once
from ..locks import Lock, in_child
from ..names import Metric

FOLD_AT: Final = 1000
"""How many additions wait before they are added up, if nobody reads the sums."""

WAITING: Final = 2000
"""How many points wait to be recorded, if nobody collects."""

MOST_WAITING: Final = 10 * WAITING
"""How many points wait if recording them does not come to its end. Then the oldest are dropped."""

OLDEST_DROPPED: Final = (
    "Points of histograms wait longer than OpenTelemetry should take to record them: the oldest are dropped."
)

NO_CONTEXT: Final = set_span_in_context(INVALID_SPAN, Context())
"""The context of a point that belongs to no span: without one, an exemplar takes the span of whoever collects."""

Key = tuple[tuple[str, AttributeValue], ...]
"""A set of attributes that can be the key of a sum: pairs of a name and a value."""

_all: Final[weakref.WeakSet[Sum | Points]] = weakref.WeakSet()


@in_child
def start_anew() -> None:
    """In a process that has just been forked: what waits, and what is under way, is the parent's to report."""
    for kept in list(_all):
        kept.start_anew()


class Deferred:
    """The sums and the points of one meter provider."""

    def __init__(self, owner: object = None) -> None:
        """`owner` lives as long as the instruments, whose callbacks hold this object."""
        self._owner = owner
        self.points = Points()
        self.before_collection: Callable[[], None] | None = None
        """Called each time before anything is collected."""
        self._first = True

    def sum(self, meter: Meter, metric: Metric) -> Sum:
        """Returns a sum that an observable instrument for `metric` reports."""
        total = Sum(only_grows=metric.kind == "counter")
        callbacks = [total.observe]
        if self._first:
            self._first = False
            callbacks.insert(0, self._work_off)
        create = getattr(meter, f"create_observable_{metric.kind}")
        create(metric.name, callbacks=callbacks, unit=metric.unit, description=metric.description)
        return total

    def _work_off(self, options: CallbackOptions) -> Iterable[Observation]:
        """Callback that observes nothing: points that are recorded now leave with the same export."""
        if self.before_collection is not None:
            guarded(self.before_collection)()
        guarded(self.points.record)()
        return ()


class Sum:
    """A sum for each set of attributes."""

    def __init__(self, *, only_grows: bool = True) -> None:
        """`only_grows`: it counts what happened, and not what there is just now."""
        self._only_grows = only_grows
        self._waiting: deque[tuple[Key, float]] = deque()
        self._sums: dict[Key, float] = {}
        self._reported: dict[Key, float] = {}
        self._folding = Lock()
        _all.add(self)

    def start_anew(self) -> None:
        """After a fork: continues from the last exported value, because the forked reader does too; else from zero."""
        keys = [*self._sums, *(key for key, _ in self._waiting)]
        self._waiting.clear()
        self._sums = {key: self._reported.get(key, 0) if self._only_grows else 0 for key in keys}

    def add(self, key: Key, amount: float = 1) -> None:
        """Adds `amount` to the sum of the attributes in `key`."""
        self._waiting.append((key, amount))
        if len(self._waiting) >= FOLD_AT and self._folding.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._folding.release()

    def observe(self, options: CallbackOptions) -> Iterable[Observation]:
        """Returns every sum, for the callback of the instrument."""
        with self._folding:
            self._fold()
            self._reported = sums = dict(self._sums)
        return [Observation(total, dict(key), NO_CONTEXT) for key, total in sums.items()]

    def _fold(self) -> None:
        # Only what waits now: a queue that is added to all the time must not hold this up for ever.
        for _ in range(len(self._waiting)):
            key, amount = self._waiting.popleft()
            self._sums[key] = self._sums.get(key, 0) + amount


class Points:
    """Points of histograms that wait to be recorded."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Histogram, float, Attributes, Context]] = deque()
        self._recording = Background(self.record, self._are_many)
        self._is_copy = False
        """Whether this process got its histograms by a fork: then their locks may be held for ever."""
        _all.add(self)

    def start_anew(self) -> None:
        """Drops what waits."""
        self._is_copy = True
        self._waiting.clear()
        self._recording.start_anew()

    def add_at_once(self, histogram: Histogram, value: float, attributes: Attributes, context: Context) -> None:
        """Records a point of which there is one for each chunk: what waits must not grow with the stream."""
        if self._is_copy:
            self.add(histogram, value, attributes, context)
        else:
            histogram.record(value, attributes, context)

    def add(self, histogram: Histogram, value: float, attributes: Attributes, context: Context) -> None:
        """Adds `value` for `histogram`, measured in `context`. Nobody may change `attributes` later."""
        self._waiting.append((histogram, value, attributes, context))
        if len(self._waiting) > WAITING:  # `_are_many`, without a call of a function for each point
            self._recording.wake()
            if len(self._waiting) > MOST_WAITING:
                self._drop_oldest()

    def _are_many(self) -> bool:
        return len(self._waiting) > WAITING

    def _drop_oldest(self) -> None:
        warn_once("points", OLDEST_DROPPED)
        with contextlib.suppress(IndexError):  # Another thread was faster.
            self._waiting.popleft()

    def record(self) -> None:
        """Records what waits now, the oldest first."""
        for _ in range(len(self._waiting)):
            try:
                histogram, value, attributes, context = self._waiting.popleft()
            except IndexError:  # Another thread was faster.
                return
            try:
                histogram.record(value, attributes, context)
            except Exception as fault:  # A histogram that raises keeps back no point but its own.
                report_fault(f"{__name__}.Points.record", fault)


def context_of(span: SpanContext | None) -> Context:
    """Returns the context that an exemplar takes its trace from. It holds on to nothing of the application's."""
    return NO_CONTEXT if span is None else set_span_in_context(NonRecordingSpan(span), Context())
