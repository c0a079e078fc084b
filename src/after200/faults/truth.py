# SPDX-License-Identifier: Apache-2.0
"""What a response said to the client: the tokens that it bills, the answer, the tools that ran at the provider.

The messages themselves are the source: a `Reader` is shown each one just before it leaves, so that the log and the wire
cannot differ. The rules are written down here apart from the package's own, on purpose: the server is what the package
is tested against. Names of types, details and answers are those of `after200.names`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from after200.names import ANSWER_BY_STOP_REASON, OTHER, Answer

Json = Mapping[str, Any]
_COUNTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
}
"""Type of token → its field in `usage` and in an entry of `usage.iterations`."""
_CONVERSE_COUNTS = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheWriteInputTokens": "cache_creation_input_tokens",
}
"""A field of Converse's `usage` → that of the Claude API."""
_PARTS = (
    ("cache_write", "ttl_5m", "cache_creation", "ephemeral_5m_input_tokens"),
    ("cache_write", "ttl_1h", "cache_creation", "ephemeral_1h_input_tokens"),
    ("output", "thinking", "output_tokens_details", "thinking_tokens"),
)
"""Type of token, detail, and the two fields that say how many tokens of the type are of this detail."""
_RESULT = "_tool_result"


class Tokens(NamedTuple):
    """Tokens of one type and detail; an empty detail stands for the rest of the type. The entries can be added up."""

    type: str
    detail: str
    number: int


class ServerTool(NamedTuple):
    """One result of a tool that ran at the provider; `error` is the code of its error, None when it has none."""

    name: str
    error: str | None


@dataclass(frozen=True)
class Truth:
    """What a response said. A field is None, or empty, when the response did not come to that.

    `answer` is the kind of answer of a message that was sent to its end. `tokens` are all that the response named,
    the tokens of compaction included; `tokens_at_start` are those of `message_start` alone, which a client knows that
    leaves in the middle. `model` is the model that answered. `error_code` is `error.details.error_code`.
    """

    answer: Answer | None = None
    stop_reason: str | None = None
    refusal_category: str | None = None
    model: str | None = None
    fallback: bool = False
    service_tier: str | None = None
    speed: str | None = None
    tokens: tuple[Tokens, ...] = ()
    tokens_at_start: tuple[Tokens, ...] = ()
    server_tools: tuple[ServerTool, ...] = ()
    error_code: str | None = None


class Reader:
    """Reads the messages of one response; `truth()` returns what they said so far.

    A whole message tells of tokens even if a stream was asked for, but then it is no answer: the client finds no event.
    """

    def __init__(self, *, streaming: bool) -> None:
        self._streaming = streaming
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: list[Json] = []
        self._at_start: tuple[Tokens, ...] = ()
        self._guarded = self._ended = False
        self._error_code: str | None = None

    def read(self, data: object) -> None:
        """Read one event, a whole body, or an error; anything else tells nothing."""
        if not isinstance(data, Mapping):
            return
        error = data.get("error")
        details = error.get("details") if isinstance(error, Mapping) else None
        if isinstance(details, Mapping):
            self._error_code = details.get("error_code")
        self._guarded |= data.get("amazon-bedrock-guardrailAction") == "INTERVENED"
        match data.get("type"):
            case "message_start":
                self._message = dict(data["message"])
                self._usage = {**self._message["usage"], "output_tokens": 0}  # its count of output is a placeholder
                self._at_start = _tokens(self._usage)
            case "content_block_start":
                block = data["content_block"]
                self._blocks.append(block)
                if block["type"] == "fallback":
                    self._message["model"] = block["to"]["model"]
            case "message_delta":
                self._message |= data["delta"]
                usage = data["usage"]
                counts = {field: max(self._usage.get(field, 0), usage.get(field, 0)) for field in _COUNTS.values()}
                self._usage |= {**usage, **counts}
            case "message_stop":
                self._ended = bool(self._message)
            case None if "stopReason" in data:  # Converse: the end of a stream, or a whole body
                self._message["stop_reason"] = data["stopReason"]
                self._ended = True
                self._read_converse(data)
            case None if "metrics" in data:  # its tokens come last
                self._read_converse(data)
            case "message":
                self._message, self._usage, self._blocks = dict(data), dict(data["usage"]), list(data["content"])
                self._ended = not self._streaming

    def _read_converse(self, data: Json) -> None:
        usage = data.get("usage") or {}
        self._usage |= {field: usage[named] for named, field in _CONVERSE_COUNTS.items() if named in usage}
        content = ((data.get("output") or {}).get("message") or {}).get("content", [{}])
        self._blocks = [{"type": "text", **block} for block in content]

    def truth(self) -> Truth:
        """Returns what was said so far."""
        stop_reason = self._message.get("stop_reason")
        details = self._message.get("stop_details") or {}
        answer = ANSWER_BY_STOP_REASON.get(stop_reason or "")
        entries = [entry for entry in self._usage.get("iterations", ()) if entry["type"] == "fallback_message"]
        return Truth(
            answer=self._answer() if self._ended else None,
            stop_reason=stop_reason,
            refusal_category=(details.get("category") or "none") if answer == "refused" else None,
            model=self._message.get("model"),
            fallback=bool(entries),
            service_tier=self._usage.get("service_tier"),
            speed=self._usage.get("speed"),
            tokens=_tokens(self._usage) if self._message else (),
            tokens_at_start=self._at_start,
            server_tools=tuple(_server_tool(block) for block in self._blocks if block["type"].endswith(_RESULT)),
            error_code=self._error_code,
        )

    def _answer(self) -> Answer:
        stop_reason = self._message.get("stop_reason")
        if self._guarded:
            return "guarded"
        if stop_reason == "end_turn" and not self._blocks:
            return "empty"
        return ANSWER_BY_STOP_REASON.get(stop_reason or "", "other")


def _tokens(usage: Json) -> tuple[Tokens, ...]:
    """The tokens that a `usage` tells of; a part that is larger than its whole is no part."""
    counts: Counter[tuple[str, str]] = Counter({(name, ""): usage.get(field, 0) for name, field in _COUNTS.items()})
    wholes = {name: usage.get(field, 0) for name, field in _COUNTS.items()}
    for name, detail, outer, inner in _PARTS:
        part = (usage.get(outer) or {}).get(inner, 0)
        if part <= wholes[name]:
            counts[name, detail] += part
            counts[name, ""] -= part
    for entry in usage.get("iterations", ()):
        if entry["type"] == "compaction":
            counts.update({(name, "compaction"): entry.get(field, 0) for name, field in _COUNTS.items()})
    return tuple(Tokens(name, detail, number) for (name, detail), number in counts.items() if number)


def _server_tool(block: Json) -> ServerTool:
    name, content = block["type"].removesuffix(_RESULT), block.get("content")
    if isinstance(content, Mapping) and str(content.get("type")).endswith(f"{_RESULT}_error"):
        return ServerTool(name, str(content.get("error_code", OTHER)))
    return ServerTool(name, "tool_error" if block.get("is_error") is True else None)
