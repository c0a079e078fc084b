# SPDX-License-Identifier: Apache-2.0
"""`beta.messages.thread()`: each turn of a conversation is one call, sent whole or streamed."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from ..support.platforms.clients import MODEL
from ..support.telemetry import Telemetry
from .expected import outcome
from .needs import Connect, needs

pytestmark = needs("beta.messages.thread")

TURN = {"role": "user", "content": "Hello?"}


def start(client: Any) -> Any:
    """A conversation without turns."""
    return client.beta.messages.thread(model=MODEL, max_tokens=64)


def test_each_turn_is_one_call(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("completed") as client:
        thread = start(client)
        for _ in range(2):
            thread.append(TURN)
            assert "end_turn" == thread.send().stop_reason
    assert {"completed": 2} == outcome(telemetry)


def test_each_turn_that_is_streamed_is_one_call(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("completed") as client:
        thread = start(client)
        for _ in range(2):
            with thread.stream(TURN) as stream:
                assert "message_stop" == [event.type for event in stream][-1]
    assert {"completed": 2} == outcome(telemetry)
    assert 2 == telemetry.total("after200.calls", {"gen_ai.request.stream": True})


@pytest.mark.parametrize("scenario", ["overloaded_error_mid_stream", "error_unnamed"])
def test_a_turn_that_fails_in_its_stream_is_a_failed_call(
    connect: Connect, telemetry: Telemetry, scenario: str
) -> None:
    with telemetry.instrumented(), connect(scenario) as client:
        try:
            with start(client).stream(TURN) as stream:
                list(stream)
        except (anthropic.APIStatusError, AssertionError, RuntimeError):
            pass  # what of it the helper tells is the SDK's affair
    assert 1 == telemetry.total("after200.calls", {"error.type": "overloaded_error"})


def test_the_async_twin_is_recorded_the_same(connect: Connect, telemetry: Telemetry) -> None:
    async def main() -> None:
        async with connect("completed", is_async=True) as client:
            thread = start(client)
            thread.append(TURN)
            await thread.send()
            async with thread.stream(TURN) as stream:
                async for _ in stream:
                    pass

    with telemetry.instrumented():
        asyncio.run(main())
    assert {"completed": 2} == outcome(telemetry)
    assert 1 == telemetry.total("after200.calls", {"gen_ai.request.stream": True})
