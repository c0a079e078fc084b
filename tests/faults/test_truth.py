# SPDX-License-Identifier: Apache-2.0
"""What the log says that a response told: against tables, and against what the SDK makes of the same bytes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from after200.faults import FaultServer, ServerTool

from .clients import ASKED
from .expected import ANSWERS, COMPLETED, EVERYWHERE, HOSTILE, STREAMED, WHOLE
from .sdk import async_client, client, platform_client

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK on codes it does not know
USUAL = {("input", ""): 12, ("output", ""): 7}
NOTHING_SAID = {("input", ""): 12}
CACHED = {("input", ""): 8, ("output", ""): 7, ("cache_read", ""): 2227}
COMPACTED = {("input", ""): 23_000, ("output", ""): 1_000, ("cache_read", "compaction"): 20_000}
FALLEN_BACK = {("input", ""): 412, ("output", ""): 60}
TOKENS: dict[str, dict[tuple[str, str], int]] = {
    **{name: NOTHING_SAID for name in ANSWERS if name.startswith("refusal_") or name in ("empty", "gzip_refusal")},
    "refusal_then_completed": USUAL,
    "refusal_mid_stream": {**NOTHING_SAID, ("output", ""): 4},
    "long": {**NOTHING_SAID, ("output", ""): 2000},
    "large_message": {**NOTHING_SAID, ("output", ""): 240_000},
    "advisor": {("input", ""): 412, ("output", ""): 89},
    "cached": {**CACHED, ("cache_write", ""): 1416},
    "cached_by_ttl": {**CACHED, ("cache_write", "ttl_5m"): 1000, ("cache_write", "ttl_1h"): 416},
    "cached_by_ttl_too_large": {("input", ""): 8, ("output", ""): 7, ("cache_write", ""): 100},
    "thinking_slow": {("input", ""): 12, ("output", ""): 12, ("output", "thinking"): 40},
    "compaction": {**COMPACTED, ("input", "compaction"): 180_000, ("output", "compaction"): 3_500},
    "compaction_twice": {
        **COMPACTED,
        ("input", "compaction"): 340_000,
        ("output", "compaction"): 5_500,
        ("cache_write", "compaction"): 900,
    },
    "fallback": FALLEN_BACK,
    "fallback_from_the_start": FALLEN_BACK,
    "fallback_refused": {("input", ""): 412},
}
"""What is billed, where it is not the usual."""
KINDS = {
    **{name: "refused" for name in ANSWERS if name.startswith("refusal")},
    "gzip_refusal": "refused",
    "fallback_refused": "refused",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "pause_turn": "paused",
    "empty": "empty",
    "unknown_stop_reason": "other",
    "stop_reason_null": "other",
}
"""The kind of answer, where it is not `complete`."""
TOOLS = {
    **{name: [(name, None)] for name in ("web_search", "web_fetch", "code_execution", "tool_search", "advisor", "mcp")},
    "bash_code_execution": [("bash_code_execution", None)],
    "text_editor_code_execution": [("text_editor_code_execution", None)],
    "web_search_failed": [("web_search", "too_many_requests")],
    "web_fetch_failed": [("web_fetch", "url_not_accessible")],
    "code_execution_failed": [("code_execution", "unavailable")],
    "bash_code_execution_failed": [("bash_code_execution", "execution_time_exceeded")],
    "text_editor_code_execution_failed": [("text_editor_code_execution", "file_not_found")],
    "tool_search_failed": [("tool_search", "invalid_tool_input")],
    "advisor_failed": [("advisor", "overloaded")],
    "mcp_failed": [("mcp", "tool_error")],
    "server_tool_new_error": [("web_search", "moon_phase")],
    "pause_turn": [("web_search", None)],
    "server_tools_mixed": [
        ("web_search", "max_uses_exceeded"),
        ("web_search", "unavailable"),
        ("web_search", "max_uses_exceeded"),
        ("web_search", None),
        ("web_fetch", None),
    ],
}


def played(server: FaultServer, scenario: str, streaming: bool) -> Any:
    """Play one call to its end, and return its entry in the log."""
    with client(server, scenario) as opened:
        try:
            answer = opened.messages.create(**ASKED, stream=streaming)
            list(answer if streaming else ())
        except Exception:
            assert scenario not in ANSWERS
    (served,) = server.wait_idle()
    return served


def by_type(tokens: Any) -> dict[tuple[str, str], int]:
    counted = Counter({(entry.type, entry.detail): entry.number for entry in tokens})
    assert len(counted) == len(tokens)
    return dict(counted)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("scenario", ANSWERS)
def test_an_answer_is_told(server: FaultServer, scenario: str, streaming: bool) -> None:
    served = played(server, scenario, streaming)
    assert by_type(served.content.tokens) == TOKENS.get(scenario, USUAL)
    assert served.answer == KINDS.get(scenario, "complete")
    assert list(served.content.server_tools) == [ServerTool(*tool) for tool in TOOLS.get(scenario, [])]
    assert served.content.fallback == (scenario in ("fallback", "fallback_from_the_start"))
    fell_back = scenario.startswith("fallback")
    assert served.content.model == ("claude-fallback-1" if fell_back else "claude-test")
    started = sum(entry.number for entry in served.content.tokens_at_start)
    assert bool(started) == streaming


@pytest.mark.parametrize("scenario", ANSWERS)
async def test_what_is_told_is_what_the_sdk_reads(server: FaultServer, scenario: str) -> None:
    """By the helper, whose final message is put together by the SDK."""
    async with async_client(server, scenario) as opened:
        if not hasattr(opened.beta.messages, "stream"):
            pytest.skip("this SDK has no helper for beta messages")
        async with opened.beta.messages.stream(**ASKED) as stream:
            message = await stream.get_final_message()
    (served,) = server.wait_idle()
    usage = message.usage
    compactions = [entry for entry in getattr(usage, "iterations", None) or () if entry.type == "compaction"]
    billed = {
        "input": [usage.input_tokens, *(entry.input_tokens for entry in compactions)],
        "output": [usage.output_tokens, *(entry.output_tokens for entry in compactions)],
        "cache_read": [usage.cache_read_input_tokens, *(entry.cache_read_input_tokens for entry in compactions)],
        "cache_write": [
            usage.cache_creation_input_tokens,
            *(entry.cache_creation_input_tokens for entry in compactions),
        ],
    }
    told: Counter[str] = Counter()
    for entry in served.content.tokens:
        told[entry.type] += entry.number
    if scenario == "usage_goes_back":  # the SDK goes by the last count, whatever it was before
        billed |= {"input": [12], "output": [7]}
    assert {name: sum(counts) for name, counts in billed.items()} == {name: told[name] for name in billed}
    assert served.content.stop_reason == message.stop_reason
    details = getattr(message, "stop_details", None)
    category = (getattr(details, "category", None) or "none") if message.stop_reason == "refusal" else None
    assert served.content.refusal_category == category
    tools = [block.type for block in message.content if block.type.endswith("_tool_result")]
    assert [f"{tool.name}_tool_result" for tool in served.content.server_tools] == tools


@pytest.mark.variants(covers=lambda scenario: [STREAMED[scenario]])
@pytest.mark.parametrize("scenario", [name for name in EVERYWHERE if name not in {*ANSWERS, HOSTILE}])
def test_a_call_that_fails_has_no_answer(server: FaultServer, scenario: str) -> None:
    seen, _, failure = STREAMED[scenario]
    served = played(server, scenario, streaming=True)
    assert (served.answer is not None) == (seen == COMPLETED and failure is None)
    if seen == "* 529":
        assert served.content.tokens == ()


@pytest.mark.variants(covers=lambda scenario: [WHOLE.get(scenario)])
@pytest.mark.parametrize("scenario", [name for name in EVERYWHERE if name not in {*ANSWERS, HOSTILE}])
def test_a_call_that_fails_and_does_not_stream_has_no_answer(server: FaultServer, scenario: str) -> None:
    served = played(server, scenario, streaming=False)
    answered = WHOLE.get(scenario) == "message" or scenario in ("events_200", "events_as_json_200")
    assert (served.answer is not None) == answered
    assert bool(served.content.tokens) == (answered or (scenario.startswith("events_") and "first" not in scenario))


@pytest.mark.parametrize("scenario", ["bedrock_guarded_message_delta", "bedrock_guarded_message_stop"])
@pytest.mark.parametrize("streaming", [True, False])
def test_an_answer_that_a_guardrail_replaced(server: FaultServer, scenario: str, streaming: bool) -> None:
    with platform_client("AnthropicBedrock", server.base_url(scenario)) as opened:
        answer = opened.messages.create(**ASKED, stream=streaming)
        list(answer if streaming else ())
    (served,) = server.wait_idle()
    assert (served.answer, served.content.stop_reason, by_type(served.content.tokens)) == ("guarded", "end_turn", USUAL)


def test_a_client_that_leaves_knows_what_message_start_told(server: FaultServer) -> None:
    served = played(server, "reset_mid_stream", streaming=True)
    assert by_type(served.content.tokens) == by_type(served.content.tokens_at_start) == NOTHING_SAID
    server.clear()
    served = played(server, "cached_by_ttl", streaming=True)
    told = {kind: number for kind, number in TOKENS["cached_by_ttl"].items() if kind != ("output", "")}
    assert by_type(served.content.tokens_at_start) == told


def test_the_wait_that_an_answer_asks_for(server: FaultServer) -> None:
    def asked(scenario: str) -> list[tuple[float | None, bool | None]]:
        server.clear()
        with client(server, scenario, max_retries=2) as opened:
            try:
                opened.messages.create(**ASKED)
            except Exception:
                assert scenario.endswith("_retry")
        return [(served.retry_after, served.should_retry) for served in server.wait_idle()]

    assert asked("http_429_retry_after_then_completed") == [(0.3, None), (None, None)]
    assert asked("http_529_retry_after_ms_then_completed") == [(0.2, None), (None, None)]
    assert asked("http_529_no_retry") == [(0.001, False)]
    assert asked("http_400_retry") == [(0.001, True)] * 3
    assert asked("http_400_retry_then_completed") == [(0.001, True), (None, None)]
