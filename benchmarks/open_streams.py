# SPDX-License-Identifier: Apache-2.0
"""How much memory each open stream takes: streams of which one event was read, all open at once."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

from . import wire
from .contestant import Contestant, Telemetry
from .contestants import CONTESTANTS

REQUEST: dict[str, Any] = {"max_tokens": 1024, "model": wire.MODEL, "messages": wire.MESSAGES, "stream": True}


def measure(streams: int) -> dict[str, dict[str, float]]:
    """KiB for each of `streams` open streams, by contestant, sync and async."""
    connection = wire.Wire()
    results: dict[str, dict[str, float]] = {}
    for name, make in CONTESTANTS.items():
        contestant = make(connection, Telemetry.of_its_own())
        contestant.on()
        try:
            results[name] = {"sync": sync(contestant, streams), "async": asyncio.run(asynchronous(contestant, streams))}
        finally:
            contestant.off()
    return results


def sync(contestant: Contestant, streams: int) -> float:
    """KiB for each sync stream."""
    create = contestant.clients.sync.messages.create
    contestant.clients.read(3)
    held: list[Any] = []
    with Traced(streams) as per_stream:
        for _ in range(streams):
            held.append(create(**REQUEST))
            next(held[-1])
        per_stream.measure()
        for stream in held:
            stream.close()
    return per_stream.kib


async def asynchronous(contestant: Contestant, streams: int) -> float:
    """KiB for each async stream."""
    create = contestant.clients.asynchronous.messages.create
    await contestant.clients.aread(3)
    held: list[Any] = []
    with Traced(streams) as per_stream:
        for _ in range(streams):
            held.append(await create(**REQUEST))
            await anext(held[-1])
        per_stream.measure()
        for stream in held:
            await stream.close()
    return per_stream.kib


class Traced:
    """Traces what is allocated in a block."""

    def __init__(self, streams: int) -> None:
        self._streams = streams
        self.kib = 0.0

    def __enter__(self) -> Traced:
        gc.collect()
        tracemalloc.start()
        self._before, _ = tracemalloc.get_traced_memory()
        return self

    def __exit__(self, *error: object) -> None:
        tracemalloc.stop()

    def measure(self) -> None:
        """What is held now, for each stream."""
        gc.collect()
        self.kib = (tracemalloc.get_traced_memory()[0] - self._before) / 1024 / self._streams


def table(results: dict[str, dict[str, float]]) -> str:
    """The figures as a table."""
    rows = [f"| {name} | {kib['sync']:.1f} / {kib['async']:.1f} |" for name, kib in results.items()]
    return "\n".join(["| | KiB for each open stream, sync / async |", "|---|--:|", *rows])
