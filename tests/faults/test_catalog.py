# SPDX-License-Identifier: Apache-2.0
"""The catalog is complete and each scenario comes to an end."""

from __future__ import annotations

import re

import pytest

from after200.faults import SCENARIOS, Scenario
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, BEDROCK_EXCEPTIONS
from after200.faults.steps import Answer, Cut, End, Reset, Stall, Whole

PLACES = ("first_event", "mid_stream", "after_message_delta")
ASKED_FOR = [
    *("completed", "completed_slow", "refusal", "cached", "tool_use", "thinking", "long"),
    "overloaded_error_after_message_stop",
    *("unknown_error_mid_stream", "hostile_type_mid_stream"),
    *("error_not_json", "error_without_type", "error_is_string", "error_unnamed", "error_unnamed_then_completed"),
    *(f"http_{status}" for status in (400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 529)),
    *(f"http_{status}_html" for status in (413, 500, 502, 503, 529)),
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
    *("session_events", "session_error", "batch_results", "batch_results_cut"),
]


def test_every_fault_has_its_scenario() -> None:
    families = [f"{error_type}_{place}" for error_type in ANTHROPIC_ERRORS for place in PLACES]
    frames = [f"bedrock_{name}_{place}" for name in BEDROCK_EXCEPTIONS for place in ("first", "mid")]
    assert {*families, *frames, *ASKED_FOR} - set(SCENARIOS) == set()


def test_the_documented_statuses_are_the_documented_ones() -> None:
    assert {name: status for name, (status, _) in ANTHROPIC_ERRORS.items()} == {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "conflict_error": 409,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_play_has_exactly_one_end(scenario: Scenario) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_]+", scenario.name)
    assert scenario.description
    assert len(scenario.description) < 110
    assert scenario.only in ("", "bedrock", "vertex", "sessions", "batches")
    for attempt in scenario.attempts:
        for play in (attempt.stream, attempt.whole):
            ends = [step for step in play if isinstance(step, (End, Cut, Reset, Stall, Answer))]
            if not ends:
                ends = [step for step in play if step == Whole()]
            assert ends == [play[-1]]
