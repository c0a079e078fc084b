# SPDX-License-Identifier: Apache-2.0
"""What the real SDK gives an application for an answer that completes, streamed and whole, by either kind of client."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from after200.faults import SCENARIOS, FaultServer
from after200.faults.catalog.answers import CATEGORIES
from after200.faults.catalog.error_codes import ERROR_CODES
from after200.faults.catalog.server_tools import TOOLS

from .clients import ASKED, MESSAGES, post, sse_events, stream
from .expected import ANSWERS, CODED
from .sdk import async_client, client, platform_client

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK on codes it does not know
TEXT = ("text",)
Answer = tuple[str | None, str | None, tuple[str, ...]]


def _tools(*kinds: str) -> tuple[str, ...]:
    return (*(name for kind in kinds for name in ("server_tool_use", f"{kind}_tool_result")), "text")


EXPECTED: dict[str, Answer] = {
    **{f"refusal_{category}": ("refusal", category, ()) for category in CATEGORIES},
    "refusal": ("refusal", None, TEXT),
    "refusal_new_category": ("refusal", "quantum", ()),
    "refusal_without_category": ("refusal", None, ()),
    "refusal_mid_stream": ("refusal", "cyber", TEXT),
    "refusal_then_completed": ("refusal", None, TEXT),
    "gzip_refusal": ("refusal", "bio", ()),
    "max_tokens": ("max_tokens", None, TEXT),
    "model_context_window_exceeded": ("model_context_window_exceeded", None, TEXT),
    "pause_turn": ("pause_turn", None, _tools("web_search")),
    "stop_sequence": ("stop_sequence", None, TEXT),
    "unknown_stop_reason": ("moon_phase", None, TEXT),
    "stop_reason_null": (None, None, TEXT),
    "empty": ("end_turn", None, ()),
    "tool_use": ("tool_use", None, ("text", "tool_use")),
    "thinking": ("end_turn", None, ("thinking", "text")),
    "thinking_slow": ("end_turn", None, ("thinking", "text")),
    **{kind: ("end_turn", None, _tools(kind)) for kind in TOOLS},
    **{f"{kind}_failed": ("end_turn", None, _tools(kind)) for kind in TOOLS},
    **dict.fromkeys(("mcp", "mcp_failed"), ("end_turn", None, ("mcp_tool_use", "mcp_tool_result", "text"))),
    "server_tools_mixed": ("end_turn", None, _tools(*["web_search"] * 4, "web_fetch")),
    "server_tool_new_error": ("end_turn", None, _tools("web_search")),
    "compaction": ("end_turn", None, ("compaction", "text")),
    "compaction_twice": ("end_turn", None, ("compaction", "text")),
    "fallback": ("end_turn", None, ("text", "fallback", "text")),
    "fallback_refused": ("refusal", "cyber", ("text", "fallback")),
}
"""Stop reason, category of a refusal, types of the content blocks, where that is not `end_turn` and text."""


def shown(message: Any) -> Answer:
    """The message as the table writes it."""
    category = getattr(getattr(message, "stop_details", None), "category", None)
    return message.stop_reason, category, tuple(block.type for block in message.content)


@pytest.mark.parametrize("scenario", ANSWERS)
def test_what_the_application_has(server: FaultServer, scenario: str) -> None:
    expected = EXPECTED.get(scenario, ("end_turn", None, TEXT))
    with client(server, scenario) as opened:
        assert shown(opened.beta.messages.create(**ASKED)) == expected
        server.clear()
        with opened.beta.messages.stream(**ASKED) as events:
            assert shown(events.get_final_message()) == expected


@pytest.mark.variants(covers=lambda scenario: [EXPECTED.get(scenario, ())[:2]])
@pytest.mark.parametrize("scenario", ANSWERS)
async def test_what_an_async_application_has(server: FaultServer, scenario: str) -> None:
    expected = EXPECTED.get(scenario, ("end_turn", None, TEXT))
    async with async_client(server, scenario) as opened:
        assert shown(await opened.messages.create(**ASKED)) == expected
        server.clear()
        async with opened.beta.messages.stream(**ASKED) as events:
            assert shown(await events.get_final_message()) == expected


@pytest.mark.parametrize("kind", [*TOOLS, "mcp"])
@pytest.mark.parametrize("end", ["", "_failed"])
def test_the_sdk_has_a_type_for_each_result_of_a_tool(server: FaultServer, kind: str, end: str) -> None:
    """What is played has every field that the SDK's type has, and no other: it validates strictly."""
    types = anthropic.types.beta
    name = "".join(part.capitalize() for part in kind.split("_")).replace("Mcp", "MCP")
    model = getattr(types, f"Beta{name}ToolResultBlock", None)
    if model is None or not hasattr(model, "model_validate"):
        pytest.skip(f"this SDK has no type for the results of {kind}")
    whole = json.loads(post(server, f"/{kind}{end}{MESSAGES}")[2])
    (block,) = (entry for entry in whole["content"] if entry["type"].endswith("_tool_result"))
    known = model.model_validate(block, strict=True).model_dump(exclude_unset=True, mode="json")
    assert known == block


