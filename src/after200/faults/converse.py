# SPDX-License-Identifier: Apache-2.0
"""What a healthy answer of Amazon Bedrock's Converse looks like on the wire, streamed and whole.

It is made of the same `Reply` as a message of the Claude API. Blocks that Converse has no events for are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .replies import Reply, Usage
from .requests import Request
from .steps import Event, Part

Json = dict[str, Any]
_STOP_REASONS = {"refusal": "content_filtered"}
"""The stop reason of the Claude API → that of Converse, where they differ."""
_METRICS = {"latencyMs": 412}


def part_of_stream(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    """The events of one part of the stream. The tokens come after the stop."""
    if part == "start":
        yield Event("messageStart", {"role": "assistant"})
    elif part == "text":
        for word in reply.words:
            yield Event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
    elif part == "close" and reply.words:
        yield Event("contentBlockStop", {"contentBlockIndex": 0})
    elif part == "stop":
        yield Event("messageStop", {"stopReason": _stop_reason(reply)})
        yield Event("metadata", {"usage": _usage(reply.usage), "metrics": _METRICS})


def whole_body(request: Request, reply: Reply) -> Json:
    """The body of an answer that is not streamed."""
    content = [{"text": "".join(reply.words)}] if reply.words else []
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop_reason(reply),
        "usage": _usage(reply.usage),
        "metrics": _METRICS,
    }


def _stop_reason(reply: Reply) -> str | None:
    return _STOP_REASONS.get(reply.stop_reason or "", reply.stop_reason)


def _usage(usage: Usage) -> Json:
    return {
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_creation,
    }
