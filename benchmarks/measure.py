# SPDX-License-Identifier: Apache-2.0
"""Contestants in turns → how long each took, as ratios to the bare SDK in the same round.

Time is that of the process's CPU, threads included: an exporter in the background counts, other programs do not.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tracemalloc
from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

from . import wire
from .contestant import Contestant

Run = Callable[[int], None]


class Load(NamedTuple):
    """What one sample reads: `streams` streams of `deltas` deltas."""

    deltas: int
    streams: int

    @property
    def events(self) -> int:
        return (self.deltas + 5) * self.streams


def runs(contestant: Contestant, loop: asyncio.AbstractEventLoop) -> dict[str, Run]:
    """The ways to read streams, by name."""
    clients = contestant.clients
    return {"sync": clients.read, "async": lambda times: loop.run_until_complete(clients.aread(times))}


def rounds(
    contestants: dict[str, Contestant],
    connection: wire.Wire,
    load: Load,
    count: int,
    loop: asyncio.AbstractEventLoop,
    *,
    apart: bool = False,
) -> dict[str, dict[str, list[float]]]:
    """Seconds of each sample: of each contestant by name, sync and async, one per round.

    The metrics are collected before each sample, and after it: as part of it, so that all of the cost is in the
    sample, wherever it is spent. With `apart`, they are not, so that what is left is what the calls themselves pay.
    """
    connection.chunks = wire.message(load.deltas)
    samples: dict[str, dict[str, list[float]]] = {name: {"sync": [], "async": []} for name in contestants}
    names = list(contestants)
    for number in range(count):
        # Nobody always comes first, or always after the same one.
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for name in order if number % 2 else reversed(order):
            contestant = contestants[name]
            contestant.on()
            try:
                for way, run in runs(contestant, loop).items():
                    run(2 if load.deltas > 1000 else max(load.streams // 5, 3))
                    gc.collect()
                    contestant.telemetry.metrics.get_metrics_data()
                    started = process_time()
                    run(load.streams)
                    if not apart:
                        contestant.telemetry.metrics.get_metrics_data()
                    samples[name][way].append(process_time() - started)
            finally:
                contestant.off()
    return samples


def ratios(samples: dict[str, dict[str, list[float]]], bare: str = "bare") -> dict[str, dict[str, list[float]]]:
    """Each sample as a ratio to the bare one of its round."""
    return {
        name: {
            way: [value / base for value, base in zip(values, samples[bare][way], strict=True)]
            for way, values in ways.items()
        }
        for name, ways in samples.items()
    }


def peak(
    contestant: Contestant, connection: wire.Wire, load: Load, loop: asyncio.AbstractEventLoop
) -> dict[str, float]:
    """KiB that reading one stream of `load` takes at its peak, above what was there before."""
    connection.chunks = wire.message(load.deltas)
    peaks: dict[str, float] = {}
    contestant.on()
    try:
        for way, run in runs(contestant, loop).items():
            run(3)
            tracemalloc.start()
            try:
                values = []
                for _ in range(5):
                    run(1)
                    gc.collect()
                    tracemalloc.reset_peak()
                    before, _ = tracemalloc.get_traced_memory()
                    run(1)
                    values.append(tracemalloc.get_traced_memory()[1] - before)
            finally:
                tracemalloc.stop()
            peaks[way] = statistics.median(values) / 1024
    finally:
        contestant.off()
    return peaks


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The first quartile, the median and the third."""
    low, middle, high = statistics.quantiles(values, n=4)
    return low, middle, high


def summary(samples: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Median ratio with quartiles, for each contestant."""
    return {
        name: {
            way: dict(zip(("low", "median", "high"), quartiles(values), strict=True)) for way, values in ways.items()
        }
        for name, ways in ratios(samples).items()
    }
