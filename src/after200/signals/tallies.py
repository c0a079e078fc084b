# SPDX-License-Identifier: Apache-2.0
"""What a call adds to the metrics, kept until they are collected, so that the call pays next to nothing for it.

Counters are sums that an observable instrument reports when it is asked. Points of histograms wait in a queue that is
recorded at the same time, in the thread that collects. Adding takes no lock: the garbage collector may end a call at
any allocation, in a thread that holds any lock. What waits is bounded; where nobody collects, the calls work it off.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, set_span_in_context

from ..guard import guarded

FOLD_AT: Final = 1000
"""How many additions wait before they are folded, if nobody reads the sums."""

WAITING: Final = 2000
"""How many points wait to be recorded, if nobody collects."""

NO_CONTEXT: Final = set_span_in_context(INVALID_SPAN, Context())
"""What belongs to no span must say so: without a context, an exemplar takes the span of whoever collects."""

Key = tuple[tuple[str, Any], ...]


_all: Final[weakref.WeakSet[Tally | Points]] = weakref.WeakSet()


def start_anew() -> None:
    """In a process that has just been forked: what waits, and what is under way, is the parent's to report."""
    for kept in _all:
        kept.start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=guarded(start_anew))


class Tally:
    """A sum for each set of attributes. `lasting` says that it counts what happened, not what there is just now."""

    def __init__(self, *, lasting: bool = True) -> None:
        self._lasting = lasting
        self._waiting: deque[tuple[Key, int]] = deque()
        self._sums: dict[Key, int] = {}
        self._reported: dict[Key, int] = {}
        self._folding = threading.Lock()
        _all.add(self)

    def start_anew(self) -> None:
        """Goes on from what has been reported, as a reader that was copied with this does; else from zero."""
        self._folding = threading.Lock()
        keys = [*self._sums, *(key for key, _ in self._waiting)]
        self._waiting.clear()
        self._sums = {key: self._reported.get(key, 0) if self._lasting else 0 for key in keys}

    def add(self, key: Key, amount: int = 1) -> None:
        """Adds `amount` to the sum of the attributes in `key`."""
        self._waiting.append((key, amount))
        if len(self._waiting) >= FOLD_AT and self._folding.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._folding.release()

    def observe(self, options: CallbackOptions) -> Iterable[Observation]:
        """Every sum, for the instrument's callback."""
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
        self._waiting: deque[tuple[Any, float, dict[str, Any], SpanContext | None]] = deque()
        _all.add(self)

    def start_anew(self) -> None:
        self._waiting.clear()

    def add(self, histogram: Any, value: float, attributes: dict[str, Any], span: SpanContext | None) -> None:
        """`value` for `histogram`, measured in the context of `span`. `attributes` are not to be changed after."""
        self._waiting.append((histogram, value, attributes, span))
        if len(self._waiting) > WAITING:
            self.record(2)

    def record(self, most: int | None = None) -> None:
        """Records what waits, the oldest first."""
        for _ in range(len(self._waiting) if most is None else most):
            try:
                histogram, value, attributes, span = self._waiting.popleft()
            except IndexError:  # Another thread was faster.
                return
            histogram.record(value, attributes, NO_CONTEXT if span is None else context_of(span))


def context_of(span: SpanContext) -> Context:
    """The context that an exemplar takes its trace from. It holds on to nothing of the application's."""
    return set_span_in_context(NonRecordingSpan(span), Context())


def key_of(attributes: Mapping[str, Any]) -> Key:
    """The key of a sum with `attributes`; without those that have no value, since absent is absent."""
    return tuple((name, value) for name, value in attributes.items() if value is not None)
