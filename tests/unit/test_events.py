# SPDX-License-Identifier: Apache-2.0
"""One server-sent event as literals → what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from after200.call.events import read_event
from after200.call.facts import Facts, ProviderError, Tool

from .calls import BLOCK, CHUNK, DELTA, EMPTY_CHUNK, OVERLOADED, START, STOP, TOOL_CHUNK, known

OVERLOADED_ERROR = ProviderError("overloaded_error", "Overloaded")
AS_TEXT = json.dumps(OVERLOADED)
STARTED = {"id": "msg_1", "model": "claude-answering", "input": 3, "cache_read": 20, "cache_write": 100}
NO_TYPE = ProviderError(None, None)


def said(name: str | None, data: str, **options: Any) -> dict[str, Any]:
    """Returns what an event says, as `known` does."""
    facts = read_event(name, data, **options)
    return known(() if facts is None else (facts,))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("message_start", START, STARTED),
        ("content_block_start", BLOCK, {}),
        ("content_block_start", BLOCK.replace('"text": ""', '"text": "Hi"'), {"content": True}),
        ("content_block_start", '{"type":"content_block_start","content_block":{"text":""}}', {}),
        ("content_block_start", '{"type":"content_block_start"}', {"content": True}),
        ("content_block_delta", CHUNK, {"chunks": 1, "text": True}),
        ("content_block_delta", CHUNK.replace(" ", ""), {"chunks": 1, "text": True}),
        ("content_block_delta", EMPTY_CHUNK, {"chunks": 1}),
        ("content_block_delta", TOOL_CHUNK, {"chunks": 1, "content": True}),
        ("content_block_delta", "not JSON", {"chunks": 1, "content": True}),
        ("content_block_delta", "", {}),
        ("content_block_stop", '{"type":"content_block_stop","index":0}', {}),
        ("message_delta", DELTA, {"stop_reason": "end_turn", "output": 7}),
        ("message_stop", STOP, {"stopped": True}),
        ("message_stop", "", {}),
        ("message_stop", "not JSON", {}),
        ("ping", '{"type":"ping"}', {}),
        ("ping", STOP, {}),
        # An error under its own name, in every shape.
        ("error", AS_TEXT, {"error": OVERLOADED_ERROR}),
        (" error ", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("error", "upstream connect error", {"error": NO_TYPE}),
        ("error", "", {"error": NO_TYPE}),
        ("error", "[]", {"error": NO_TYPE}),
        ("error", "null", {"error": NO_TYPE}),
        ("error", '"Overloaded"', {"error": ProviderError(None, "Overloaded")}),
        ("error", '{"type":"error","error":"Overloaded"}', {"error": ProviderError(None, "Overloaded")}),
        ("error", '{"type":"error","error":{"message":"m"}}', {"error": ProviderError(None, "m")}),
        ("error", '{"type":"error","error":{"type":7,"message":8}}', {"error": NO_TYPE}),
        ("error", '{"type":"error"}', {"error": NO_TYPE}),
        ("error", '{"type":"api_error","message":"m"}', {"error": ProviderError("api_error", "m")}),
        ("error", '{"error":{"type":"api_error"}}', {"error": ProviderError("api_error", None)}),
        # An event whose name is the type.
        ("overloaded_error", '{"message":"m"}', {"error": ProviderError("overloaded_error", "m")}),
        ("throttlingException", '{"message":"m"}', {"error": ProviderError("throttlingException", "m")}),
        ("ThrottlingException", "not JSON", {"error": ProviderError("ThrottlingException", None)}),
        ("quantum_flux_error", "{}", {"error": ProviderError("quantum_flux_error", None)}),
        ("quantum_flux", "{}", {}),
        # The same payload under any other name, or none.
        ("quantum_flux", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("ping", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("message_start", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("content_block_delta", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("message_stop", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("message_delta", '{"error":{"type":"api_error"}}', {"error": ProviderError("api_error", None)}),
        ("content_block_stop", '{"type":"api_error"}', {"error": ProviderError("api_error", None)}),
        (None, "", {}),
        (None, "not JSON", {}),
        (None, STOP, {}),
        (None, CHUNK, {}),
        (None, AS_TEXT, {"error": OVERLOADED_ERROR}),
        (None, '{"type":"rate_limit_error","message":"m"}', {"error": ProviderError("rate_limit_error", "m")}),
        # Gateways that give every event one name.
        ("completion", CHUNK.replace(" ", ""), {"chunks": 1, "text": True}),
        ("completion", START, STARTED),
        ("completion", STOP, {"stopped": True}),
        ("completion", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("completion", '{"no":"type"}', {}),
        # The Text Completions API.
        ("completion", '{"completion":"Hi","stop_reason":null,"model":"m"}', {"model": "m", "chunks": 1, "text": True}),
        ("completion", '{"completion":"","stop_reason":"stop"}', {"stop_reason": "stop", "stopped": True}),
    ],
)
def test_an_event_says_what_it_says(name: str | None, data: str, expected: dict[str, Any]) -> None:
    assert expected == said(name, data)


@pytest.mark.parametrize("look_for_text", [True, False])
@pytest.mark.parametrize("delta", ['"delta":{"type":"text_delta","text":"Hi"}', '"delta":{"type":"input_json_delta"}'])
def test_an_error_inside_a_chunk_is_an_error_whether_or_not_text_is_looked_for(delta: str, look_for_text: bool) -> None:
    data = f'{{"type":"content_block_delta",{delta},"error":{{"type":"overloaded_error","message":"Overloaded"}}}}'
    assert {"error": OVERLOADED_ERROR} == said("content_block_delta", data, look_for_text=look_for_text)


def test_a_chunk_whose_text_is_the_word_error_is_a_chunk() -> None:
    data = CHUNK.replace("Hi", "error")
    assert {"chunks": 1, "text": True} == said("content_block_delta", data)
    assert 1 == said("content_block_delta", data, look_for_text=False)["chunks"]


def test_once_the_first_text_is_known_no_chunk_is_looked_into() -> None:
    assert {"chunks": 1, "content": True} == said("content_block_delta", CHUNK, look_for_text=False)


def test_a_tool_that_names_events_in_its_input_is_a_chunk() -> None:
    """A quoted name cannot stand inside a JSON string, where every quote is escaped."""
    hostile = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": AS_TEXT + STOP}}
    assert {"chunks": 1, "content": True} == said("content_block_delta", json.dumps(hostile))


@pytest.mark.parametrize(
    ("block", "tools"),
    [
        ({"type": "text"}, {}),
        ({"type": "tool_use"}, {}),
        ({"type": "web_search_tool_result", "content": []}, {Tool("web_search", None): 1}),
        (
            {
                "type": "web_search_tool_result",
                "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
            },
            {Tool("web_search", "max_uses_exceeded"): 1},
        ),
        ({"type": "mcp_tool_result", "is_error": True}, {Tool("mcp", "tool_error"): 1}),
    ],
)
def test_the_block_of_a_server_tool_says_how_the_tool_ended(block: dict[str, Any], tools: dict[Tool, int]) -> None:
    content = {} if block["type"] == "text" else {"content": True}
    expected = {**content, "tools": tools} if tools else content
    data = json.dumps({"type": "content_block_start", "content_block": block})
    assert expected == said("content_block_start", data)


HOSTILE: list[object] = [
    None,
    True,
    7,
    "text",
    [],
    {},
    {"type": None},
    {"type": []},
    {"type": "message_start"},
    {"type": "message_start", "message": []},
    {"type": "message_start", "message": {"id": 7, "model": {}, "usage": 5}},
    {"type": "message_start", "message": {"usage": {"input_tokens": "three", "cache_read_input_tokens": True}}},
    {"type": "message_delta", "delta": None, "usage": []},
    {"type": "message_delta", "delta": {"stop_reason": {}, "stop_details": 7}, "usage": {"output_tokens": -1}},
    {"type": "message_delta", "usage": {"iterations": [None, 7, {"type": []}], "cache_creation": 7}},
    {"type": "message", "usage": {"input_tokens": 1.5}},
    {"error": None},
    {"error": ""},
    {"error": 7},
    {"error": {}},
    {"error": {"type": "", "message": "", "code": 0}},
    {"error": {"type": "message_delta", "message": None, "code": None}},
]


@pytest.mark.parametrize("payload", HOSTILE, ids=json.dumps)
@pytest.mark.parametrize("name", ["message_start", "message_delta", "completion", "unheard_of", None])
def test_what_is_not_as_documented_says_nothing(name: str | None, payload: object) -> None:
    assert {} == said(name, json.dumps(payload))


def test_json_that_is_nested_as_deep_as_a_server_likes_says_nothing() -> None:
    assert {} == said("message_start", "[" * 200_000)


@pytest.mark.parametrize("name", ["session.error", "workflow_run.error"])
def test_an_error_of_a_session_is_an_inner_error_and_its_stream_goes_on(name: str) -> None:
    data = '{"type":"session.error","error":{"type":"model_overloaded_error","message":"m"}}'
    expected = Facts(inner_error=ProviderError("model_overloaded_error", "m"))
    assert expected == read_event(name, data, "open")


def test_an_event_of_a_session_is_nothing_and_its_error_event_is_the_call_s() -> None:
    assert None is read_event("session.status_idle", '{"type":"session.status_idle","error":{"type":"x"}}', "open")
    assert {"error": OVERLOADED_ERROR} == said("error", AS_TEXT, rule="open")
