# SPDX-License-Identifier: Apache-2.0
"""What a healthy Messages answer looks like on the wire: the events of a stream, and the whole body.

The request and the scenario's `Reply` go in, plain JSON comes out. Nothing of the prompt is echoed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .requests import Request
from .scenarios import Reply, Usage
from .steps import Event, Part

Json = dict[str, Any]
_T = TypeVar("_T")
_TOOL: Json = {
    "name": "get_weather",
    "input_schema": {"properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_SAMPLES: dict[str, Any] = {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "array": [], "object": {}}


def part_of_stream(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    """The events of one part of the stream."""
    return _PARTS[part](request, reply)


def whole_body(request: Request, reply: Reply) -> Json:
    """The body of an answer that is not streamed."""
    return {
        **_message(request),
        "content": [block.whole for block in _blocks(request, reply)],
        "stop_reason": _stop_reason(request, reply),
        **_stop_details(reply),
        "usage": _usage(reply.usage, reply.usage.output),
    }


def _start(request: Request, reply: Reply) -> Iterator[Event]:
    message = {**_message(request), "usage": _usage(reply.usage, 1)}
    yield _event({"type": "message_start", "message": message})
    yield _event({"type": "content_block_start", "index": 0, "content_block": _blocks(request, reply)[0].empty})
    if request.wire != "bedrock":  # Bedrock sends no pings
        yield _event({"type": "ping"})


def _text(request: Request, reply: Reply) -> Iterator[Event]:
    for index, block in enumerate(_blocks(request, reply)):
        if index:
            yield _event({"type": "content_block_stop", "index": index - 1})
            yield _event({"type": "content_block_start", "index": index, "content_block": block.empty})
        for delta in block.deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})


def _close(request: Request, reply: Reply) -> Iterator[Event]:
    yield _event({"type": "content_block_stop", "index": len(_blocks(request, reply)) - 1})
    delta = {"stop_reason": _stop_reason(request, reply), "stop_sequence": None, **_stop_details(reply)}
    yield _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.usage.output}})


def _stop(request: Request, reply: Reply) -> Iterator[Event]:
    stop: Json = {"type": "message_stop"}
    if request.wire == "bedrock":
        usage = reply.usage
        stop["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": usage.input,
            "outputTokenCount": usage.output,
            "invocationLatency": 412,
            "firstByteLatency": 187,
        }
    yield _event(stop)


_PARTS = {"start": _start, "text": _text, "close": _close, "stop": _stop}


def _event(data: Json) -> Event:
    return Event(data["type"], data)


def _message(request: Request) -> Json:
    return {
        "id": request.message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(usage: Usage, output: int) -> Json:
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_creation,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": output,
        "service_tier": "standard",
    }


@dataclass(frozen=True)
class _Block:
    """One content block: as the whole body has it, as a stream announces it, and the deltas that fill it."""

    whole: Json
    empty: Json
    deltas: tuple[Json, ...]


def _blocks(request: Request, reply: Reply) -> tuple[_Block, ...]:
    if reply.tool and not _has_tool_result(request.body):
        return _text_block(("Let me look that up.",)), _tool_block(request)
    return (*((_thinking_block(),) if reply.thinking else ()), _text_block(reply.words))


def _text_block(words: tuple[str, ...]) -> _Block:
    deltas = tuple({"type": "text_delta", "text": word} for word in words)
    return _Block({"type": "text", "text": "".join(words)}, {"type": "text", "text": ""}, deltas)


def _thinking_block() -> _Block:
    thinking, signature = {"thinking": "A greeting is asked for."}, {"signature": "c2lnbmF0dXJl"}
    return _Block(
        {"type": "thinking", **thinking, **signature},
        {"type": "thinking", "thinking": "", "signature": ""},
        ({"type": "thinking_delta", **thinking}, {"type": "signature_delta", **signature}),
    )


def _tool_block(request: Request) -> _Block:
    name, arguments = _tool_call(request.body)
    block = {"type": "tool_use", "id": request.message_id.replace("msg_", "toolu_"), "name": name}
    text = json.dumps(arguments)
    halves = (text[: len(text) // 2], text[len(text) // 2 :])
    deltas = tuple({"type": "input_json_delta", "partial_json": half} for half in halves)
    return _Block({**block, "input": arguments}, {**block, "input": {}}, deltas)


def _tool_call(body: Mapping[str, Any]) -> tuple[str, Json]:
    """The first tool that the request offers, with an argument for everything its schema requires."""
    tool = next(iter(_dicts(body.get("tools"))), _TOOL)
    (schema,) = _dicts([tool.get("input_schema")]) or (_TOOL["input_schema"],)
    (properties,) = _dicts([schema.get("properties")]) or ({},)
    types = {name: str(entry.get("type")) for name, entry in properties.items() if isinstance(entry, dict)}
    required = _entries(schema.get("required"), str)
    return str(tool.get("name")), {name: _SAMPLES.get(types.get(name, ""), "Paris") for name in required}


def _dicts(value: object) -> list[Json]:
    return _entries(value, dict)


def _entries(value: object, kind: type[_T]) -> list[_T]:
    """The entries of this kind in a list, and nothing else: what a client sends may be anything."""
    return [entry for entry in value if isinstance(entry, kind)] if isinstance(value, list) else []


def _stop_reason(request: Request, reply: Reply) -> str:
    return "tool_use" if reply.tool and not _has_tool_result(request.body) else reply.stop_reason


def _stop_details(reply: Reply) -> Json:
    """What a refusal says besides, when there is something to say: the token that another model is asked with."""
    if not reply.fallback_credit_token:
        return {}
    details = {"type": "refusal", "category": None, "explanation": None}
    return {"stop_details": {**details, "fallback_credit_token": reply.fallback_credit_token}}


def _has_tool_result(body: Mapping[str, Any]) -> bool:
    last = _dicts(body.get("messages"))[-1:]
    return any(block.get("type") == "tool_result" for message in last for block in _dicts(message.get("content")))
