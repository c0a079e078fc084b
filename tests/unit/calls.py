# SPDX-License-Identifier: Apache-2.0
"""Calls, payloads and exceptions made of literals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from after200.call.facts import Facts
from after200.call.record import Call
from after200.names.endings import EndRule

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
BLOCK = json.dumps({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
CHUNK = json.dumps({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}})
EMPTY_CHUNK = json.dumps({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}})
TOOL_CHUNK = json.dumps({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta"}})
DELTA = json.dumps({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})
STOP = json.dumps({"type": "message_stop"})
OVERLOADED: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-answering",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 7},
}


def new_call(
    *,
    stream: bool = True,
    wire: int | None = 200,
    end_rule: EndRule = "message",
    operation: str = "chat",
    learned: Iterable[Facts] = (),
) -> Call:
    """Returns a call that was answered with the status code `wire`, and whose body said what `learned` says."""
    call = Call(operation=operation, provider="anthropic", model="claude-asked", stream=stream, end_rule=end_rule)
    call.wire_status = wire
    for facts in learned:
        call.learn(facts, call.started_at)
    return call


def known(facts: Iterable[Facts]) -> dict[str, Any]:
    """Returns what `facts` say together: every fact that has not its default, under a short name."""
    call = new_call(learned=facts)
    message, usage = call.message, call.message.usage
    all_facts = {
        "id": message.id,
        "model": message.model,
        "stop_reason": message.stop_reason,
        "category": message.refusal_category,
        "guarded": message.guarded,
        "content": call.has_content and call.progress.first_text_at is None,  # text is content
        "tools": dict(message.tools),
        **usage.tokens._asdict(),
        "ttl_5m": usage.ttl_5m,
        "ttl_1h": usage.ttl_1h,
        "thinking": usage.thinking,
        "compaction": usage.compaction,
        "fallback_model": usage.fallback_model,
        "service_tier": usage.service_tier,
        "speed": usage.speed,
        "chunks": call.progress.chunks,
        "text": call.progress.first_text_at is not None,
        "stopped": call.progress.stopped_at is not None,
        "error": call.error,
        "answer": call.is_answer,
        "malformed": call.is_malformed,
        "cut": call.was_cut,
    }
    counts = (*usage.tokens._fields, "ttl_5m", "ttl_1h", "thinking")
    return {name: value for name, value in all_facts.items() if value or (name in counts and value == 0)}


def exception_of(module: str, name: str, *bases: type[BaseException]) -> type[BaseException]:
    """Returns a class called `name` of `module`: which is all that is known of the HTTP client's exceptions."""
    return type(name, bases or (Exception,), {"__module__": module})


class AnswerError(Exception):
    """An exception that carries an answer, as the SDK's `APIStatusError` does."""

    def __init__(self, status_code: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__("answer")
        self.status_code = status_code
        self.body = body
        self.response = type("Response", (), {"headers": headers or {}})()


AnswerError.__module__ = "anthropic._exceptions"
