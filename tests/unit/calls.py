# SPDX-License-Identifier: Apache-2.0
"""Calls made of literals."""

from __future__ import annotations

import json
from typing import Any

from after200.call.record import Call, ProviderError

START = json.dumps(
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "model": "claude-answering",
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 100},
        },
    }
)
CHUNK = json.dumps({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}})
DELTA = json.dumps({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})
STOP = json.dumps({"type": "message_stop"})
OVERLOADED: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def new_call(*, stream: bool = True, wire: int | None = 200, end_rule: str = "message") -> Call:
    """A call whose request has been answered with `wire`."""
    call = Call(operation="chat", provider="anthropic", model="claude-asked", stream=stream, end_rule=end_rule)
    call.wire_status = wire
    return call


class Recorded:
    """Signals that keep what they are told."""

    def __init__(self) -> None:
        self.inner_errors: list[ProviderError] = []

    def inner_error(self, call: Call, error: ProviderError) -> None:
        self.inner_errors.append(error)


def known(call: Call) -> dict[str, Any]:
    """What is known of `call` that did not stand there from the start."""
    usage = call.usage
    facts = {
        "id": call.response_id,
        "model": call.response_model,
        "finish": call.finish_reasons or None,
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "chunks": call.chunks or None,
        "stopped": call.stopped_at is not None or None,
        "error": call.error,
    }
    return {name: value for name, value in facts.items() if value is not None}
