# SPDX-License-Identifier: Apache-2.0
"""What the real SDK makes of every scenario of the Anthropic wire: the ground the package's own tests stand on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import anthropic
import pytest

from after200.faults import SCENARIOS, FaultServer
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS

from .clients import ASKED

COMPLETED = "message_stop"
DELTA = "content_block_delta"
_IN_STREAM = "APIStatusError 200"
_RESET, _CUT, _READ_TIMEOUT = "ReadError", "RemoteProtocolError", "ReadTimeout"
_CONNECTION, _TIMEOUT = "APIConnectionError", "APITimeoutError"
_NOT_JSON, _NOT_UTF8 = "JSONDecodeError", "UnicodeDecodeError"

# What a stream ends with in the application's hands: the last event's type (None: no event), or the exception raised;
# and how the server saw it: how it ended, the type it sent.
STREAMED: dict[str, tuple[str | None, str, str | None]] = {
    **dict.fromkeys(("completed", "completed_slow", "long", "refusal", "max_tokens"), (COMPLETED, "end", None)),
    **dict.fromkeys(("cached", "tool_use", "thinking", "gzip_completed"), (COMPLETED, "end", None)),
    "refusal_then_completed": (COMPLETED, "end", None),
    **{
        f"{error_type}_{place}": (_IN_STREAM, "end", error_type)
        for error_type in ANTHROPIC_ERRORS
        for place in ("first_event", "mid_stream", "after_message_delta")
    },
    "overloaded_error_after_message_stop": (_IN_STREAM, "end", "overloaded_error"),
    "gzip_overloaded_mid_stream": (_IN_STREAM, "end", "overloaded_error"),
    "unknown_error_mid_stream": (_IN_STREAM, "end", "quantum_flux_error"),
    "error_not_json": (_IN_STREAM, "end", None),
    "error_without_type": (_IN_STREAM, "end", None),
    "error_is_string": (_IN_STREAM, "end", None),
    "error_empty": (_IN_STREAM, "end", None),
    "error_unnamed": (DELTA, "end", "overloaded_error"),
    "error_unnamed_first_event": (None, "end", "overloaded_error"),
    "error_unnamed_then_completed": (COMPLETED, "end", "overloaded_error"),
    **{f"http_{status}": (f"* {status}", "end", error_type) for status, error_type in TYPE_OF_STATUS.items()},
    **{f"http_{status}_html": (f"* {status}", "end", None) for status in (413, 429, 500, 502, 503, 504, 529)},
    "http_529_always": ("* 529", "end", "overloaded_error"),
    **{f"http_{status}_then_completed": (f"* {status}", "end", TYPE_OF_STATUS[status]) for status in (408, 429, 500)},
    **{f"http_{status}_then_completed": (f"* {status}", "end", TYPE_OF_STATUS[status]) for status in (503, 529)},
    "http_503_then_529_then_completed": ("* 503", "end", "overloaded_error"),
    "http_529_then_overloaded_mid_stream": ("* 529", "end", "overloaded_error"),
    "overloaded_mid_stream_then_completed": (_IN_STREAM, "end", "overloaded_error"),
    "reset_then_completed": (_CONNECTION, "reset", None),
    "body_error_200": (None, "end", "overloaded_error"),
    "body_not_json_200": (None, "end", None),
    "body_html_200": (None, "end", None),
    "body_empty_200": (None, "end", None),
    "body_cut": (_RESET, "reset", None),
    "body_short": (_CUT, "cut", None),
    "reset_before_response": (_CONNECTION, "reset", None),
    **{f"reset_{place}": (_RESET, "reset", None) for place in ("first_event", "mid_stream", "after_message_delta")},
    "reset_after_message_stop": (_RESET, "reset", None),
    "half_chunk": (_CUT, "cut", None),
    "cut_before_response": (_CONNECTION, "cut", None),
    "cut_mid_stream": (_CUT, "cut", None),
    "stall_before_response": (_TIMEOUT, "stalled", None),
    "stall_first_event": (_READ_TIMEOUT, "stalled", None),
    "stall_mid_stream": (_READ_TIMEOUT, "stalled", None),
    "end_before_first_event": (None, "end", None),
    "end_before_content": ("content_block_start", "end", None),
    "end_without_message_stop": (DELTA, "end", None),
    "end_after_message_delta": ("message_delta", "end", None),
    "ping_only_then_end": (None, "end", None),
    "not_json_mid_stream": (_NOT_JSON, "end", None),
    "not_utf8_mid_stream": (_NOT_UTF8, "end", None),
}

# The same for a call that does not stream; what is missing here is an HTTP error, as its stream carries an error.
WHOLE: dict[str, str] = {
    **{name: "message" for name, (seen, _, failure) in STREAMED.items() if seen == COMPLETED and failure is None},
    **{
        name: seen
        for name, (seen, _, _) in STREAMED.items()
        if seen and seen.startswith(("* ", "API")) and "200" not in seen
    },
    **{name: _CONNECTION for name, (seen, _, _) in STREAMED.items() if seen in (_RESET, _CUT)},
    **{name: _TIMEOUT for name, (seen, _, _) in STREAMED.items() if seen == _READ_TIMEOUT},
    **{name: _NOT_JSON for name in SCENARIOS if name.startswith(("end_", "not_json"))},
    "body_error_200": "error",
    "body_not_json_200": _NOT_JSON,
    "body_html_200": "str",
    "body_empty_200": _NOT_JSON,
    "ping_only_then_end": _NOT_JSON,
    "not_utf8_mid_stream": _NOT_UTF8,
}
HOSTILE = "hostile_type_mid_stream"
EVERYWHERE = [name for name, scenario in SCENARIOS.items() if not scenario.only]


def shown(error: Exception, expected: str | None) -> str:
    """The exception as the tables write it."""
    name, status = type(error).__name__, getattr(error, "status_code", None)
    if status is None:
        return name
    assert isinstance(error, anthropic.APIStatusError)
    return f"* {status}" if expected == f"* {status}" else f"{name} {status}"


def options(server: FaultServer, scenario: str) -> dict[str, Any]:
    timeout = 0.3 if scenario.startswith("stall") else 10
    return {"base_url": server.base_url(scenario), "api_key": "none", "max_retries": 0, "timeout": timeout}


def client(server: FaultServer, scenario: str, **more: Any) -> anthropic.Anthropic:
    http_client = anthropic.DefaultHttpxClient(verify=False)  # spares every test the loading of certificates
    return anthropic.Anthropic(**{**options(server, scenario), **more}, http_client=http_client)


def async_client(server: FaultServer, scenario: str) -> anthropic.AsyncAnthropic:
    http_client = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(**options(server, scenario), http_client=http_client)


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
    assert (last, served.finished, served.failure) == (expected, finished, failure)


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
    assert (last, served.finished, served.failure) == (expected, finished, failure)


@pytest.mark.parametrize("scenario", EVERYWHERE)
def test_a_call_that_does_not_stream(server: FaultServer, scenario: str) -> None:
    expected = WHOLE.get(scenario, "* an HTTP error")
    with client(server, scenario) as opened:
        try:
            message = opened.messages.create(**ASKED)
            seen = message.type if hasattr(message, "type") else type(message).__name__
        except Exception as error:
            seen = shown(error, expected)
            if expected == "* an HTTP error" and getattr(error, "status_code", 0) >= 400:
                seen = expected
    (served,) = server.wait_idle()
    assert seen == expected
    assert served.events_sent == ()


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
