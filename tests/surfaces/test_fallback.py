# SPDX-License-Identifier: Apache-2.0
"""The SDK's fallback middleware: a refusal, then another model; two requests, one call."""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import Any

import pytest

from after200.faults import FaultServer

from ..support.platforms.clients import MODEL, REQUEST
from ..support.telemetry import SECONDS, Telemetry
from .expected import recorded, span
from .needs import Connect

FALLBACK = "claude-fallback"
_MODULE = importlib.util.find_spec("anthropic.lib") and importlib.util.find_spec("anthropic.lib.middleware")

pytestmark = pytest.mark.skipif(_MODULE is None, reason="this version of the SDK has no anthropic.lib.middleware")
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "anthropic.lib.middleware")


def middleware() -> Any:
    """A new middleware that falls back to one other model."""
    module = importlib.import_module("anthropic.lib.middleware")
    return module.BetaRefusalFallbackMiddleware([{"model": FALLBACK}])


def read(client: Any, *, is_async: bool, stream: bool) -> list[str]:
    """What the application gets: the types of the events, or why the message stopped; and what is raised."""
    seen: list[str] = []

    async def main() -> None:
        async with client:
            answer = await client.beta.messages.create(stream=stream, **REQUEST)
            if not stream:
                seen.append(answer.stop_reason)
                return
            async for event in answer:
                seen.append(event.type)

    try:
        if is_async:
            asyncio.run(main())
        else:
            with client:
                answer = client.beta.messages.create(stream=stream, **REQUEST)
                seen += [event.type for event in answer] if stream else [answer.stop_reason]
    except Exception as error:
        seen.append(f"{type(error).__name__} {error}")
    return seen


COMPLETED: dict[str, Any] = {
    "after200__outcome": "completed",
    "after200__answer": "complete",
    "after200__fallback": True,
    "http__request__resend_count": 1,
    "gen_ai__request__max_tokens": REQUEST["max_tokens"],
    "gen_ai__response__id": "msg_N",
    "gen_ai__response__finish_reasons": ("end_turn",),
    "gen_ai__usage__input_tokens": 12,
    "gen_ai__usage__output_tokens": 7,
    "gen_ai__usage__cache_read__input_tokens": 0,
    "gen_ai__usage__cache_write__input_tokens": 0,
}


@BOTH
def test_a_stream_that_goes_on_with_another_model_is_one_call_with_two_attempts(
    connect: Connect, server: FaultServer, telemetry: Telemetry, is_async: bool
) -> None:
    with telemetry.instrumented():
        client = connect("refusal_then_completed", is_async=is_async, middleware=[middleware()])
        seen = read(client, is_async=is_async, stream=True)
    assert ["message_start", "message_stop"] == [seen[0], seen[-1]]
    assert 9 == seen.count("content_block_delta")  # five of the refusal, four of the other model's answer
    completed = {
        **COMPLETED,
        "gen_ai__response__model": FALLBACK,  # although the SDK keeps the first `message_start`
        "gen_ai__response__time_to_first_chunk": SECONDS,
        "after200__stream__chunks": 9,
        "after200__stream__longest_gap": SECONDS,
        "after200__stream__time_to_first_text": SECONDS,
    }
    assert [span(server, "chat", MODEL, **completed)] == recorded(telemetry)
    assert 2 == telemetry.total("after200.attempts", {"after200.wire.status_code": 200})
    assert 1 == telemetry.total("after200.calls")


@BOTH
def test_a_whole_answer_of_another_model_is_one_call_with_two_attempts(
    connect: Connect, server: FaultServer, telemetry: Telemetry, is_async: bool
) -> None:
    with telemetry.instrumented():
        client = connect("refusal_then_completed", is_async=is_async, middleware=[middleware()])
        assert ["end_turn"] == read(client, is_async=is_async, stream=False)
    completed = {**COMPLETED, "gen_ai__request__stream": None, "gen_ai__response__model": FALLBACK}
    assert [span(server, "chat", MODEL, **completed)] == recorded(telemetry)
    assert 2 == telemetry.total("after200.attempts")


@BOTH
@pytest.mark.parametrize("scenario", ["refusal_then_completed", "overloaded_error_mid_stream", "completed"])
def test_the_application_sees_the_same_events(
    connect: Connect, telemetry: Telemetry, scenario: str, is_async: bool
) -> None:
    def seen(key: str) -> list[str]:
        client = connect(scenario, is_async=is_async, middleware=[middleware()])
        client.base_url = str(client.base_url).replace("@", f"@{key}-")
        events = read(client, is_async=is_async, stream=True)
        return [event.partition("'request_id'")[0] for event in events]

    without = seen("without")
    with telemetry.instrumented():
        assert without == seen("with")


@BOTH
def test_an_error_in_the_spliced_stream_ends_the_call(connect: Connect, telemetry: Telemetry, is_async: bool) -> None:
    with telemetry.instrumented():
        client = connect("overloaded_error_mid_stream", is_async=is_async, middleware=[middleware()])
        read(client, is_async=is_async, stream=True)
    wanted = {"error.type": "overloaded_error", "http.response.status_code": 529, "after200.phase": "mid_stream"}
    assert 1 == telemetry.total("after200.calls", wanted) == telemetry.total("after200.calls")


def test_a_request_of_the_application_s_own_while_it_reads_is_a_call_of_its_own(
    connect: Connect, telemetry: Telemetry
) -> None:
    with telemetry.instrumented(), connect("refusal_then_completed", middleware=[middleware()]) as client:
        other = connect("completed")
        for event in client.beta.messages.create(stream=True, **REQUEST):
            if event.type == "message_start":
                other.messages.create(**REQUEST)
    assert 2 == telemetry.total("after200.calls")
    assert 3 == telemetry.total("after200.attempts")
