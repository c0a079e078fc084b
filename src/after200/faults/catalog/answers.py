# SPDX-License-Identifier: Apache-2.0
"""Answers that complete and may be of no use: refused, cut by a limit, paused, guarded, empty.

The HTTP status is 200, no event is an error, and the stream ends with `message_stop`.
"""

from __future__ import annotations

from dataclasses import replace

from .. import blocks
from ..blocks import Json
from ..replies import Reply, Usage
from ..scenarios import COMPLETED, Scenario, answered, scenario, sequence
from ..steps import Status, Whole

TITLE = "Answers that complete and may be of no use"
CATEGORIES = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")
"""The categories of a refusal that the SDK 2.14 knows."""
_NOTHING = Usage(output=0)
_GUARDED = ("Sorry, the model cannot answer this question.",)
_BEGUN = ("First,", " mix", " the")


def _details(category: str | None, **more: object) -> dict[str, object]:
    explanation = None if category is None else "The request could enable harm."
    return {"type": "refusal", "category": category, "explanation": explanation, **more}


def _refusal(category: str | None, words: tuple[str, ...] = (), usage: Usage = _NOTHING) -> Reply:
    return Reply(words, stop_reason="refusal", stop_details=_details(category), usage=usage)


_DECLINED = Reply(words=("I", " can't", " help", " with", " that."), stop_reason="refusal")
_REFERRED = replace(_DECLINED, stop_details=_details(None, fallback_credit_token="fct_01"))


def _stopped(name: str, description: str, stop_reason: str | None) -> Scenario:
    return answered(name, description, Reply(stop_reason=stop_reason))


def _guardrail(name: str, description: str, action: str, event: str) -> Scenario:
    """Amazon Bedrock says beside `type` what its guardrail did: in this event of a stream, or in the whole body."""
    field: Json = {"amazon-bedrock-guardrailAction": action}
    beside: dict[str, Json] = {event: field, "message": field}
    words = _GUARDED if action == "INTERVENED" else Reply().words
    return answered(name, description, Reply(words, beside=beside), only="bedrock")


SCENARIOS: tuple[Scenario, ...] = (
    answered("refusal", "the model declines: a normal end with stop_reason refusal and no stop_details", _DECLINED),
    *(
        answered(f"refusal_{category}", f"refused before any output, category {category}", _refusal(category))
        for category in CATEGORIES
    ),
    answered("refusal_new_category", "refused before any output, a category that no SDK knows", _refusal("quantum")),
    answered("refusal_without_category", "refused before any output, the category is null", _refusal(None)),
    answered(
        "refusal_mid_stream",
        "refused after some content, category cyber",
        _refusal("cyber", _BEGUN, Usage(output=4)),
    ),
    sequence(
        "refusal_then_completed",
        "a refusal, then completed, as a fallback to another model finds it",
        answered("", "", _REFERRED),
        answered("", "", Reply()),
    ),
    _stopped(
        "max_tokens",
        "the answer is cut at the limit that the caller set: stop_reason max_tokens",
        "max_tokens",
    ),
    _stopped(
        "model_context_window_exceeded",
        "the answer is cut where the context window ends: stop_reason model_context_window_exceeded",
        "model_context_window_exceeded",
    ),
    answered(
        "pause_turn",
        "a long turn is paused after a web search: stop_reason pause_turn",
        Reply(
            words=("I", " will", " look", " further."),
            before=blocks.server_tool("web_search", {"query": "weather"}, "web_search_tool_result", []),
            stop_reason="pause_turn",
        ),
    ),
    _stopped("unknown_stop_reason", "a stop reason that no SDK knows: moon_phase", "moon_phase"),
    _stopped("stop_reason_null", "a normal end whose stop_reason is null", None),
    answered("empty", "end_turn without one content block, 0 output tokens", Reply((), usage=_NOTHING)),
    scenario(
        "gzip_refusal",
        "refused before any output, category bio, compressed",
        (Status(gzip="sound"), *COMPLETED[1:]),
        (Whole(gzip="sound"),),
        reply=_refusal("bio"),
    ),
    _guardrail(
        "bedrock_guarded_message_delta",
        "a guardrail intervened: message_delta says so, or the whole message",
        "INTERVENED",
        "message_delta",
    ),
    _guardrail(
        "bedrock_guarded_message_stop",
        "a guardrail intervened: message_stop says so, or the whole message",
        "INTERVENED",
        "message_stop",
    ),
    _guardrail("bedrock_guardrail_none", "a guardrail looked at the answer and did nothing", "NONE", "message_stop"),
)
