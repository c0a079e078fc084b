# SPDX-License-Identifier: Apache-2.0
"""What a healthy Messages answer looks like on the wire: the events of a stream, and the whole body.

The request and the scenario's `Reply` go in, plain JSON comes out. Nothing of the prompt is echoed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from .blocks import Block, Json, text, tool_use, unstreamed
from .replies import Fallback, Iteration, Reply, Usage
from .requests import Request
from .steps import Event, Part

_T = TypeVar("_T")
_TOOL: Json = {
    "name": "get_weather",
    "input_schema": {"properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_SAMPLES: dict[str, Any] = {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "array": [], "object": {}}


def part_of_stream(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    """The events of one part of the stream."""
    for data in _PARTS[part](request, reply):
        yield Event(data["type"], {**data, **reply.beside.get(data["type"], {})})


def whole_body(request: Request, reply: Reply) -> Json:
    """The body of an answer that is not streamed."""
    return {
        **_message(request, reply.fallback.model if reply.fallback else request.model),
        "content": [block.whole for block in _blocks(request, reply)],
        **_stop_fields(request, reply),
        "usage": {**_first_usage(request, reply.usage), **_last_usage(request, reply.usage)},
        **reply.beside.get("message", {}),
    }


def _start(request: Request, reply: Reply) -> Iterator[Json]:
    began_elsewhere = reply.fallback is not None and not reply.fallback.hop
    model = reply.fallback.model if reply.fallback and began_elsewhere else request.model
    yield {
        "type": "message_start",
        "message": {**_message(request, model), "usage": _first_usage(request, reply.usage)},
    }
    for block in _blocks(request, reply)[:1]:
        yield {"type": "content_block_start", "index": 0, "content_block": block.empty}
    if request.wire != "bedrock":  # Bedrock sends no pings
        yield {"type": "ping"}


def _text(request: Request, reply: Reply) -> Iterator[Json]:
    for index, block in enumerate(_blocks(request, reply)):
        if index:
            yield {"type": "content_block_stop", "index": index - 1}
            yield {"type": "content_block_start", "index": index, "content_block": block.empty}
        for delta in block.deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}


def _close(request: Request, reply: Reply) -> Iterator[Json]:
    blocks = _blocks(request, reply)
    if blocks:
        yield {"type": "content_block_stop", "index": len(blocks) - 1}
    yield {
        "type": "message_delta",
        "delta": _stop_fields(request, reply),
        "usage": _last_usage(request, reply.usage),
    }


def _stop(request: Request, reply: Reply) -> Iterator[Json]:
    stop: Json = {"type": "message_stop"}
    if request.wire == "bedrock":
        stop["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": reply.usage.input,
            "outputTokenCount": reply.usage.output,
            "invocationLatency": 412,
            "firstByteLatency": 187,
        }
    yield stop


_PARTS = {"start": _start, "text": _text, "close": _close, "stop": _stop}


def _message(request: Request, model: str) -> Json:
    return {
        "id": request.message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop_fields(request: Request, reply: Reply) -> Json:
    calls_tool = reply.tool and not _has_tool_result(request.body)
    reason = "tool_use" if calls_tool else reply.stop_reason
    details = {} if reply.stop_details is None else {"stop_details": {**reply.stop_details}}
    return {"stop_reason": reason, "stop_sequence": reply.stop_sequence, **details}


# --- usage ------------------------------------------------------------------------------------------------------------


def _first_usage(request: Request, usage: Usage) -> Json:
    """What `message_start` says; its output count is a placeholder."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_creation,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": 1,
        "service_tier": usage.service_tier,
        **({"speed": usage.speed} if usage.speed else {}),
        **_cache_creation(usage),
        **_iterations(request, usage.first_iterations),
    }


def _last_usage(request: Request, usage: Usage) -> Json:
    """What `message_delta` says, and a whole body in place of the placeholder."""
    details = {} if usage.thinking is None else {"output_tokens_details": {"thinking_tokens": usage.thinking}}
    return {"output_tokens": usage.output, **details, **_iterations(request, usage.iterations)}


def _cache_creation(usage: Usage) -> Json:
    if usage.ttl_5m is None and usage.ttl_1h is None:
        return {}
    split = {"ephemeral_5m_input_tokens": usage.ttl_5m or 0, "ephemeral_1h_input_tokens": usage.ttl_1h or 0}
    return {"cache_creation": split}


def _iterations(request: Request, iterations: tuple[Iteration, ...]) -> Json:
    entries = [
        {
            "type": entry.type,
            "input_tokens": entry.input,
            "output_tokens": entry.output,
            "cache_creation_input_tokens": entry.cache_creation,
            "cache_read_input_tokens": entry.cache_read,
            **({} if entry.type == "compaction" else {"model": entry.model or request.model}),
        }
        for entry in iterations
    ]
    return {"iterations": entries} if entries else {}


# --- content ----------------------------------------------------------------------------------------------------------


def _blocks(request: Request, reply: Reply) -> tuple[Block, ...]:
    if reply.tool and not _has_tool_result(request.body):
        return text(("Let me look that up.",)), _tool_call(request)
    hop = (_fallback(request, reply.fallback),) if reply.fallback and reply.fallback.hop else ()
    return (*reply.before, *hop, *((text(reply.words),) if reply.words else ()))


def _fallback(request: Request, fallback: Fallback) -> Block:
    hop = {"from": {"model": request.model}, "to": {"model": fallback.model}}
    return unstreamed({"type": "fallback", **hop, "trigger": {"type": "refusal", "category": fallback.category}})


def _tool_call(request: Request) -> Block:
    """A call of the first tool that the request offers, with an argument for everything its schema requires."""
    tool = next(iter(_dicts(request.body.get("tools"))), _TOOL)
    (schema,) = _dicts([tool.get("input_schema")]) or (_TOOL["input_schema"],)
    (properties,) = _dicts([schema.get("properties")]) or ({},)
    types = {name: str(entry.get("type")) for name, entry in properties.items() if isinstance(entry, dict)}
    required = _entries(schema.get("required"), str)
    call = {
        "type": "tool_use",
        "id": request.message_id.replace("msg_", "toolu_"),
        "name": str(tool.get("name")),
    }
    return tool_use(call, {name: _SAMPLES.get(types.get(name, ""), "Paris") for name in required})


def _dicts(value: object) -> list[Json]:
    return _entries(value, dict)


def _entries(value: object, kind: type[_T]) -> list[_T]:
    """The entries of this kind in a list, and nothing else: what a client sends may be anything."""
    return [entry for entry in value if isinstance(entry, kind)] if isinstance(value, list) else []


def _has_tool_result(body: Mapping[str, Any]) -> bool:
    last = _dicts(body.get("messages"))[-1:]
    return any(block.get("type") == "tool_result" for message in last for block in _dicts(message.get("content")))
