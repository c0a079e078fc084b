# SPDX-License-Identifier: Apache-2.0
"""What the real SDK makes of every scenario of the Anthropic wire: the ground the package's own tests stand on."""

from __future__ import annotations

import asyncio
import contextlib

import anthropic
import pytest

from after200.faults import FaultServer

from .clients import ASKED
from .expected import DELTA, EVERYWHERE, FINISHED, HOSTILE, STREAMED, WHOLE
from .sdk import async_client, client


def shown(error: Exception, expected: str | None) -> str:
    """The exception as the tables write it."""
    name, status = type(error).__name__, getattr(error, "status_code", None)
    if status is None:
        return name
    assert isinstance(error, anthropic.APIStatusError)
    return f"* {status}" if expected == f"* {status}" else f"{name} {status}"


def test_the_tables_hold_every_scenario() -> None:
    assert set(EVERYWHERE) == {*STREAMED, HOSTILE}


@pytest.mark.parametrize("scenario", STREAMED)
def test_a_stream(server: FaultServer, scenario: str) -> None:
    expected, finished, failure = STREAMED[scenario]
    last: str | None = None
    with client(server, scenario) as opened:
        try:
            for event in opened.messages.create(**ASKED, stream=True):
                last = event.type
        except Exception as error:
            last = shown(error, expected)
    (served,) = server.wait_idle()
    assert (last, served.failure) == (expected, failure)
    assert served.finished in FINISHED.get(scenario, (finished,))


@pytest.mark.variants(covers=lambda scenario: [STREAMED[scenario]])
@pytest.mark.parametrize("scenario", STREAMED)
async def test_an_async_stream(server: FaultServer, scenario: str) -> None:
    expected, finished, failure = STREAMED[scenario]
    last: str | None = None
    async with async_client(server, scenario) as opened:
        try:
            async for event in await opened.messages.create(**ASKED, stream=True):
                last = event.type
        except Exception as error:
            last = shown(error, expected)
    (served,) = await asyncio.to_thread(server.wait_idle)
    assert (last, served.failure) == (expected, failure)
    assert served.finished in FINISHED.get(scenario, (finished,))


@pytest.mark.variants(covers=lambda scenario: [WHOLE.get(scenario)])
@pytest.mark.parametrize("scenario", EVERYWHERE)
def test_a_call_that_does_not_stream(server: FaultServer, scenario: str) -> None:
    expected = WHOLE.get(scenario, "* an HTTP error")
    with client(server, scenario) as opened:
        try:
            message = opened.messages.create(**ASKED)
            seen = str(message.type) if hasattr(message, "type") else type(message).__name__
        except Exception as error:
            seen = shown(error, expected)
            if expected == "* an HTTP error" and getattr(error, "status_code", 0) >= 400:
                seen = expected
    (served,) = server.wait_idle()
    assert seen == expected
    assert bool(served.events_sent) == scenario.startswith("events_")


def test_retries_are_attempts_of_one_scenario(server: FaultServer) -> None:
    def attempts(scenario: str) -> list[tuple[int, int | None, str | None]]:
        server.clear()
        with client(server, scenario, max_retries=2) as opened, contextlib.suppress(anthropic.APIStatusError):
            list(opened.messages.create(**ASKED, stream=True))
        return [(served.attempt, served.wire_status, served.failure) for served in server.wait_idle()]

    overloaded = "overloaded_error"
    assert attempts("http_529_then_completed") == [(0, 529, overloaded), (1, 200, None)]
    assert attempts("http_503_then_529_then_completed") == [(0, 503, overloaded), (1, 529, overloaded), (2, 200, None)]
    assert attempts("http_529_then_overloaded_mid_stream") == [(0, 529, overloaded), (1, 200, overloaded)]
    assert attempts("http_529_always") == [(0, 529, overloaded), (1, 529, overloaded), (2, 529, overloaded)]
    assert attempts("reset_then_completed") == [(0, None, None), (1, 200, None)]


def test_a_client_that_leaves_a_stall_is_logged(server: FaultServer) -> None:
    with client(server, "stall_mid_stream") as opened:
        stream = opened.messages.create(**ASKED, stream=True)
        for event in stream:
            if event.type == DELTA and event.delta.text == ".":
                break
        stream.close()
        (served,) = server.wait_for(lambda log: len(log) == 1)
    assert served.finished == "stalled"


def test_the_accumulated_message(server: FaultServer) -> None:
    with client(server, "cached") as opened, opened.messages.stream(**ASKED) as stream:
        message = stream.get_final_message()
    usage = message.usage
    assert [block.type for block in message.content] == ["text"]
    assert message.content[0].text == "Hello from Claude."
    assert message.stop_reason == "end_turn"
    assert (usage.input_tokens, usage.output_tokens) == (8, 7)
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (1416, 2227)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_tool_runner_gets_a_call_that_fits_its_tool_and_then_an_answer(server: FaultServer, streaming: bool) -> None:
    tool = getattr(anthropic, "beta_tool", None)
    if tool is None:
        pytest.skip("this SDK has no tool runner")
    called = []

    @tool
    def weather(city: str, days: int, metric: bool) -> str:
        """The weather."""
        called.append((city, days, metric))
        return "sunny"

    with client(server, "tool_use") as opened:
        turns = opened.beta.messages.tool_runner(**ASKED, tools=[weather], stream=streaming)
        reasons = [(turn.get_final_message() if streaming else turn).stop_reason for turn in turns]
    assert reasons == ["tool_use", "end_turn"]
    assert called == [("Paris", 3, True)]
