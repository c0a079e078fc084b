# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`: what after200 costs, as ratios to the bare SDK in the same run, as a table in Markdown.

Needs the newest SDK and the OpenTelemetry SDK. Nothing here is a test: machines are noisy, so read medians of many
rounds, and the second row, which measures the bare SDK once more, for how far off they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from . import wire
from .contestants import CONTESTANTS, telemetry
from .measure import Load, peak, rounds, summary

LONG, SHORT = Load(2000, 2), Load(10, 30)
COLUMNS = ("per event", "per call", "per call, all of it")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=21, metavar="N", help="interleaved rounds (default: 21, at least 2)"
    )
    parser.add_argument("--json", action="store_true", help="every median and quartile as JSON")
    options = parser.parse_args(argv)
    if options.rounds < 2:
        parser.error(f"--rounds {options.rounds}: a whole number from 2 up is needed, for quartiles")
    results = measure(options.rounds)
    print(json.dumps(results, indent=2) if options.json else table(results))
    return 0


def measure(count: int) -> dict[str, Any]:
    """The summary of each column, and the peak of memory, by contestant."""
    connection, loop = wire.Wire(), asyncio.new_event_loop()
    contestants = {name: make(connection, telemetry()) for name, make in CONTESTANTS.items()}
    results: dict[str, Any] = {
        "per event": summary(rounds(contestants, connection, LONG, count, loop, collected=True)),
        "per call": summary(rounds(contestants, connection, SHORT, count, loop, collected=True)),
        "per call, all of it": summary(rounds(contestants, connection, SHORT, count, loop)),
        "peak": {name: peak(contestant, connection, LONG, loop) for name, contestant in contestants.items()},
    }
    loop.close()
    return results


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
