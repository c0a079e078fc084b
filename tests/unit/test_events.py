# SPDX-License-Identifier: Apache-2.0
"""Wire events as literals → what is known of the call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from after200.call.events import read_entry, read_event, read_payload
from after200.call.record import ProviderError

from .calls import CHUNK, DELTA, OVERLOADED, START, STOP, Recorded, known, new_call

OVERLOADED_ERROR = ProviderError("overloaded_error", "Overloaded")
AS_TEXT = json.dumps(OVERLOADED)
STARTED = {"id": "msg_1", "model": "claude-answering", "input": 3, "cache_read": 20, "cache_write": 100}


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("message_start", START, STARTED),
        ("content_block_start", '{"type":"content_block_start"}', {}),
        ("content_block_delta", CHUNK, {"chunks": 1}),
        ("content_block_delta", "not JSON", {"chunks": 1}),
        ("content_block_stop", '{"type":"content_block_stop"}', {}),
        ("message_delta", DELTA, {"finish": ("end_turn",), "output": 7}),
        ("message_stop", STOP, {"stopped": True}),
        ("message_stop", "", {"stopped": True}),
        ("ping", '{"type":"ping"}', {}),
        ("ping", AS_TEXT, {}),
        ("error", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("error", "upstream connect error", {"error": ProviderError(None, None)}),
        ("error", "", {"error": ProviderError(None, None)}),
        ("error", "[]", {"error": ProviderError(None, None)}),
        ("error", "null", {"error": ProviderError(None, None)}),
        ("error", '"Overloaded"', {"error": ProviderError(None, "Overloaded")}),
        ("error", '{"type":"error","error":"Overloaded"}', {"error": ProviderError(None, "Overloaded")}),
        ("error", '{"type":"error","error":{"message":"m"}}', {"error": ProviderError(None, "m")}),
        ("error", '{"type":"error","error":{"type":7,"message":8}}', {"error": ProviderError(None, None)}),
        ("error", '{"type":"error"}', {"error": ProviderError(None, None)}),
        ("overloaded_error", '{"message":"m"}', {"error": ProviderError("overloaded_error", "m")}),
        ("throttlingException", '{"message":"m"}', {"error": ProviderError("throttlingException", "m")}),
        ("quantum_flux_error", "{}", {"error": ProviderError("quantum_flux_error", None)}),
        ("quantum_flux", AS_TEXT, {}),
        (None, "", {}),
        (None, "not JSON", {}),
        (None, '{"type":"message_stop"}', {}),
        (None, AS_TEXT, {"error": OVERLOADED_ERROR}),
        (None, '{"type":"rate_limit_error","message":"m"}', {"error": ProviderError("rate_limit_error", "m")}),
        ("completion", CHUNK.replace(" ", ""), {"chunks": 1}),
        ("completion", CHUNK, {"chunks": 1}),
        ("completion", START, STARTED),
        ("completion", STOP, {"stopped": True}),
        ("completion", AS_TEXT, {"error": OVERLOADED_ERROR}),
        ("completion", '{"type":"rate_limit_error","message":"m"}', {"error": ProviderError("rate_limit_error", "m")}),
        ("completion", '{"no":"type"}', {}),
        ("completion", '{"completion":"Hi","stop_reason":null,"model":"m"}', {"model": "m", "chunks": 1}),
        ("completion", '{"completion":"","stop_reason":"stop"}', {"finish": ("stop",), "stopped": True}),
    ],
)
def test_an_event_tells_what_it_says(event: str | None, data: str, expected: dict[str, Any]) -> None:
    call = new_call()
    read_event(call, event, data)
    assert expected == known(call)


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
    {"type": "message_start", "message": {"usage": {"input_tokens": "3", "cache_read_input_tokens": True}}},
    {"type": "message_delta", "delta": None, "usage": []},
    {"type": "message_delta", "delta": {"stop_reason": {}}, "usage": {"output_tokens": -1}},
    {"type": "message", "usage": {"input_tokens": 1.5}},
]


@pytest.mark.parametrize("payload", HOSTILE, ids=json.dumps)
@pytest.mark.parametrize("event", ["message_start", "message_delta", "completion", None])
def test_what_is_not_as_documented_tells_nothing(event: str | None, payload: object) -> None:
    call = new_call()
    read_event(call, event, json.dumps(payload))
    read_payload(call, payload)
    assert {} == known(call)


def test_the_first_error_counts() -> None:
    call = new_call()
    read_event(call, "error", AS_TEXT)
    read_event(call, "error", '{"type":"error","error":{"type":"api_error","message":"later"}}')
    assert {"error": OVERLOADED_ERROR} == known(call)


def test_the_output_tokens_of_message_start_are_a_placeholder() -> None:
    call = new_call()
    read_event(call, "message_start", '{"type":"message_start","message":{"usage":{"output_tokens":1}}}')
    assert {} == known(call)


def test_usage_is_what_was_said_last_and_what_is_left_out_stays() -> None:
    call = new_call()
    read_event(call, "message_start", START)
    read_event(call, "message_delta", '{"type":"message_delta","usage":{"input_tokens":4,"output_tokens":1}}')
    read_event(call, "message_delta", '{"type":"message_delta","usage":{"output_tokens":9}}')
    assert {**STARTED, "input": 4, "output": 9} == known(call)
    assert 124 == call.usage.all_input


def test_input_tokens_are_unknown_until_the_provider_says_them() -> None:
    call = new_call()
    call.usage.cache_read = 5
    assert None is call.usage.all_input


def test_names_are_cut_to_a_sane_length_and_stay_in_one_line() -> None:
    call = new_call()
    read_payload(call, {"type": "message_start", "message": {"id": "a\r\nb", "model": "m" * 1000}})
    assert "a b" == call.response_id
    assert call.response_model is not None
    assert 256 == len(call.response_model)


@pytest.mark.parametrize("event", ["session.error", "workflow_run.error"])
def test_an_error_of_a_session_is_an_inner_error_and_its_stream_goes_on(event: str) -> None:
    call = new_call(end_rule="open")
    call.signals = Recorded()
    read_event(call, event, '{"type":"session.error","error":{"type":"model_overloaded_error","message":"m"}}')
    assert [ProviderError("model_overloaded_error", "m")] == call.signals.inner_errors
    assert {} == known(call)


def test_an_entry_of_a_batch_that_failed_is_an_inner_error() -> None:
    call = new_call(end_rule="lines")
    call.signals = Recorded()
    read_entry(call, {"custom_id": "1", "result": {"type": "errored", "error": OVERLOADED}})
    read_entry(call, {"custom_id": "2", "result": {"type": "succeeded"}})
    read_entry(call, {"custom_id": "3", "result": "errored"})
    read_entry(call, "errored")
    assert [OVERLOADED_ERROR] == call.signals.inner_errors
    assert {} == known(call)


def test_an_error_in_place_of_an_entry_is_the_call_s() -> None:
    call = new_call(end_rule="lines")
    read_entry(call, OVERLOADED)
    assert {"error": OVERLOADED_ERROR} == known(call)
