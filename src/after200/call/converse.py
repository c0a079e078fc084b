# SPDX-License-Identifier: Apache-2.0
"""The payloads of Amazon Bedrock's Converse → `Facts`: the events of its stream, and its whole body.

Decoded JSON comes in, of whatever shape a server sends. What is not as Bedrock documents it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .errors import find_error
from .facts import CHUNK_CAME, EMPTY_TEXT_CAME, IS_MALFORMED, STOP_CAME, TEXT_CAME, Facts, Message, Tokens, Usage
from .limits import clean_count, clean_name

GUARDRAIL_STOP: Final = "guardrail_intervened"
"""The stop reason that says that a guardrail stepped in."""


def read_event(event: str | None, payload: object) -> Facts | None:
    """Returns what the event of the type `event` says; None when it says nothing."""
    reader = None if event is None else _READERS.get(event)
    if reader is None or not isinstance(payload, dict):
        error = find_error(payload)
        return None if error is None else Facts(error=error)
    return reader(payload)


def read_whole(payload: object) -> Facts:
    """Returns what a whole body says: an answer, an error, or neither."""
    output = payload.get("output") if isinstance(payload, dict) else None
    message = output.get("message") if isinstance(output, dict) else None
    if isinstance(payload, dict) and isinstance(message, dict) and isinstance(message.get("content"), list):
        has_content = any(_has_content(block) for block in message["content"])
        said = _stopped(payload)._replace(usage=read_usage(payload.get("usage")))
        return Facts(message=said, is_answer=True, content=has_content)
    error = find_error(payload)
    return IS_MALFORMED if error is None else Facts(error=error)


def _has_content(block: object) -> bool:
    return isinstance(block, dict) and block.get("text") != ""


def _stopped(payload: Mapping[str, Any]) -> Message:
    reason = clean_name(payload.get("stopReason"))
    return Message(stop_reason=reason, guarded=reason == GUARDRAIL_STOP)


def read_usage(usage: object) -> Usage:
    """Returns the tokens in a `usage` object."""
    if not isinstance(usage, dict):
        return Usage()
    fields = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    return Usage(tokens=Tokens(*(clean_count(usage.get(field)) for field in fields)))


# --- events by type ---


def _block_start(payload: Mapping[str, Any]) -> Facts:
    # Only a block that is no text begins with an event of its own.
    return Facts(content=bool(payload.get("start")))


def _block_delta(payload: Mapping[str, Any]) -> Facts:
    delta = payload.get("delta")
    if isinstance(delta, dict) and isinstance(delta.get("text"), str):
        return TEXT_CAME if delta["text"] else EMPTY_TEXT_CAME
    return CHUNK_CAME


def _message_stop(payload: Mapping[str, Any]) -> Facts:
    return STOP_CAME._replace(message=_stopped(payload))


def _metadata(payload: Mapping[str, Any]) -> Facts:
    return Facts(message=Message(usage=read_usage(payload.get("usage"))))


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Facts | None]]] = {
    "messageStart": lambda payload: None,
    "contentBlockStart": _block_start,
    "contentBlockDelta": _block_delta,
    "contentBlockStop": lambda payload: None,
    "messageStop": _message_stop,
    "metadata": _metadata,
}
