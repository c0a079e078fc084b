# SPDX-License-Identifier: Apache-2.0
"""What good 200s hide: answers, server tools, tokens. Section 5 of the contract as a table."""

from __future__ import annotations

from typing import Any

from .row import COMPLETED, HTTP_529, OVERLOADED, Row, Usage


def _answered(scenario: str, **facts: Any) -> Row:
    """A call that completes, streamed and whole."""
    return Row(scenario, COMPLETED, "stop", COMPLETED, **facts)


def _refused(scenario: str, category: str, **facts: Any) -> Row:
    return _answered(scenario, finish_reason="refusal", answer="refused", category=category, **facts)


_BEFORE_OUTPUT: dict[str, Any] = {"chunks": 0, "has_text": False, "usage": Usage(output=0)}

REFUSALS = (
    _refused("refusal", "none", chunks=5),
    *(
        _refused(f"refusal_{category}", category, **_BEFORE_OUTPUT)
        for category in ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")
    ),
    _refused("refusal_new_category", "quantum", **_BEFORE_OUTPUT),
    _refused("refusal_without_category", "none", **_BEFORE_OUTPUT),
    _refused("refusal_mid_stream", "cyber", chunks=3, usage=Usage(output=4)),
    _refused("gzip_refusal", "bio", **_BEFORE_OUTPUT),
)

STOP_REASONS = (
    _answered("stop_sequence", finish_reason="stop_sequence"),
    _answered("model_context_window_exceeded", finish_reason="model_context_window_exceeded", answer="cut"),
    _answered("pause_turn", finish_reason="pause_turn", answer="paused", tools=(("web_search", None, 1),), chunks=6),
    _answered("unknown_stop_reason", finish_reason="moon_phase", answer="other"),
    _answered("stop_reason_null", finish_reason=None, answer="other"),
    _answered("empty", answer="empty", **_BEFORE_OUTPUT),
    _answered("done_after_message_stop"),
    _answered("large_message", usage=Usage(output=240_000), chunks=300),
)


def _tool(scenario: str, *tools: tuple[str, str | None, int], chunks: int = 6, **facts: Any) -> Row:
    return _answered(scenario, tools=tools, chunks=chunks, **facts)


TOOLS = (
    *(
        row
        for tool, error in (
            ("web_search", "too_many_requests"),
            ("web_fetch", "url_not_accessible"),
            ("code_execution", "unavailable"),
            ("bash_code_execution", "execution_time_exceeded"),
            ("text_editor_code_execution", "file_not_found"),
            ("tool_search", "invalid_tool_input"),
        )
        for row in (_tool(tool, (tool, None, 1)), _tool(f"{tool}_failed", (tool, error, 1)))
    ),
    _tool("advisor", ("advisor", None, 1), usage=Usage(412, 89)),
    _tool("advisor_failed", ("advisor", "overloaded", 1)),
    _tool("mcp", ("mcp", None, 1)),
    _tool("mcp_failed", ("mcp", "tool_error", 1)),
    _tool(
        "server_tools_mixed",
        ("web_search", "max_uses_exceeded", 2),
        ("web_search", "unavailable", 1),
        ("web_search", None, 1),
        ("web_fetch", None, 1),
        chunks=14,
    ),
    _tool("server_tool_new_error", ("web_search", "moon_phase", 1)),
    Row(
        "web_search_failed_then_overloaded",
        OVERLOADED,
        "text",
        HTTP_529,
        tools=(("web_search", "too_many_requests", 1),),
        chunks=6,
    ),
)

_COMPACTED = (180_000, 3_500, 20_000, 0)

TOKENS = (
    _answered("cached_by_ttl", usage=Usage(8, 7, 1416, 2227, ttl_5m=1000, ttl_1h=416)),
    _answered("cached_by_ttl_too_large", usage=Usage(8, 7, 100)),
    _answered("thinking_slow", usage=Usage(output=52, thinking=40), chunks=7),
    _answered("compaction", usage=Usage(23_000, 1_000, compaction=_COMPACTED), chunks=5),
    _answered("compaction_twice", usage=Usage(23_000, 1_000, compaction=(340_000, 5_500, 20_000, 900)), chunks=5),
    _answered("usage_goes_back"),
    _answered("fallback", usage=Usage(412, 60), chunks=6, fallback="claude-fallback-1"),
    _answered("fallback_from_the_start", usage=Usage(412, 60), fallback="claude-fallback-1"),
    _refused("fallback_refused", "cyber", chunks=2, usage=Usage(412, 0), whole_model="claude-fallback-1"),
    _answered("service_tier_priority", usage=Usage(tier="priority")),
    _answered("service_tier_batch", usage=Usage(tier="batch")),
    _answered("speed_fast", usage=Usage(speed="fast")),
    _answered("speed_standard", usage=Usage(speed="standard")),
)

ANSWERS = (*REFUSALS, *STOP_REASONS, *TOOLS, *TOKENS)
