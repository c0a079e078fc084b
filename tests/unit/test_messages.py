# SPDX-License-Identifier: Apache-2.0
"""The payloads that make up a message → what they say of it, alone and together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from after200.call.facts import MAX_DISTINCT_TOOLS, NOTHING_SAID, Message, ProviderError, Tokens, Tool, Usage, merged
from after200.call.messages import read_message, read_payload, read_tool, read_usage, read_whole

from .calls import MESSAGE, known, new_call


def said(*payloads: dict[str, Any]) -> dict[str, Any]:
    """Returns what the payloads of events say together, as `known` does."""
    return known([facts for payload in payloads if (facts := read_payload(payload)) is not None])


def start(**usage: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"usage": usage}}


def delta(**usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {}, "usage": usage}


# --- usage ---


def test_the_output_tokens_of_message_start_are_a_placeholder() -> None:
    assert {"input": 3} == said(start(input_tokens=3, output_tokens=1, output_tokens_details={"thinking_tokens": 1}))


def test_what_a_later_usage_leaves_out_stays() -> None:
    started = start(input_tokens=3, cache_read_input_tokens=20, cache_creation_input_tokens=100)
    expected = {"input": 4, "cache_read": 20, "cache_write": 100, "output": 9}
    assert expected == said(started, delta(input_tokens=4, output_tokens=1), delta(output_tokens=9), delta())


@pytest.mark.parametrize(
    ("name", "payload_name"),
    [
        ("input", "input_tokens"),
        ("output", "output_tokens"),
        ("cache_read", "cache_read_input_tokens"),
        ("cache_write", "cache_creation_input_tokens"),
    ],
)
@pytest.mark.parametrize(("before", "later", "expected"), [(9, 5, 9), (5, 9, 9), (9, 0, 9), (0, 0, 0), (9, None, 9)])
def test_a_later_count_that_is_lower_does_not_replace_a_higher_one(
    name: str, payload_name: str, before: int, later: int | None, expected: int
) -> None:
    assert {name: expected} == said(delta(**{payload_name: before}), delta(**{payload_name: later}))


REPORTED = {"input_tokens": 125, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 10}


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        # A later report calls cached what the first one called input.
        ({"input_tokens": 25, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}, (25, 100, 10)),
        ({"input_tokens": 30, "cache_read_input_tokens": 105}, (30, 105, 10)),
        ({"input_tokens": 500}, (500, 0, 10)),
        # A later report that would lower the sum is not believed.
        ({"input_tokens": 25}, (125, 0, 10)),
        ({"input_tokens": 0, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0}, (125, 0, 10)),
        ({}, (125, 0, 10)),
        ({"cache_read_input_tokens": None}, (125, 0, 10)),
    ],
)
def test_the_three_input_counts_of_a_later_report_replace_those_before_together(
    later: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    assert dict(zip(("input", "cache_read", "cache_write"), expected, strict=True)) == said(
        delta(**REPORTED), delta(**later)
    )


def test_the_parts_of_a_count_are_replaced_with_it() -> None:
    before = delta(cache_creation_input_tokens=9, cache_creation={"ephemeral_5m_input_tokens": 9})
    cached = {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0}
    later = delta(input_tokens=5, cache_creation_input_tokens=4, cache_creation=cached)
    assert {"input": 5, "cache_write": 4, "ttl_5m": 4, "ttl_1h": 0} == said(before, later)


def test_a_later_detail_that_is_lower_does_not_replace_a_higher_one() -> None:
    before = delta(
        output_tokens_details={"thinking_tokens": 9},
        cache_creation={"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 7},
    )
    later = delta(
        output_tokens_details={"thinking_tokens": 1},
        cache_creation={"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 10},
    )
    assert {"thinking": 9, "ttl_5m": 8, "ttl_1h": 10} == said(before, later)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (Tokens(), None),
        (Tokens(cache_read=5, cache_write=7), None),
        (Tokens(input=3), 3),
        (Tokens(input=0, output=9), 0),
        (Tokens(input=3, cache_read=20, cache_write=100), 123),
    ],
)
def test_input_tokens_as_the_conventions_count_them_include_those_of_the_cache(
    tokens: Tokens, expected: int | None
) -> None:
    assert expected == Usage(tokens).all_input


COMPACTION = {"type": "compaction", "input_tokens": 1000, "output_tokens": 50, "cache_read_input_tokens": 10}
MESSAGE_ITERATION = {"type": "message", "input_tokens": 3, "output_tokens": 7}


def test_compaction_is_the_sum_of_all_compaction_entries_and_of_nothing_else() -> None:
    twice = [COMPACTION, MESSAGE_ITERATION, {**COMPACTION, "cache_creation_input_tokens": 4}]
    usage = read_usage({"input_tokens": 3, "output_tokens": 7, "iterations": twice})
    assert (Tokens(3, 7), Tokens(2000, 100, 20, 4)) == (usage.tokens, usage.compaction)
    assert None is read_usage({"iterations": [MESSAGE_ITERATION]}).compaction


def test_a_message_iteration_after_a_compaction_is_no_second_one() -> None:
    assert {"compaction": Tokens(1000, 50, 10, 0)} == said(
        delta(iterations=[COMPACTION]), delta(iterations=[COMPACTION, MESSAGE_ITERATION])
    )


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([{**COMPACTION, "input_tokens": 10}], Tokens(10, 50, 10, 0)),
        ([COMPACTION, COMPACTION], Tokens(2000, 100, 20, 0)),
        ([MESSAGE_ITERATION], None),
        ([], None),
        (None, Tokens(1000, 50, 10, 0)),
    ],
)
def test_of_iterations_said_several_times_the_last_list_counts(later: object, expected: Tokens | None) -> None:
    found = said(delta(iterations=[COMPACTION]), delta(iterations=later), delta(output_tokens=7))
    assert {"output": 7} | ({} if expected is None else {"compaction": expected}) == found


def test_the_last_fallback_message_names_the_model_that_answered() -> None:
    entries = [
        {"type": "fallback_message", "model": "b"},
        MESSAGE_ITERATION,
        {"type": "fallback_message", "model": "c"},
    ]
    assert "c" == read_usage({"iterations": entries}).fallback_model
    assert None is read_usage({"iterations": [{**MESSAGE_ITERATION, "model": "b"}]}).fallback_model


def test_the_last_list_of_iterations_says_whether_there_was_a_fallback() -> None:
    fallback = {"type": "fallback_message", "model": "b"}
    assert {"fallback_model": "b"} == said(delta(iterations=[MESSAGE_ITERATION]), delta(iterations=[fallback]), delta())
    assert {} == said(delta(iterations=[fallback]), delta(iterations=[MESSAGE_ITERATION]))


def test_the_service_tier_and_the_speed_are_those_that_served_the_call() -> None:
    found = said(start(service_tier="standard", speed="fast"), delta(service_tier="priority"), delta())
    assert {"service_tier": "priority", "speed": "fast"} == found


@pytest.mark.parametrize(
    "usage", [None, 7, "7", [], {"input_tokens": "seven"}, {"input_tokens": -7}, {"input_tokens": True}]
)
def test_a_usage_that_is_none_says_nothing(usage: object) -> None:
    assert Usage() == read_usage(usage)


def test_a_count_that_no_sum_can_hold_is_not_believed() -> None:
    assert Tokens(10**9) == read_usage({"input_tokens": 10**9, "output_tokens": 10**9 + 1}).tokens


# --- the message ---


def test_a_whole_message_says_all_at_once() -> None:
    usage = {
        "input_tokens": 3,
        "output_tokens": 7,
        "cache_creation_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
        "output_tokens_details": {"thinking_tokens": 6},
        "service_tier": "standard",
        "speed": "fast",
    }
    expected = Message(
        id="msg_1",
        model="claude-answering",
        stop_reason="end_turn",
        usage=Usage(Tokens(3, 7, None, 5), 2, 3, 6, None, None, "standard", "fast"),
    )
    assert expected == read_message({**MESSAGE, "usage": usage})


def test_a_message_start_says_neither_blocks_nor_a_stop_reason() -> None:
    assert {"id": "msg_1", "model": "claude-answering", "input": 3} == said(
        {"type": "message_start", "message": {**MESSAGE, "stop_reason": "end_turn"}}
    )


def test_names_are_cut_to_a_sane_length_and_stay_in_one_line() -> None:
    found = said({"type": "message_start", "message": {"id": "a\r\nb", "model": "m" * 1000}})
    assert ("a b", "m" * 255 + "…") == (found["id"], found["model"])


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"type": "refusal", "category": "cyber", "explanation": "text"}, "cyber"),
        ({"category": "bio"}, "bio"),
        ({"type": "refusal", "category": None}, None),
        ({"type": "refusal"}, None),
        ({"type": "something_else", "category": "cyber"}, None),
        ({"category": "two words"}, None),
        ({"category": ["cyber"]}, None),
        (None, None),
        ("cyber", None),
    ],
)
def test_a_refusal_has_the_category_of_its_stop_details(details: object, expected: str | None) -> None:
    streamed = said({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}})
    assert {"stop_reason": "refusal"} | ({} if expected is None else {"category": expected}) == streamed
    whole = read_message({"stop_reason": "refusal", "stop_details": details})
    assert ("refusal", expected) == (whole.stop_reason, whole.refusal_category)


@pytest.mark.parametrize(("action", "expected"), [("INTERVENED", True), ("NONE", False), (None, False), (True, False)])
def test_a_guardrail_says_that_it_stepped_in(action: object, expected: bool) -> None:
    field = {"amazon-bedrock-guardrailAction": action}
    assert expected is read_message({**MESSAGE, **field}).guarded
    for kind in ("message_delta", "message_stop"):
        assert expected is said({"type": kind, **field}).get("guarded", False)


def test_the_explanation_of_a_refusal_and_the_content_go_nowhere() -> None:
    secret = "what the user said"
    content = [{"type": "text", "text": secret}, {"type": "web_search_tool_result", "content": [{"title": secret}]}]
    details = {"type": "refusal", "category": "cyber", "explanation": secret}
    facts = read_whole({**MESSAGE, "content": content, "stop_details": details})
    assert facts.is_answer
    assert secret not in repr(facts)


# --- server tools ---


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "web_search_tool_result", "content": [{"type": "web_search_result"}]}, Tool("web_search", None)),
        ({"type": "web_fetch_tool_result", "content": {"type": "web_fetch_result"}}, Tool("web_fetch", None)),
        (
            {
                "type": "code_execution_tool_result",
                "content": {"type": "code_execution_tool_result_error", "error_code": "unavailable"},
            },
            Tool("code_execution", "unavailable"),
        ),
        (
            {"type": "tool_search_tool_result", "content": {"type": "tool_search_tool_result_error"}},
            Tool("tool_search", "tool_error"),
        ),
        ({"type": "advisor_tool_result", "content": {"error_code": "two words"}}, Tool("advisor", "tool_error")),
        ({"type": "advisor_tool_result", "content": {"error_code": 7}}, Tool("advisor", "tool_error")),
        ({"type": "advisor_tool_result", "content": {"error_code": None}}, Tool("advisor", None)),
        ({"type": "mcp_tool_result", "is_error": True, "content": []}, Tool("mcp", "tool_error")),
        ({"type": "mcp_tool_result", "is_error": False, "content": []}, Tool("mcp", None)),
        ({"type": "mcp_tool_result"}, Tool("mcp", None)),
        ({"type": "tool_result"}, None),
        ({"type": "_tool_result"}, None),
        ({"type": "two words_tool_result"}, None),
        ({"type": "server_tool_use", "name": "web_search"}, None),
        ({"type": "text"}, None),
        ({"type": 7}, None),
        ({}, None),
        (None, None),
        ("web_search_tool_result", None),
    ],
)
def test_the_result_of_a_server_tool_has_the_tool_and_its_error(block: object, expected: Tool | None) -> None:
    assert expected == read_tool(block)


def test_the_results_of_a_message_are_counted_in_the_order_of_their_first_occurrence() -> None:
    failed = {"type": "web_search_tool_result", "content": {"error_code": "max_uses_exceeded"}}
    content = [{"type": "mcp_tool_result"}, failed, {"type": "text"}, {"type": "mcp_tool_result"}, failed, failed]
    found = new_call(stream=False, learned=[read_whole({**MESSAGE, "content": content})]).message
    assert ((Tool("mcp", None), 2), (Tool("web_search", "max_uses_exceeded"), 3)) == found.tools


def test_what_a_server_calls_its_tools_does_not_grow_without_bounds() -> None:
    message = NOTHING_SAID
    for number in range(3 * MAX_DISTINCT_TOOLS):
        message = merged(message, Message(tools=((Tool(f"tool_{number}", "failed" if number % 2 else None), 1),)))
    assert MAX_DISTINCT_TOOLS + 2 == len(message.tools)
    assert {Tool("_OTHER", None): 100, Tool("_OTHER", "_OTHER"): 100} == dict(message.tools[MAX_DISTINCT_TOOLS:])
    assert 3 * MAX_DISTINCT_TOOLS == sum(times for _, times in message.tools)


# --- whole bodies: rule 4 of section 2 of the contract ---


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"type": "message"}, {"answer": True}),
        ({"content": []}, {"answer": True}),
        ({"content": [{"type": "text"}], "stop_reason": None}, {"answer": True}),
        ({"content": [{"type": "text", "text": ""}]}, {"answer": True}),
        ({"content": [{"type": "text", "text": ""}, {"type": "tool_use"}]}, {"answer": True, "content": True}),
        ({"type": "message", "content": "Hi"}, {"answer": True, "content": True}),
        ({"type": "message", "error": {}}, {"answer": True}),
        ({"type": "message", "error": None}, {"answer": True}),
        ({"completion": "Hi"}, {"malformed": True}),
        ({"content": "Hi"}, {"malformed": True}),
        ({"completion": None}, {"malformed": True}),
        ({"ok": True}, {"malformed": True}),
        ([], {"malformed": True}),
        (None, {"malformed": True}),
        ("message", {"malformed": True}),
    ],
    ids=json.dumps,
)
def test_a_whole_body_is_an_answer_or_it_is_malformed(payload: object, expected: dict[str, Any]) -> None:
    assert expected == known([read_whole(payload)])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"type": "completion", "completion": "", "stop_reason": "stop_sequence", "id": "c"},
            {"answer": True, "stop_reason": "stop_sequence", "id": "c"},
        ),
        ({"completion": "Hi"}, {"answer": True}),
        ({"completion": "Hi", "error": {"type": "api_error"}}, {"error": ProviderError("api_error", None)}),
        ({"completion": None}, {"malformed": True}),
        ({"type": "message", "content": []}, {"malformed": True}),
    ],
    ids=json.dumps,
)
def test_an_answer_of_the_text_completions_has_a_completion(payload: object, expected: dict[str, Any]) -> None:
    assert expected == known([read_whole(payload, "completion")])
