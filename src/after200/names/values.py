# SPDX-License-Identifier: Apache-2.0
"""The values that an attribute of this package can have, each with its meaning."""

from __future__ import annotations

from typing import Final, Literal

OTHER: Final = "_OTHER"
"""The value that stands for every value beyond a bound, and for an error without a usable type."""

ANTHROPIC: Final = "anthropic"
BEDROCK: Final = "aws.bedrock"
VERTEX: Final = "gcp.vertex_ai"
PROVIDERS: Final = (ANTHROPIC, BEDROCK, VERTEX)
"""The values of `gen_ai.provider.name`."""

Outcome = Literal["completed", "failed", "truncated", "closed", "cancelled", "abandoned"]
Phase = Literal["request", "first_chunk", "mid_stream"]
Failure = Literal[
    "overloaded",
    "rate_limited",
    "billing",
    "timeout",
    "server_error",
    "connection",
    "truncated",
    "malformed",
    "denied",
    "invalid_request",
    "other",
]
Answer = Literal["complete", "cut", "refused", "paused", "guarded", "empty", "other"]

OUTCOMES: Final[dict[Outcome, str]] = {
    "completed": "the provider finished an answer: `message_stop`, or a whole body that is a message",
    "failed": "the provider reported a failure, the connection failed, or what arrived is not an answer",
    "truncated": "the stream ended without its end event, and nobody raised an exception",
    "closed": "the application closed or left the stream early",
    "cancelled": "the task that read the stream was cancelled or interrupted while it read",
    "abandoned": "the application dropped the stream without closing it or reading it to its end",
}
ERROR_OUTCOMES: Final[tuple[Outcome, ...]] = ("failed", "truncated")
"""The outcomes that are errors."""

PHASES: Final[dict[Phase, str]] = {
    "request": "no response, or an HTTP error status",
    "first_chunk": "after the 200, before the first content",
    "mid_stream": "after the first content",
}
FAILURES: Final[dict[Failure, str]] = {
    "overloaded": "the provider has no capacity: 529, 503, `overloaded_error` and the like",
    "rate_limited": "a rate limit or a quota is used up: 429",
    "billing": "nobody gets an answer until somebody pays or raises a limit: 402, a spend limit",
    "timeout": "the provider, or our own client, waited too long: 408, 504",
    "server_error": "any other fault of the provider: 5xx",
    "connection": "the connection failed",
    "truncated": "the stream ended without its end event",
    "malformed": "what arrived cannot be decoded, or is not an answer",
    "denied": "the caller is not allowed to do this: 401, 403",
    "invalid_request": "the request is wrong: any other 4xx",
    "other": "anything else",
}
ANSWER_BY_STOP_REASON: Final[dict[str, Answer]] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "tool_use": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
    "content_filtered": "refused",
    "pause_turn": "paused",
}
"""The stop reasons that the Claude API and Converse document → the answer; any other, and none, is `other`."""


def _stop_reasons(answer: Answer) -> str:
    return ", ".join(f"`{reason}`" for reason, its_answer in ANSWER_BY_STOP_REASON.items() if its_answer == answer)


ANSWERS: Final[dict[Answer, str]] = {
    "complete": f"the model said all it wanted to say: {_stop_reasons('complete')}",
    "cut": f"a limit cut the answer: {_stop_reasons('cut')}",
    "refused": f"a classifier or the model refused: {_stop_reasons('refused')}",
    "paused": f"a long turn is paused and can be continued: {_stop_reasons('paused')}",
    "guarded": "a guardrail of Amazon Bedrock stepped in",
    "empty": "`end_turn` where no block had content",
    "other": "any other stop reason, or none",
}
TOKEN_TYPES: Final = ("input", "output", "cache_read", "cache_write")
TOKEN_DETAILS: Final[dict[str, str]] = {
    "ttl_5m": "of `cache_write`: written to the cache for five minutes",
    "ttl_1h": "of `cache_write`: written to the cache for one hour",
    "thinking": "of `output`: spent on thinking",
    "compaction": "of any type: spent on compacting the context; billed, and not in the provider's own totals",
}
RATE_LIMIT_KINDS: Final[dict[str, str]] = {
    "requests": "`anthropic-ratelimit-requests-*`",
    "tokens": "`anthropic-ratelimit-tokens-*`",
    "input_tokens": "`anthropic-ratelimit-input-tokens-*`",
    "output_tokens": "`anthropic-ratelimit-output-tokens-*`",
    "priority_input_tokens": "`anthropic-priority-input-tokens-*`",
    "priority_output_tokens": "`anthropic-priority-output-tokens-*`",
}
STATUS_PAGES: Final[dict[str, str]] = {
    ANTHROPIC: "https://status.claude.com",
    BEDROCK: "https://health.aws.amazon.com/health/status",
    VERTEX: "https://status.cloud.google.com",
}
"""Where each provider says whether it has trouble, by `gen_ai.provider.name`."""
