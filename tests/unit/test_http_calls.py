# SPDX-License-Identifier: Apache-2.0
"""Which requests of an HTTP library are calls, and what their bodies ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from after200.hooks.http.calls import MAX_DECODED, Kind, find_kind, outermost_members, read_call

MESSAGES = Kind("anthropic", "chat", "message", None, False, True)
CLAUDE = "anthropic.claude-sonnet-4"
ARN = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4"


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/v1/messages", MESSAGES),
        ("https://gateway.example/proxy/v1/messages?beta=true", MESSAGES),
        ("/v1/complete", Kind("anthropic", "text_completion", "completion", None, False, True)),
        (
            "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict",
            Kind("gcp.vertex_ai", "chat", "message", "claude-x", True, False),
        ),
        (
            "/publishers/anthropic/models/claude-x@20250101:rawPredict",
            Kind("gcp.vertex_ai", "chat", "message", "claude-x@20250101", False, False),
        ),
        (f"/model/{CLAUDE}/invoke", Kind("aws.bedrock", "chat", "message", CLAUDE, False, False)),
        (
            f"/model/{CLAUDE}/invoke-with-response-stream",
            Kind("aws.bedrock", "chat", "message", CLAUDE, True, False),
        ),
        (f"/model/{CLAUDE}/converse", Kind("aws.bedrock", "chat", "converse", CLAUDE, False, False)),
        (f"/model/{CLAUDE}/converse-stream", Kind("aws.bedrock", "chat", "converse", CLAUDE, True, False)),
        (
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.anthropic.claude-sonnet-4/converse",
            Kind("aws.bedrock", "chat", "converse", ARN, False, False),
        ),
        ("/v1/messages/count_tokens", None),
        ("/v1/messages/batches", None),
        ("/v1/messages/", None),
        ("/v1/chat/completions?next=/v1/messages", None),
        ("/model/amazon.titan-text-express-v1/invoke", None),
        (f"/a/model/{CLAUDE}/x/converse", None),
        ("/model/x/anthropic.claude/invoke", None),
        ("/publishers/google/models/gemini:streamRawPredict", None),
        ("", None),
    ],
)
def test_the_path_as_it_is_on_the_wire_says_which_call_a_request_is(target: str, kind: Kind | None) -> None:
    assert kind == find_kind(target)


MEMBERS: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": [{"type": "tool_use", "input": {"model": "secret", "stream": True}}]}],
    "temperature": 0.5,
    "stream": False,
    "metadata": {"model": "other"},
}


def test_of_a_long_body_only_the_outermost_members_count() -> None:
    long = {**MEMBERS, "messages": [{"content": 'a "quoted" \\ text: {[' * 100_000, "model": "deep"}]}
    body = json.dumps(long)
    assert len(body) > MAX_DECODED
    expected = {name: None if isinstance(value, dict | list) else value for name, value in long.items()}
    assert expected == outermost_members(body) == outermost_members(body.encode())


@pytest.mark.parametrize("body", [json.dumps(MEMBERS), json.dumps(MEMBERS).encode(), MEMBERS])
def test_a_body_in_memory_says_what_is_asked_for(body: object) -> None:
    call = read_call("httpx", MESSAGES, body, has_version=False)
    assert call is not None
    assert ("claude-test", False, True, "httpx") == (call.model, call.stream, call.says_stream, call.client)
    assert {"max_tokens": 64, "temperature": 0.5} == call.parameters


def test_a_body_that_is_not_in_memory_is_not_touched() -> None:
    pieces = iter([b"{}"])
    call = read_call("httpx", MESSAGES, pieces, has_version=True)
    assert call is not None
    assert (None, None, False) == (call.model, call.stream, call.says_stream)
    assert [b"{}"] == list(pieces)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, "{}", {}, None, 3])
def test_a_request_of_another_service_is_no_call(body: object) -> None:
    assert None is read_call("httpx", MESSAGES, body, has_version=False)


def test_a_path_that_asks_for_a_stream_needs_no_member_for_it() -> None:
    kind = find_kind(f"/model/{CLAUDE}/converse-stream")
    assert kind is not None
    config = {"inferenceConfig": {"maxTokens": 9, "topP": 0.5, "stopSequences": ["x"]}}
    call = read_call("botocore", kind, json.dumps({"messages": [], **config}), has_version=False)
    assert call is not None
    assert (CLAUDE, True, True) == (call.model, call.stream, call.says_stream)
    assert {"max_tokens": 9, "top_p": 0.5, "stop_sequences": ("x",)} == call.parameters
