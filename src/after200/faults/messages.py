# SPDX-License-Identifier: Apache-2.0
"""What a healthy Messages answer looks like on the wire: the events of a stream, and the whole body.

The request and the scenario's `Reply` go in, plain JSON comes out. Nothing of the prompt is echoed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .requests import Request
from .scenarios import Reply, Usage
from .steps import Event, Part

Json = dict[str, Any]
_TOOL_TEXT = "Let me look that up."
_SAMPLES: dict[str, Any] = {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "array": [], "object": {}}


def part_of_stream(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    """The events of one part of the stream."""
    return _PARTS[part](request, reply)


def whole_body(request: Request, reply: Reply) -> Json:
    """The body of an answer that is not streamed."""
    return {
        **_message(request),
        "content": [_filled(block) for block in _blocks(request, reply)],
        "stop_reason": _stop_reason(request, reply),
        "usage": _usage(reply.usage, reply.usage.output),
    }


def _start(request: Request, reply: Reply) -> Iterator[Event]:
    message = {**_message(request), "usage": _usage(reply.usage, 1)}
    yield _event({"type": "message_start", "message": message})
    yield _event({"type": "content_block_start", "index": 0, "content_block": _empty(_blocks(request, reply)[0])})
    if request.wire != "bedrock":  # Bedrock sends no pings
        yield _event({"type": "ping"})


def _text(request: Request, reply: Reply) -> Iterator[Event]:
    blocks = _blocks(request, reply)
    for index, block in enumerate(blocks):
        if index:
            yield _event({"type": "content_block_start", "index": index, "content_block": _empty(block)})
        for delta in _deltas(block, reply):
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        if index < len(blocks) - 1:
            yield _event({"type": "content_block_stop", "index": index})


def _close(request: Request, reply: Reply) -> Iterator[Event]:
    yield _event({"type": "content_block_stop", "index": len(_blocks(request, reply)) - 1})
    delta = {"stop_reason": _stop_reason(request, reply), "stop_sequence": None}
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


def _blocks(request: Request, reply: Reply) -> list[Json]:
    """The content of the answer, block by block, each one whole."""
    if reply.tool and not _has_tool_result(request.body):
        return [{"type": "text", "text": _TOOL_TEXT}, _tool_call(request)]
    text = {"type": "text", "text": "".join(reply.words)}
    if reply.thinking:
        return [{"type": "thinking", "thinking": "A greeting is asked for.", "signature": "c2lnbmF0dXJl"}, text]
    return [text]


def _filled(block: Json) -> Json:
    return block


def _empty(block: Json) -> Json:
    """The block as `content_block_start` announces it: before any delta has filled it."""
    emptied = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: emptied.get(key, value) if key != "type" else value for key, value in block.items()}


def _deltas(block: Json, reply: Reply) -> Iterator[Json]:
    if block["type"] == "tool_use":
        arguments = json.dumps(block["input"])
        for piece in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
            yield {"type": "input_json_delta", "partial_json": piece}
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        words = reply.words if block["text"] != _TOOL_TEXT else (_TOOL_TEXT,)
        yield from ({"type": "text_delta", "text": word} for word in words)


def _stop_reason(request: Request, reply: Reply) -> str:
    return "tool_use" if reply.tool and not _has_tool_result(request.body) else reply.stop_reason


def _has_tool_result(body: Mapping[str, Any]) -> bool:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return False
    content = messages[-1].get("content")
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _tool_call(request: Request) -> Json:
    """A call of the first tool that the request offers, with an argument for everything its schema requires."""
    tools = request.body.get("tools")
    tool = tools[0] if isinstance(tools, list) and tools and isinstance(tools[0], dict) else {}
    schema = tool.get("input_schema") or {"properties": {"city": {"type": "string"}}, "required": ["city"]}
    properties = schema.get("properties", {})
    arguments = {
        name: _SAMPLES.get(properties.get(name, {}).get("type"), "Paris") for name in schema.get("required", ())
    }
    call_id = "toolu_" + request.message_id.removeprefix("msg_")
    return {"type": "tool_use", "id": call_id, "name": tool.get("name", "get_weather"), "input": arguments}
