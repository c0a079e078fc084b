# SPDX-License-Identifier: Apache-2.0
"""The catalog is complete and each scenario comes to an end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import after200.faults
from after200.faults import SCENARIOS, Scenario
from after200.faults.catalog import FAMILIES
from after200.faults.catalog.answers import CATEGORIES
from after200.faults.catalog.error_codes import ERROR_CODES
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, BEDROCK_EXCEPTIONS
from after200.faults.steps import Answer, Cut, End, Reset, Stall, Whole

from ..support.contract import CLAUDE_API
from ..support.streams.expected import ROW_OF

PLACES = ("first_event", "mid_stream", "after_message_delta")
ASKED_FOR = [
    *("completed", "completed_slow", "refusal", "cached", "tool_use", "thinking", "long"),
    "overloaded_error_after_message_stop",
    *("unknown_error_mid_stream", "hostile_type_mid_stream"),
    *("error_not_json", "error_without_type", "error_is_string", "error_unnamed", "error_unnamed_then_completed"),
    *(f"http_{status}" for status in {status for status, _ in CLAUDE_API.values()} | {408, 502, 503}),
    *("http_529_then_completed", "http_503_then_529_then_completed", "http_529_then_overloaded_mid_stream"),
    "overloaded_mid_stream_then_completed",
    *("reset_then_completed", "http_529_always"),
    *("body_error_200", "body_not_json_200", "body_html_200", "body_cut"),
    *("reset_before_response", "reset_first_event", "reset_mid_stream", "reset_after_message_stop", "half_chunk"),
    *("stall_before_response", "stall_first_event", "stall_mid_stream"),
    *("end_before_first_event", "end_without_message_stop", "end_after_message_delta", "ping_only_then_end"),
    *("not_json_mid_stream", "not_utf8_mid_stream", "gzip_completed", "gzip_overloaded_mid_stream"),
    *("bedrock_error_frame", "bedrock_unknown_exception", "bedrock_chunk_error", "bedrock_chunk_without_type"),
    *("bedrock_chunk_rate_limit_first", "bedrock_chunk_rate_limit_mid", "bedrock_bad_crc", "bedrock_truncated_frame"),
    *("bedrock_end_without_message_stop", "bedrock_http_429", "bedrock_http_400_validation"),
    *("bare_error_first_event", "bare_error_mid_stream", "bare_error_named", "bare_error_untyped", "bare_error_string"),
    *("error_named_message_mid_stream", "error_named_with_space", "error_named_content_block_delta"),
    "error_in_chunk",
    *("error_type_error", "error_type_unknown", "error_type_none"),
    *("body_error_as_event_stream_200", "body_bare_error_200", "body_error_untyped_200", "body_error_string_200"),
    *("body_message_only_200", "body_null_200", "body_message_200", "body_message_as_event_stream_200"),
    *("events_200", "events_overloaded_200", "gzip_absent", "gzip_broken", "gzip_cut", "gzip_completed"),
    *("delta_without_data", "large_message", "http_529_no_retry", "http_400_retry_then_completed"),
    *("refusal_without_category", "refusal_mid_stream", "max_tokens", "model_context_window_exceeded", "pause_turn"),
    *("stop_sequence", "unknown_stop_reason", "empty", "bedrock_guarded_message_delta", "bedrock_guarded_message_stop"),
    *("fallback", "compaction", "cached_by_ttl", "thinking_slow", "service_tier_priority", "speed_fast"),
    *("usage_goes_back", "rate_limits", "rate_limits_priority", "http_429_retry_after_then_completed"),
    *("http_529_retry_after_ms_then_completed",),
    *("session_events", "session_error", "batch_results", "batch_results_cut"),
]


SERVER_TOOLS = (
    *("web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution"),
    *("tool_search", "advisor", "mcp"),
)


def test_every_fault_has_its_scenario() -> None:
    families = [f"{error_type}_{place}" for error_type in ANTHROPIC_ERRORS for place in PLACES]
    frames = [f"bedrock_{name}_{place}" for name in BEDROCK_EXCEPTIONS for place in ("first", "mid")]
    codes = [f"http_{status}_{code}" for code, (status, _, _) in ERROR_CODES.items()]
    codes += [f"{code}_mid_stream" for code in ERROR_CODES]
    refusals = [f"refusal_{category}" for category in CATEGORIES]
    tools = [f"{tool}{end}" for tool in SERVER_TOOLS for end in ("", "_failed")]
    assert {*families, *frames, *codes, *refusals, *tools, *ASKED_FOR} - set(SCENARIOS) == set()


def test_every_scenario_is_of_one_family() -> None:
    names = [scenario.name for family in FAMILIES.values() for scenario in family]
    assert names == list(SCENARIOS)
    assert len(names) == len(set(names))


PLAYED_IN = {
    "completed_slow": "streams/test_leaving.py",
    "long": "contract/test_laziness.py",
    "tool_use": "contract/test_canary.py",
    "refusal_then_completed": "surfaces/test_fallback.py",
    "http_529_retry_after_ms_then_completed": "contract/test_sums.py",
}
"""A scenario that has no row in `support/streams` → a test that plays it."""


def test_every_scenario_of_every_platform_has_a_row_that_says_what_is_recorded_of_it() -> None:
    assert PLAYED_IN.keys() == {name for name, one in SCENARIOS.items() if not one.only} - set(ROW_OF)
    assert set() == set(ROW_OF) - set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_play_has_exactly_one_end(scenario: Scenario) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_]+", scenario.name)
    assert scenario.description
    assert len(scenario.description) < 110
    assert scenario.only in ("", "anthropic", "bedrock", "vertex", "sessions", "batches")
    for attempt in scenario.attempts:
        for play in (attempt.stream, attempt.whole):
            ends = [step for step in play if isinstance(step, (End, Cut, Reset, Stall, Answer))]
            if not ends:
                ends = [step for step in play if isinstance(step, Whole) and step.only == 1 and not step.chunked]
            assert ends == [play[-1]]


def test_the_server_knows_nothing_of_the_instrumentation_but_its_names() -> None:
    folder = Path(after200.faults.__file__).parent
    imported = {
        node.module
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and not node.level and str(node.module).startswith("after200")
    }
    assert imported == {"after200.names"}
