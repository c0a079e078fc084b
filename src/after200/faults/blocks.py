# SPDX-License-Identifier: Apache-2.0
"""The content blocks of an answer: text, thinking, calls of tools, results of tools that run at the provider.

A block that the provider does not stream (a tool's result, a fallback) stands whole in its `content_block_start`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_SERVER_TOOL_ID, _MCP_TOOL_ID = "srvtoolu_01", "mcptoolu_01"


@dataclass(frozen=True)
class Block:
    """One content block: as the whole body has it, as a stream announces it, and the deltas that fill it."""

    whole: Json
    empty: Json
    deltas: tuple[Json, ...] = ()


def unstreamed(block: Json) -> Block:
    """A block that comes without deltas."""
    return Block(block, block)


def text(words: tuple[str, ...]) -> Block:
    """A block of text, one delta per word."""
    deltas = tuple({"type": "text_delta", "text": word} for word in words)
    return Block({"type": "text", "text": "".join(words)}, {"type": "text", "text": ""}, deltas)


def thinking(thoughts: tuple[str, ...]) -> Block:
    """A block of thinking and its signature, one delta per thought."""
    signature = {"signature": "c2lnbmF0dXJl"}
    deltas = tuple({"type": "thinking_delta", "thinking": thought} for thought in thoughts)
    return Block(
        {"type": "thinking", "thinking": "".join(thoughts), **signature},
        {"type": "thinking", "thinking": "", "signature": ""},
        (*deltas, {"type": "signature_delta", **signature}),
    )


def compaction(summary: str) -> Block:
    """The summary that takes the place of a context that was compacted."""
    content = {"content": summary, "encrypted_content": "ZW5jcnlwdGVk"}
    delta = {"type": "compaction_delta", **content}
    return Block({"type": "compaction", **content}, {"type": "compaction", "content": None}, (delta,))


def tool_use(block: Json, arguments: Json) -> Block:
    """A call of a tool, on either side; the arguments come in two deltas."""
    written = json.dumps(arguments)
    halves = (written[: len(written) // 2], written[len(written) // 2 :])
    deltas = tuple({"type": "input_json_delta", "partial_json": half} for half in halves)
    return Block({**block, "input": arguments}, {**block, "input": {}}, deltas)


def server_tool(name: str, arguments: Json, result_type: str, content: object) -> tuple[Block, Block]:
    """A call of a tool that runs at the provider, and its result."""
    call = {"type": "server_tool_use", "id": _SERVER_TOOL_ID, "name": name}
    result = {"type": result_type, "tool_use_id": _SERVER_TOOL_ID, "content": content}
    return tool_use(call, arguments), unstreamed(result)


def mcp_tool(name: str, arguments: Json, said: str, is_error: bool) -> tuple[Block, Block]:
    """A call of a tool of an MCP server, and its result."""
    call = {"type": "mcp_tool_use", "id": _MCP_TOOL_ID, "name": name, "server_name": "library"}
    content = [{"type": "text", "text": said}]
    result = {"type": "mcp_tool_result", "tool_use_id": _MCP_TOOL_ID, "is_error": is_error, "content": content}
    return tool_use(call, arguments), unstreamed(result)
