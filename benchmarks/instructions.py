# SPDX-License-Identifier: Apache-2.0
"""Instructions in place of seconds, counted by valgrind: they do not depend on what else the machine does.

One process under `callgrind` forks for each contestant. The child warms up and forks again: each of its children reads
streams, few or many of them. The difference of the two is what the streams took, without all that came before.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from . import wire
from .contestant import Contestant, Telemetry
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
    """What the process under valgrind does: a child for each contestant and way, one after the other."""
    for name, way in itertools.product(CONTESTANTS, WAYS):
        with child(f"{name}, {way}") as pid:
            if not pid:
                fork_readers(name, way)


def fork_readers(name: str, way: str) -> None:
    """Instruments the SDK, reads a few streams to warm up, and forks what is counted, each named on standard output."""
    connection = wire.Wire()
    contestant = CONTESTANTS[name](connection, Telemetry.of_its_own())
    contestant.on()
    read(contestant, way, 3)
    for column, (deltas, *counts) in COLUMNS.items():
        connection.chunks = wire.message(deltas)
        gc.collect()
        gc.freeze()  # Whether a collection of all that was there before falls into a call or not is chance.
        for count in counts:
            with child(f"{name}, {way}, {column}") as pid:
                if pid:
                    print(pid, column, name, way, sep="\t", flush=True)
                else:
                    read(contestant, way, count)
                    # What waits to be recorded is part of the calls.
                    contestant.telemetry.metrics.get_metrics_data()


@contextmanager
def child(what: str) -> Iterator[int]:
    """Forks: in the child the number of the process is 0, and the block is all that it does."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            yield pid
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)  # What a process does at its end is no part of a call.
    yield pid
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"{what}: wait status {status}")


def read(contestant: Contestant, way: str, streams: int) -> None:
    """Reads `streams` streams."""
    if way == "sync":
        contestant.clients.read(streams)
    else:
        asyncio.run(contestant.clients.aread(streams))


def table(results: Results) -> str:
    """The ratios as a table."""
    lines = [f"| | {' | '.join(f'{column}, sync / async' for column in results)} |", "|---|" + "---|" * len(results)]
    for name in CONTESTANTS:
        cells = [f"{ratio[name]['sync']:.3f} / {ratio[name]['async']:.3f}" for ratio in results.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    fork_all()
