# SPDX-License-Identifier: Apache-2.0
"""The payloads that make up a message → `Facts`. Decoded JSON comes in, of whatever shape a server sends.

What is not as the Claude API documents it says nothing; nothing here raises for its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..names.endings import EndRule
from . import converse
from .errors import find_error
from .facts import CHUNK_CAME, EMPTY_TEXT_CAME, IS_MALFORMED, TEXT_CAME, Facts, Message, Tokens, Tool, Usage
from .limits import clean_count, clean_name, looks_like_a_type

TOOL_RESULT: Final = "_tool_result"
"""How the type of a block ends that holds the result of a server tool."""

GUARDRAIL: Final = "amazon-bedrock-guardrailAction"
"""The field of a payload in which Amazon Bedrock says what its guardrail did."""

MAX_LIST: Final = 10_000
"""How many entries of a list in a payload are looked at."""


def read_payload(payload: object, event: str | None = None) -> Facts | None:
    """Returns what the payload of an event says, by the type that it gives itself; None when it says nothing.

    `event` is the name of the event: it may say that the payload is an error.
    """
    error = find_error(payload, event)
    if error is not None:
        return Facts(error=error)
    if not isinstance(payload, dict):
        return None
    kind = payload.get("type")
    if kind is None and "completion" in payload:
        kind = "completion"
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    return None if reader is None else reader(payload)


def read_whole(payload: object, rule: EndRule = "message") -> Facts:
    """Returns what a whole body says, the answer to a call that does not stream: an answer, an error, or neither.

    `rule` is what ends a stream of the same kind of call: an answer of `completion` has `completion` in it.
    """
    if rule == "converse":
        return converse.read_whole(payload)
    if isinstance(payload, dict) and payload.get("type") != "error":
        if rule == "completion":
            if isinstance(payload.get("completion"), str) and find_error(payload) is None:
                return Facts(message=_completion(payload).message, is_answer=True)
        elif payload.get("type") == "message" or isinstance(payload.get("content"), list):
            return Facts(message=read_message(payload), content=has_content(payload), is_answer=True)
    error = find_error(payload)
    return IS_MALFORMED if error is None else Facts(error=error)


def read_message(message: Mapping[str, object]) -> Message:
    """Returns what a whole message says."""
    content = message.get("content")
    blocks = content[:MAX_LIST] if isinstance(content, list) else []
    tools = [tool for block in blocks if (tool := read_tool(block)) is not None]
    return Message(
        id=clean_name(message.get("id")),
        model=clean_name(message.get("model")),
        stop_reason=clean_name(message.get("stop_reason")),
        refusal_category=_category(message.get("stop_details")),
        guarded=_is_guarded(message),
        tools=tuple((tool, 1) for tool in tools),
        usage=read_usage(message.get("usage")),
    )


def has_content(message: Mapping[str, object]) -> bool:
    """Returns whether a block of a whole message has content."""
    content = message.get("content")
    if isinstance(content, list):
        return any(_is_content(block) for block in content[:MAX_LIST])
    return bool(content)


def _is_content(block: object) -> bool:
    """Returns whether a content block is more than an empty text. Any other block counts, whatever is in it."""
    if isinstance(block, dict):
        kind = block.get("type")
        if kind == "text" or (kind is None and "text" in block):
            return bool(block.get("text"))
    return block != ""


def read_tool(block: object) -> Tool | None:
    """Returns the server tool whose result `block` is, and None for a block of another type."""
    if not isinstance(block, dict):
        return None
    kind = block.get("type")
    if not isinstance(kind, str) or not kind.endswith(TOOL_RESULT):
        return None
    tool = kind.removesuffix(TOOL_RESULT)
    if not looks_like_a_type(tool):
        return None
    content = block.get("content")
    code = content.get("error_code") if isinstance(content, dict) else None
    if code is not None:
        return Tool(tool, str(code) if looks_like_a_type(code) else "tool_error")
    failed = block.get("is_error") is True or (
        isinstance(content, dict) and str(content.get("type")).endswith("_error")
    )
    return Tool(tool, "tool_error" if failed else None)


def read_usage(usage: object, *, output: bool = True) -> Usage:
    """Returns what a `usage` object says: tokens, their details, what was served.

    `output` is False for the object in `message_start`, whose output tokens are a placeholder.
    """
    if not isinstance(usage, dict):
        return Usage()
    details, cached = usage.get("output_tokens_details"), usage.get("cache_creation")
    iterations = usage.get("iterations")
    compaction, fallback_model = _read_iterations(iterations) if isinstance(iterations, list) else (None, None)
    return Usage(
        tokens=_tokens(usage, output=output),
        ttl_5m=clean_count(cached.get("ephemeral_5m_input_tokens")) if isinstance(cached, dict) else None,
        ttl_1h=clean_count(cached.get("ephemeral_1h_input_tokens")) if isinstance(cached, dict) else None,
        thinking=clean_count(details.get("thinking_tokens")) if output and isinstance(details, dict) else None,
        compaction=compaction,
        fallback_model=fallback_model,
        service_tier=clean_name(usage.get("service_tier")),
        speed=clean_name(usage.get("speed")),
        has_iterations=isinstance(iterations, list),
    )


def _read_iterations(iterations: list[object]) -> tuple[Tokens | None, str | None]:
    """Returns the tokens of all compactions, and the model of the last fallback."""
    entries = [entry for entry in iterations[:MAX_LIST] if isinstance(entry, dict)]
    compactions = [_tokens(entry) for entry in entries if entry.get("type") == "compaction"]
    fallbacks = [clean_name(entry.get("model")) for entry in entries if entry.get("type") == "fallback_message"]
    return _sum(compactions) if compactions else None, fallbacks[-1] if fallbacks else None


def _tokens(counts: Mapping[str, object], *, output: bool = True) -> Tokens:
    return Tokens(
        input=clean_count(counts.get("input_tokens")),
        output=clean_count(counts.get("output_tokens")) if output else None,
        cache_read=clean_count(counts.get("cache_read_input_tokens")),
        cache_write=clean_count(counts.get("cache_creation_input_tokens")),
    )


def _sum(all_tokens: Sequence[Tokens]) -> Tokens:
    return Tokens(*(sum(number or 0 for number in numbers) for numbers in zip(*all_tokens, strict=True)))


def _category(stop_details: object) -> str | None:
    if not isinstance(stop_details, dict) or stop_details.get("type") not in (None, "refusal"):
        return None
    category = stop_details.get("category")
    return str(category) if looks_like_a_type(category) else None


def _is_guarded(payload: Mapping[str, object]) -> bool:
    return payload.get(GUARDRAIL) == "INTERVENED"


# --- payloads by type ---


def _message_start(payload: Mapping[str, object]) -> Facts | None:
    message = payload.get("message")
    if not isinstance(message, dict):
        return None
    # Content and stop reason come with events of their own.
    return Facts(
        message=Message(
            id=clean_name(message.get("id")),
            model=clean_name(message.get("model")),
            refusal_category=_category(message.get("stop_details")),
            guarded=_is_guarded(message),
            usage=read_usage(message.get("usage"), output=False),
        )
    )


def _message_delta(payload: Mapping[str, object]) -> Facts:
    delta = payload.get("delta")
    fields = delta if isinstance(delta, dict) else {}
    return Facts(
        message=Message(
            stop_reason=clean_name(fields.get("stop_reason")),
            refusal_category=_category(fields.get("stop_details")),
            guarded=_is_guarded(payload),
            usage=read_usage(payload.get("usage")),
        )
    )


def _message_stop(payload: Mapping[str, object]) -> Facts:
    return Facts(stopped=True, message=Message(guarded=True) if _is_guarded(payload) else None)


def _block_start(payload: Mapping[str, object]) -> Facts:
    block = payload.get("content_block")
    tool = read_tool(block)
    message = None if tool is None else Message(tools=((tool, 1),))
    return Facts(message=message, content=_is_content(block))


def _block_delta(payload: Mapping[str, object]) -> Facts:
    delta = payload.get("delta")
    if not isinstance(delta, dict) or delta.get("type") != "text_delta":
        return CHUNK_CAME
    return TEXT_CAME if delta.get("text") else EMPTY_TEXT_CAME


def _completion(payload: Mapping[str, object]) -> Facts:
    # The Text Completions API: every event is a chunk, and the one with a `stop_reason` is the last.
    has_text = bool(payload.get("completion"))
    stop_reason = clean_name(payload.get("stop_reason"))
    return Facts(
        chunk=has_text,
        text=has_text,
        stopped=payload.get("stop_reason") is not None,
        message=Message(
            id=clean_name(payload.get("id")), model=clean_name(payload.get("model")), stop_reason=stop_reason
        ),
    )


_READERS: Final[dict[str, Callable[[Mapping[str, object]], Facts | None]]] = {
    "message_start": _message_start,
    "message_delta": _message_delta,
    "message_stop": _message_stop,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "completion": _completion,
}
