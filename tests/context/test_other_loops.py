# SPDX-License-Identifier: Apache-2.0
"""A call is recorded alike in asyncio, uvloop and Trio, and through httpx and the SDK's client that uses aiohttp."""

from __future__ import annotations

import functools
import gc
from typing import Any

import anthropic
import anyio
import pytest

from after200.faults import FaultServer

from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry, described
from ..support.traced_calls import async_client, client_options

PLAYS = (
    ("completed", "read"),
    ("overloaded_error_mid_stream", "read"),
    ("end_without_message_stop", "read"),
    ("reset_mid_stream", "read"),
    ("http_529", "read"),
    ("completed", "close"),
    ("completed", "drop"),
    ("stall_mid_stream", "cancel"),
)
BEFORE_THE_STALL = 6
"""How many events the SDK gives out in `stall_mid_stream`."""

pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")  # Trio's number, to Hypothesis

LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


async def cancelled(client: anthropic.AsyncAnthropic) -> None:
    """Reads in a task that is cancelled while it waits for an event that never comes."""
    waits = anyio.Event()

    async def read() -> None:
        stream: Any = await client.messages.create(stream=True, **REQUEST)
        for _ in range(BEFORE_THE_STALL):
            await anext(stream)
        waits.set()
        await anext(stream)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await waits.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()


async def play(server: FaultServer, scenario: str, deed: str, http_client: Any) -> str:
    """Makes a call and says what the application saw of it."""
    options = client_options(server, scenario)
    async with async_client(options if http_client is None else {**options, "http_client": http_client}) as client:
        if deed == "cancel":
            await cancelled(client)
            return deed
        try:
            stream: Any = await client.messages.create(stream=True, **REQUEST)
            if deed == "read":
                return str([event.type async for event in stream])
            await anext(stream)
            if deed == "close":
                await stream.close()
        except Exception as error:
            return type(error).__name__
        del stream
        gc.collect()
        return deed


def recorded(server: FaultServer, loop: str, new_http_client: Any = lambda: None) -> list[Any]:
    """What the application saw of each call, and its span and points."""
    all_recorded = []
    for scenario, deed in PLAYS:
        telemetry = Telemetry()
        with telemetry.instrumented():
            main = functools.partial(play, server, scenario, deed, new_http_client())
            seen = anyio.run(main, **LOOPS[loop])
        spans = [described(span) for span in telemetry.spans]
        all_recorded.append((scenario, deed, seen, [stable(span) for span in spans], telemetry.all_points()))
    outcomes = {span["after200.outcome"] for _, _, _, spans, _ in all_recorded for span in spans}
    assert {"completed", "failed", "truncated", "closed", "abandoned", "cancelled"} == outcomes
    return all_recorded


def stable(span: dict[str, Any]) -> dict[str, Any]:
    """A span without its times and without the identities of the response."""
    varies = ("time_to", "longest_gap", "wait", ".id")
    return {name: value for name, value in span.items() if not any(part in name for part in varies)}


@pytest.mark.parametrize("loop", ["uvloop", "trio"])
def test_a_call_is_recorded_alike_in_every_event_loop(server: FaultServer, loop: str) -> None:
    pytest.importorskip(loop, reason=f"{loop} is not installed: only the matrix has Trio")
    bare = anyio.run(functools.partial(play, server, "completed", "read", None), **LOOPS[loop])
    if bare == "RuntimeError":  # 0.42 calls `asyncio.to_thread`.
        pytest.skip(f"this version of the SDK has no way to run in {loop}")
    assert recorded(server, "asyncio") == recorded(server, loop)


@pytest.mark.skipif(not hasattr(anthropic, "DefaultAioHttpClient"), reason="this SDK has no DefaultAioHttpClient")
def test_a_call_is_recorded_alike_through_the_sdk_s_client_that_uses_aiohttp(server: FaultServer) -> None:
    assert recorded(server, "asyncio") == recorded(server, "asyncio", anthropic.DefaultAioHttpClient)
