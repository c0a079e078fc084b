# SPDX-License-Identifier: Apache-2.0
"""Memory: flat over thousands of streams, whatever became of them, and over the length of one.

What is counted is blocks of Python's allocator, which is exact: one block more per stream is seen.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable

import pytest

from after200.following import dropped
from after200.signals.instruments import instruments_of

from ..support.in_memory.answers import ANSWERS, HEAD, Nothing, body
from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import CLOSING, DELTA, STOP, chunk
from ..support.in_memory.transport import Answer, Transport, client
from ..support.patience import PATIENCE_S
from ..support.telemetry import Telemetry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SLACK = 40
"""Blocks that may come and go, whatever is counted."""


class Forgetful(Telemetry):
    """Telemetry that need not be kept."""

    def forget(self) -> None:
        self._ended.clear()
        self._spans.clear()
        self._logs.clear()


class Reader:
    """Makes one call after the other: each answer in turn, read, closed and dropped in turn."""

    def __init__(self) -> None:
        self.transport = Transport(ANSWERS[0], Nothing())
        self.client = client("Anthropic", self.transport, asynchronous=False)
        self.aclient = client("Anthropic", self.transport, asynchronous=True)
        self.made = 0

    def next_deed(self) -> int:
        self.transport.answer = ANSWERS[self.made % len(ANSWERS)]
        self.made += 1
        return self.made // len(ANSWERS) % 3

    def read(self, times: int) -> None:
        for _ in range(times):
            deed = self.next_deed()
            try:
                stream = self.client.messages.create(**REQUEST, stream=True)
                next(stream)
                if deed == 0:
                    list(stream)
                elif deed == 1:
                    stream.close()
            except Exception:
                continue

    def aread(self, times: int) -> None:
        async def read() -> None:
            for _ in range(times):
                deed = self.next_deed()
                try:
                    stream = await self.aclient.messages.create(**REQUEST, stream=True)
                    await anext(stream)
                    if deed == 0:
                        async for _event in stream:
                            pass
                    elif deed == 1:
                        await stream.close()
                except Exception:
                    continue

        asyncio.run(read())


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.variants(covers=lambda way, spans: ["flat"])
@pytest.mark.parametrize("way", ["read", "aread"])
@pytest.mark.parametrize("spans", ["own", "none"])
def test_memory_is_flat_over_many_streams(way: str, spans: str, calls: int) -> None:
    telemetry = Forgetful()
    reader = Reader()
    read: Callable[[int], None] = getattr(reader, way)

    def measured(streams: int) -> int:
        read(streams)
        gc.collect()
        # What was dropped is ended, and what waited is recorded, by threads that a busy machine may let wait.
        dropped._threads.wait(PATIENCE_S)
        instruments_of(telemetry.meter_provider).deferred.points._recording.wait(PATIENCE_S)
        telemetry.all_points()
        telemetry.forget()
        return blocks()

    with telemetry.instrumented(spans=spans):
        measured(18 * 60)  # until the queue of points has been full
        before = measured(18)
        after = measured(calls - calls % 18)
    assert after - before < SLACK


def test_memory_is_flat_over_the_length_of_a_stream() -> None:
    telemetry = Telemetry()
    one = body(chunk("word "))
    transport = Transport(Answer((*body(*HEAD), *one * 20_000, *body(CLOSING, DELTA, STOP))), Nothing())
    with telemetry.instrumented():
        stream = client("Anthropic", transport, asynchronous=False).messages.create(**REQUEST, stream=True)
        for _ in range(1_000):
            next(stream)
        before = blocks()
        for _ in range(19_000):
            next(stream)
        assert blocks() - before < SLACK
