# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`: what after200 costs, as ratios to the bare SDK in the same run, as a table in Markdown.

Needs the newest SDK and the OpenTelemetry SDK; `--neighbours` makes an environment of its own for each neighbour.
Nothing here is a test: machines are noisy, so read medians of many rounds, and the second row, which measures the bare
SDK once more, for how far off they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from . import instructions, libraries, open_streams, startup, wire
from .contestant import Contestant, Telemetry
from .contestants import CONTESTANTS
from .measure import Load, peak, rounds, summary
from .neighbours import MEASURED, Neighbour, measured

LONG, SHORT = Load(2000, 2), Load(10, 30)
LENGTHS = (10, 100, 1_000, 10_000, 100_000)
COLUMNS = ("per event", "per call", "per call, all of it")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=21, metavar="N", help="interleaved rounds (default: 21, at least 2)"
    )
    parser.add_argument("--neighbours", action="store_true", help="other instrumentations too")
    parser.add_argument("--only", choices=MEASURED, help="one of them, which is installed here, and nothing else")
    parser.add_argument("--startup", action="store_true", help="only what instrumenting adds to the start of a process")
    parser.add_argument(
        "--lengths", action="store_true", help="only the cost per event of streams of 10 to 100,000 deltas"
    )
    parser.add_argument("--open", type=int, metavar="N", help="only the memory of each stream, with N of them open")
    parser.add_argument("--instructions", action="store_true", help="only instructions, not seconds; needs valgrind")
    parser.add_argument("--libraries", action="store_true", help="only calls without the SDK, by HTTP library")
    parser.add_argument("--json", action="store_true", help="every median and quartile as JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the medians, needs matplotlib")
    options = parser.parse_args(argv)
    if options.rounds < 2:
        parser.error(f"--rounds {options.rounds}: a whole number from 2 up is needed, for quartiles")
    if options.startup:
        print(startup.table(startup.measure(options.rounds)))
        return 0
    if options.lengths:
        print(by_length(options.rounds))
        return 0
    if options.open:
        print(open_streams.table(open_streams.measure(options.open)))
        return 0
    if options.instructions:
        print(instructions.table(instructions.measure()))
        return 0
    if options.libraries:
        print(libraries.table(libraries.measure(options.rounds)))
        return 0
    results = measure(options.rounds, options.only)
    if options.neighbours:
        for name, neighbour in MEASURED.items():
            of_neighbour = measured(name, options.rounds)
            for column in results:
                results[column][neighbour.title] = of_neighbour[column][name]
    print(json.dumps(results) if options.json else table(results))
    if options.picture:
        from .picture import draw

        draw(results, options.picture)
    return 0


def measure(count: int, neighbour: str | None = None) -> dict[str, Any]:
    """The summary of each column, and the peak of memory, by contestant."""
    connection, loop = wire.Wire(), asyncio.new_event_loop()
    contestants: dict[str, Contestant] = {
        name: make(connection, Telemetry.of_its_own())
        for name, make in CONTESTANTS.items()
        if neighbour is None or name == "bare"
    }
    if neighbour is not None:
        contestants[neighbour] = Neighbour(neighbour, connection)
    results: dict[str, Any] = {
        "per event": summary(rounds(contestants, connection, LONG, count, loop, apart=True)),
        "per call": summary(rounds(contestants, connection, SHORT, count, loop, apart=True)),
        "per call, all of it": summary(rounds(contestants, connection, SHORT, count, loop)),
        "peak": {name: peak(contestant, connection, LONG, loop) for name, contestant in contestants.items()},
    }
    loop.close()
    return results


def by_length(count: int) -> str:
    """Nanoseconds that an event costs, bare and with a span of its own, for streams of each length."""
    connection, loop = wire.Wire(), asyncio.new_event_loop()
    names = ("bare", "after200, spans=own")
    contestants = {name: CONTESTANTS[name](connection, Telemetry.of_its_own()) for name in names}
    lines = ["| deltas | bare, ns per event | instrumented | ratio |", "|--:|--:|--:|--:|"]
    for deltas in LENGTHS:
        load = Load(deltas, max(LENGTHS[-2] // deltas, 1))
        samples = rounds(contestants, connection, load, count, loop, apart=True)
        bare, own = (statistics.median(samples[name]["sync"]) / load.events * 1e9 for name in names)
        ratio = summary(samples)[names[1]]["sync"]["median"]
        lines.append(f"| {deltas:,} | {bare:,.0f} | {own:,.0f} | {ratio:.3f} |")
    loop.close()
    return "\n".join(lines)


def table(results: dict[str, Any]) -> str:
    """The medians as a table."""
    lines = [
        f"Python {sys.version.split()[0]}, anthropic {wire.anthropic.__version__}; sync / async",
        "",
        "| | " + " | ".join((*COLUMNS, "peak KiB")) + " |",
        "|---|" + "---|" * (len(COLUMNS) + 1),
    ]
    for name, peaks in results["peak"].items():
        ratios = [" / ".join(f"{results[column][name][way]['median']:.3f}" for way in peaks) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(ratios)} | {' / '.join(f'{kib:.0f}' for kib in peaks.values())} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