def test_the_sdk_has_a_type_for_usage_and_for_a_fallback(server: FaultServer) -> None:
    usage_type = getattr(anthropic.types.beta, "BetaUsage", None)
    fallback_type = getattr(anthropic.types.beta, "BetaFallbackBlock", None)
    if usage_type is None or fallback_type is None or "iterations" not in usage_type.model_fields:
        pytest.skip("this SDK knows no iterations")
    for scenario in ("cached_by_ttl", "thinking_slow", "compaction_twice", "fallback", "advisor", "speed_fast"):
        usage = json.loads(post(server, f"/{scenario}{MESSAGES}")[2])["usage"]
        assert usage_type.model_validate(usage, strict=True).model_dump(exclude_unset=True, mode="json") == usage
    (block,) = json.loads(post(server, f"/fallback{MESSAGES}")[2])["content"][1:2]
    assert fallback_type.model_validate(block, strict=True).model_dump(mode="json", by_alias=True) == block


def test_a_fallback_in_a_stream_names_the_first_model_first(server: FaultServer) -> None:
    events = [json.loads(data) for _, data in sse_events(stream(server, "fallback"))]
    assert events[0]["message"]["model"] == "claude-test"
    (hop,) = (event["content_block"] for event in events if event.get("content_block", {}).get("type") == "fallback")
    assert (hop["from"], hop["to"]) == ({"model": "claude-test"}, {"model": "claude-fallback-1"})
    (last,) = (event["usage"]["iterations"] for event in events if event["type"] == "message_delta")
    assert [(entry["type"], entry["model"]) for entry in last] == [
        ("message", "claude-test"),
        ("fallback_message", "claude-fallback-1"),
    ]
    [start, *_] = [json.loads(data) for _, data in sse_events(stream(server, "fallback_from_the_start"))]
    assert start["message"]["model"] == "claude-fallback-1"
    assert json.loads(post(server, f"/fallback{MESSAGES}")[2])["model"] == "claude-fallback-1"


def test_a_second_message_delta_says_less(server: FaultServer) -> None:
    events = [json.loads(data) for _, data in sse_events(stream(server, "usage_goes_back"))]
    usages = [event["usage"] for event in events if event["type"] == "message_delta"]
    assert usages == [{"output_tokens": 7}, {"input_tokens": 0, "output_tokens": 0}]


def test_text_comes_after_thinking_and_a_while_later(server: FaultServer) -> None:
    with client(server, "thinking_slow") as opened:
        deltas = [
            event.delta.type
            for event in opened.messages.create(**ASKED, stream=True)
            if event.type == "content_block_delta"
        ]
    assert deltas == ["thinking_delta", "thinking_delta", "signature_delta", *["text_delta"] * 4]


GUARDRAIL = "amazon-bedrock-guardrailAction"


@pytest.mark.parametrize(
    ("scenario", "event", "action"),
    [
        ("bedrock_guarded_message_delta", "message_delta", "INTERVENED"),
        ("bedrock_guarded_message_stop", "message_stop", "INTERVENED"),
        ("bedrock_guardrail_none", "message_stop", "NONE"),
    ],
)
def test_what_a_guardrail_did_stands_beside_the_type(
    server: FaultServer, scenario: str, event: str, action: str
) -> None:
    with platform_client("AnthropicBedrock", server.base_url(scenario)) as opened:
        said = {
            entry.type: entry.model_extra[GUARDRAIL]
            for entry in opened.messages.create(**ASKED, stream=True)
            if GUARDRAIL in (entry.model_extra or {})
        }
        message = opened.messages.create(**ASKED)
    assert said == {event: action}
    assert message.model_extra[GUARDRAIL] == action


@pytest.mark.parametrize("scenario", CODED)
@pytest.mark.parametrize("streaming", [True, False])
def test_an_error_code_reaches_the_application(server: FaultServer, scenario: str, streaming: bool) -> None:
    with client(server, scenario) as opened, pytest.raises(anthropic.APIStatusError) as raised:
        list(opened.messages.create(**ASKED, stream=streaming))
    status = 200 if streaming and scenario.endswith("_mid_stream") else ERROR_CODES[CODED[scenario]][0]
    assert raised.value.status_code == status
    assert raised.value.body["error"]["details"] == {"error_code": CODED[scenario]}
    if hasattr(raised.value, "error_code"):
        assert raised.value.error_code == CODED[scenario]
    assert [served.content.error_code for served in server.wait_idle()] == [CODED[scenario]]


def test_the_statuses_of_the_codes_are_those_of_the_sdk() -> None:
    classes = pytest.importorskip("anthropic._error_classes", reason="this SDK has no table of codes").ERROR_CLASSES
    known = {code: status for status, code in classes if code}
    *played, unknown = ERROR_CODES
    assert {code: ERROR_CODES[code][0] for code in played} == {code: known[code] for code in played}
    assert unknown not in known


@pytest.mark.parametrize(
    ("scenario", "attempts"),
    [
        ("http_429_no_retry", 1),
        ("http_500_no_retry", 1),
        ("http_529_no_retry", 1),
        ("http_529", 3),
        ("http_400_retry", 3),
        ("http_400", 1),
        ("overloaded_mid_stream_no_retry", 1),
    ],
)
def test_x_should_retry_decides(server: FaultServer, scenario: str, attempts: int) -> None:
    with client(server, scenario, max_retries=2) as opened, pytest.raises(anthropic.APIStatusError):
        list(opened.messages.create(**ASKED, stream=True))
    assert len(server.wait_idle()) == attempts


def test_a_large_message_is_large(server: FaultServer) -> None:
    assert len(post(server, f"/large_message{MESSAGES}")[2]) > 1_200_000
    assert len(stream(server, "large_message")) > 1_200_000


def test_only_the_claude_api_has_rate_limits() -> None:
    limited = {name for name, scenario in SCENARIOS.items() if scenario.only == "anthropic"}
    assert limited == {"rate_limits", "rate_limits_priority", "rate_limits_odd"}
