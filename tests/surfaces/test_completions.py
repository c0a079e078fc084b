# SPDX-License-Identifier: Apache-2.0
"""The Text Completions API, which the SDK has up to 0.125: every event is a chunk, a `stop_reason` is the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from after200.faults import FaultServer

from ..support.telemetry import SECONDS, Telemetry
from .expected import outcome, recorded, span
from .needs import Connect, needs

pytestmark = needs("completions")

MODEL = "claude-2.1"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "max_tokens_to_sample": 64,
    "prompt": "\n\nHuman: Hello?\n\nAssistant:",
}
ASKED = {"gen_ai__request__max_tokens": 64}
_TEXT = {
    "gen_ai__response__id": "compl_N",
    "gen_ai__response__model": MODEL,
    "gen_ai__response__time_to_first_chunk": SECONDS,
    "after200__stream__longest_gap": SECONDS,
    "after200__stream__chunks": 4,
    "after200__stream__time_to_first_text": SECONDS,
}
_OVERLOADED = {
    "description": "Overloaded",
    "error__type": "overloaded_error",
    "http__response__status_code": 529,
    "after200__outcome": "failed",
    "after200__failure": "overloaded",
    "after200__retryable": True,
}
_TRUNCATED = {
    "description": "The stream ended before its end event.",
    "error__type": "stream_truncated",
    "after200__outcome": "truncated",
    "after200__failure": "truncated",
    "after200__retryable": True,
}

STREAMS: dict[str, dict[str, Any]] = {
    "completed": {**_TEXT, "after200__outcome": "completed", "gen_ai__response__finish_reasons": ("stop_sequence",)},
    "overloaded_error_first_event": {
        **_OVERLOADED,
        "after200__phase": "first_chunk",
        "after200__stream__chunks": 0,
        "after200__stream__longest_gap": SECONDS,
    },
    "overloaded_error_mid_stream": {**_OVERLOADED, **_TEXT, "after200__phase": "mid_stream"},
    "end_without_message_stop": {**_TRUNCATED, **_TEXT, "after200__phase": "mid_stream"},
    "http_529": {
        **_OVERLOADED,
        "after200__phase": "request",
        "after200__wire__status_code": 529,
    },
}


def read(client: Any) -> list[str]:
    """The texts that the application gets, and the class of what is raised."""
    seen = []
    try:
        with client:
            seen = [event.completion for event in client.completions.create(stream=True, **REQUEST)]
    except Exception as error:
        seen.append(type(error).__name__)
    return seen


def aread(client: Any) -> list[str]:
    """The async twin."""
    seen = []

    async def main() -> None:
        async with client:
            async for event in await client.completions.create(stream=True, **REQUEST):
                seen.append(event.completion)

    try:
        asyncio.run(main())
    except Exception as error:
        seen.append(type(error).__name__)
    return seen


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("scenario", STREAMS)
def test_a_completion_stream_ends_as_its_events_say(
    connect: Connect, server: FaultServer, telemetry: Telemetry, scenario: str, is_async: bool
) -> None:
    reader = aread if is_async else read
    without = reader(connect(scenario, is_async=is_async))
    with telemetry.instrumented():
        assert without == reader(connect(scenario, is_async=is_async))
    assert [span(server, "text_completion", MODEL, **ASKED, **STREAMS[scenario])] == recorded(telemetry)


def test_a_completion_stream_that_is_closed_is_closed(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("completed") as client:
        stream = client.completions.create(stream=True, **REQUEST)
        next(stream)
        stream.close()
    assert {"closed": 1} == outcome(telemetry)


def test_a_completion_that_is_read_by_lines_is_judged_by_the_same_rules(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        for scenario in ("completed", "end_without_message_stop", "overloaded_error_mid_stream"):
            with connect(scenario) as client:
                create = client.completions.with_streaming_response.create
                with create(stream=True, **REQUEST) as response:
                    assert list(response.iter_lines())
    assert {"completed": 1, "truncated": 1, "failed": 1} == outcome(telemetry)


def test_a_whole_completion_is_completed(connect: Connect, server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("completed") as client:
        assert "Hello from Claude." == client.completions.create(**REQUEST).completion
    whole = {
        **ASKED,
        "after200__outcome": "completed",
        "gen_ai__request__stream": None,
        "gen_ai__response__id": "compl_N",
        "gen_ai__response__model": MODEL,
        "gen_ai__response__finish_reasons": ("stop_sequence",),
    }
    assert [span(server, "text_completion", MODEL, **whole)] == recorded(telemetry)
