# SPDX-License-Identifier: Apache-2.0
"""Every call is counted once: a mixed run of several hundred, and what is left of it when it is over.

started = completed + failed + truncated + closed + cancelled + abandoned + still open
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer
from after200.faults.catalog import SCENARIOS

from ..support.patience import PATIENCE_S
from ..support.streams.application import Application
from ..support.streams.expected import ROWS
from ..support.streams.surfaces import REQUEST, SURFACES, Surface
from ..support.telemetry import Telemetry, described

SEED = 4711
THREADS = 4
CALLS_OF_EACH = 60
NAMES = [row.scenario for row in ROWS if row.timeout >= 1]
PLAYED = [surface for surface in SURFACES if "tool_runner" not in surface.name and not surface.missing()]
OUTCOMES = ("completed", "failed", "truncated", "closed", "cancelled", "abandoned")


class Caller:
    """Makes calls of every kind, in an order that its seed decides, and counts them."""

    def __init__(self, server: FaultServer, seed: int) -> None:
        self._server = server
        self._random = random.Random(seed)
        self.calls = 0

    def _client(self, cls: Any) -> Any:
        return cls(api_key="none", base_url=self._server.url, max_retries=1)

    def _next(self) -> tuple[str, Surface, str]:
        name = self._random.choice(NAMES)
        self.calls += 1
        return self._server.base_url(name, f"{id(self)}-{self.calls}"), self._random.choice(PLAYED), self._way()

    def _way(self) -> str:
        return self._random.choice(["read", "read", "read", "close", "drop"])

    def run(self) -> None:
        with self._client(anthropic.Anthropic) as shared:
            for _ in range(CALLS_OF_EACH):
                url, surface, way = self._next()
                client = shared.copy(base_url=url)
                with contextlib.suppress(Exception):
                    if way == "read":
                        surface.read(client, ignore)
                    else:
                        stream = client.messages.create(stream=True, **REQUEST)
                        next(stream)
                        if way == "close":
                            stream.close()
                        del stream

    async def arun(self) -> None:
        async with self._client(anthropic.AsyncAnthropic) as shared:
            await asyncio.gather(*(self._acall(shared) for _ in range(CALLS_OF_EACH)))

    async def _acall(self, shared: Any) -> None:
        url, surface, way = self._next()
        client = shared.copy(base_url=url)
        with contextlib.suppress(Exception, asyncio.CancelledError):
            if way == "read":
                await surface.aread(client, ignore)
            elif way == "close":
                async with await client.messages.create(stream=True, **REQUEST) as stream:
                    await anext(stream)
            else:
                stream = await client.messages.create(stream=True, **REQUEST)
                await anext(stream)
                del stream


def ignore(event: object) -> None:
    """The application looks away."""


def in_threads(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=target) for target in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_every_call_of_a_mixed_run_is_counted_once(
    application: Application, server: FaultServer, telemetry: Telemetry
) -> None:
    callers = [Caller(server, SEED + number) for number in range(THREADS)]
    with telemetry.instrumented():
        # Half of them sync, half of them async, each with an event loop of its own.
        in_threads(
            [
                caller.run if number % 2 else lambda caller=caller: asyncio.run(caller.arun())  # type: ignore[misc]
                for number, caller in enumerate(callers)
            ]
        )
        application.collect()
        served = server.wait_idle()

    made = sum(caller.calls for caller in callers)
    assert THREADS * CALLS_OF_EACH == made
    assert made == telemetry.total("after200.calls")
    by_outcome = {outcome: telemetry.total("after200.calls", {"after200.outcome": outcome}) for outcome in OUTCOMES}
    assert made == sum(by_outcome.values())
    assert all(by_outcome[outcome] for outcome in ("completed", "failed", "truncated", "closed", "abandoned"))
    assert made == len(telemetry.spans)
    assert by_outcome == {
        **dict.fromkeys(OUTCOMES, 0),
        **Counter(described(span)["after200.outcome"] for span in telemetry.spans),
    }
    assert made == telemetry.total("gen_ai.client.operation.duration")
    assert len(served) == telemetry.total("after200.attempts")
    assert [] == telemetry.open_spans
    assert 0 == telemetry.total("after200.streams.open")
    assert by_outcome["failed"] + by_outcome["truncated"] == len(telemetry.logged())


def test_the_table_of_scenarios_leaves_none_of_the_server_s_out() -> None:
    """A scenario that is added to the server gets a row in `expected.py`, or its reason here."""
    elsewhere = {
        "completed_slow": "as completed, slower: used where time matters",
        "long": "as completed, longer: used where length matters",
        "tool_use": "as completed, with two calls: see test_calls.py",
        "refusal_then_completed": "two calls, for a fallback to another model",
        "http_529_retry_after_ms_then_completed": "as http_429_retry_after_then_completed, in milliseconds",
    }
    rows = {row.scenario for row in ROWS}
    everywhere = {name for name, scenario in SCENARIOS.items() if not scenario.only}
    assert set(elsewhere) == everywhere - rows
    assert set() == rows - everywhere


def test_streams_that_are_open_are_the_difference(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        streams = [application.client("completed").messages.create(stream=True, **REQUEST) for _ in range(5)]
        assert (0, 5) == (telemetry.total("after200.calls"), telemetry.total("after200.streams.open"))
        streams.pop().close()
        list(streams.pop())
        assert (2, 3) == (telemetry.total("after200.calls"), telemetry.total("after200.streams.open"))
        for stream in streams:
            stream.close()
    assert (5, 0) == (telemetry.total("after200.calls"), telemetry.total("after200.streams.open"))


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_a_reader_that_comes_often_sees_the_same_sums(temporality: str, application: Application) -> None:
    """What waits to be recorded is recorded for whoever asks, and once."""
    telemetry = Telemetry(temporality)
    seen: Counter[str] = Counter()
    last: dict[str, Any] = {}
    with telemetry.instrumented():
        for _ in range(5):
            list(application.client("completed").messages.create(stream=True, **REQUEST))
            last = telemetry.all_points()
            seen.update({name: value for name, value in last.items() if isinstance(value, int)})
    sums = seen if temporality == "delta" else last
    assert [5] == [value for name, value in sums.items() if name.startswith("after200.calls") and value]
    assert [5] == [value for name, value in sums.items() if name.startswith("gen_ai.client.operation.duration")]
    assert [5] == [value for name, value in sums.items() if name.startswith("after200.stream.longest_gap")]
