# SPDX-License-Identifier: Apache-2.0
"""Instructions in place of seconds, counted by valgrind: they do not depend on what else the machine does.

One process under `callgrind` imports everything and forks: each child reads streams with one contestant, few or many of
them. The difference of the two is what the streams took, without the start of the process and of the contestant.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import re
import subprocess
import sys

from . import wire
from .contestant import Telemetry
from .contestants import CONTESTANTS

COLUMNS = {"per event": (2000, 1, 3), "per call, all of it": (10, 10, 40)}
"""What a column counts: the deltas of a stream, and how many streams the two children read."""

WAYS = ("sync", "async")
VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")

Results = dict[str, dict[str, dict[str, float]]]


def measure() -> Results:
    """The ratio to the bare SDK, by column, contestant and way."""
    program = [*VALGRIND, sys.executable, "-m", "benchmarks.instructions"]
    finished = subprocess.run(
        program, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    collected = dict(re.findall(r"^==(\d+)== Collected : (\d+)$", finished.stderr, re.M))
    counted: dict[tuple[str, ...], list[int]] = {}
    for line in finished.stdout.splitlines():
        pid, *cell = line.split("\t")
        counted.setdefault(tuple(cell), []).append(int(collected[pid]))
    streams = {cell: many - few for cell, (few, many) in counted.items()}
    return {
        column: {
            name: {way: streams[column, name, way] / streams[column, "bare", way] for way in WAYS}
            for name in CONTESTANTS
        }
        for column in COLUMNS
    }


def fork_all() -> None:
    """What the process under valgrind does: one child after the other, each named on standard output."""
    gc.collect()
    gc.freeze()  # Whether a collection of all that was imported falls into a child or not is chance.
    for column, name, way in itertools.product(COLUMNS, CONTESTANTS, WAYS):
        deltas, *counts = COLUMNS[column]
        for count in counts:
            pid = os.fork()
            if pid == 0:
                read(name, way, deltas, count)
                os._exit(0)  # What a process does at its end is no part of a call.
            _, status = os.waitpid(pid, 0)
            if status:
                sys.exit(f"{name}, {way}: wait status {status}")
            print(pid, column, name, way, sep="\t", flush=True)


def read(name: str, way: str, deltas: int, streams: int) -> None:
    """Reads a few streams to warm up, and `streams` more."""
    connection = wire.Wire()
    contestant = CONTESTANTS[name](connection, Telemetry.of_its_own())
    contestant.on()
    for size, count in ((10, 3), (deltas, streams)):
        connection.chunks = wire.message(size)
        if way == "sync":
            contestant.clients.read(count)
        else:
            asyncio.run(contestant.clients.aread(count))
    contestant.telemetry.metrics.get_metrics_data()  # What waits to be recorded is part of the calls.


def table(results: Results) -> str:
    """The ratios as a table."""
    lines = [f"| | {' | '.join(f'{column}, sync / async' for column in results)} |", "|---|" + "---|" * len(results)]
    for name in CONTESTANTS:
        cells = [f"{ratio[name]['sync']:.3f} / {ratio[name]['async']:.3f}" for ratio in results.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    fork_all()
