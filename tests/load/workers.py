# SPDX-License-Identifier: Apache-2.0
"""A program that instruments, preloads and forks workers as gunicorn does: `python workers.py URL WORKERS CALLS SEED`.

Providers are set up in each worker, as OpenTelemetry tells users of gunicorn to. Each worker makes its calls, in
threads or in an event loop, and ends as a worker does. Printed is, for each, what it must have recorded and what it
did record.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections import Counter
from typing import Any

import anthropic
from opentelemetry import metrics, trace

from after200 import AnthropicInstrumentor
from tests.load.accounts import account_of, recorded
from tests.load.callers import REQUEST, at_once, in_threads
from tests.load.plans import must_be, plan
from tests.support.telemetry import Telemetry, described


def work(url: str, number: int, calls: int, seed: int) -> dict[str, Any]:
    """What a worker does."""
    telemetry = Telemetry()
    metrics.set_meter_provider(telemetry.meter_provider)
    trace.set_tracer_provider(telemetry.tracer_provider)
    if number % 2:
        all_seen = in_threads(url, plan(seed + number, calls, asynchronous=False), 8)
    else:
        all_seen = asyncio.run(at_once(url, plan(seed + number, calls, asynchronous=True), 100))
    gc.collect()
    # Beside those of the SDK's own tracing, which is on for a client that finds a provider.
    spans = [span for span in map(described, telemetry.spans) if "after200.outcome" in span]
    return {
        "expected": lines(Counter(must_be(seen) for seen in all_seen)),
        "counted": lines(recorded(telemetry)),
        "spans": lines(Counter(map(account_of, spans))),
        "attempts": [
            sum(1 + len(seen.planned.row.attempts) for seen in all_seen),
            telemetry.total("after200.attempts"),
        ],
        "open": [telemetry.total("after200.streams.open"), len(telemetry.open_spans)],
    }


def lines(counter: Counter[Any]) -> list[str]:
    return sorted(f"{account}: {count}" for account, count in counter.items())


def main(url: str, workers: int, calls: int, seed: int) -> None:
    AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True)
    client = anthropic.Anthropic(api_key="none", base_url=f"{url}/completed")
    held = [client.messages.create(**REQUEST, stream=True) for _ in range(5)]
    for stream in held[:3]:
        next(stream)
    list(held.pop())
    children = []
    for number in range(workers):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            held.clear()
            gc.collect()
            os.close(read_end)
            with os.fdopen(write_end, "w") as out:
                json.dump(work(url, number, calls, seed), out)
            sys.exit(0)
        os.close(write_end)
        children.append((child, os.fdopen(read_end)))
    told = [json.load(answer) for _, answer in children]
    statuses = [os.waitpid(child, 0)[1] for child, _ in children]
    telemetry = Telemetry()
    metrics.set_meter_provider(telemetry.meter_provider)
    for stream in held:
        list(stream)
    print(json.dumps({"workers": told, "statuses": statuses, "parent": lines(recorded(telemetry))}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
