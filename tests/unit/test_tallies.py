# SPDX-License-Identifier: Apache-2.0
"""Sums that are added to without a lock, and are exact all the same."""

from __future__ import annotations

import threading

from opentelemetry.metrics import CallbackOptions

from after200.signals.tallies import FOLD_AT, Tally, key_of


def sums(tally: Tally) -> dict[str, float]:
    """What an instrument would report."""
    return {
        ",".join(f"{name}={value}" for name, value in (found.attributes or {}).items()): found.value
        for found in tally.observe(CallbackOptions())
    }


def test_a_tally_reports_the_sum_of_each_set_of_attributes() -> None:
    tally = Tally()
    tally.add(key_of({"a": 1}), 2)
    tally.add(key_of({"a": 1}), 3)
    tally.add(key_of({"a": 2}))
    tally.add(key_of({"a": 3}), 0)
    tally.add(key_of({"a": 2}), -1)
    assert {"a=1": 5, "a=2": 0, "a=3": 0} == sums(tally)
    assert {"a=1": 5, "a=2": 0, "a=3": 0} == sums(tally)


def test_absent_is_absent() -> None:
    assert (("a", 0), ("b", False), ("d", "")) == key_of({"a": 0, "b": False, "c": None, "d": ""})


def test_nothing_that_many_threads_add_is_lost_while_others_read() -> None:
    tally, threads, times = Tally(), 4, 3 * FOLD_AT
    start, done = threading.Barrier(threads + 1), threading.Event()

    def add() -> None:
        start.wait(10)
        for number in range(times):
            tally.add(key_of({"a": number % 3}))

    def read() -> None:
        start.wait(10)
        while not done.is_set():
            assert threads * times >= sum(sums(tally).values())

    adders = [threading.Thread(target=add) for _ in range(threads)]
    reader = threading.Thread(target=read)
    for thread in (*adders, reader):
        thread.start()
    for thread in adders:
        thread.join(30)
    done.set()
    reader.join(30)
    assert {"a=0": 4000, "a=1": 4000, "a=2": 4000} == sums(tally)


def test_what_waits_does_not_grow_without_bounds_when_nobody_reads() -> None:
    tally = Tally()
    for _ in range(5 * FOLD_AT):
        tally.add(key_of({}))
        assert len(tally._waiting) <= FOLD_AT
    assert {"": 5 * FOLD_AT} == sums(tally)
