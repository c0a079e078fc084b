# SPDX-License-Identifier: Apache-2.0
"""What the application and the model say to each other is in nothing that is exported or logged; nor is a header.

Every scenario is played with a canary in each place where words, names or secrets stand, and all that came of it is
searched, as the bytes that an exporter would send.
"""

from __future__ import annotations

import logging
from typing import Any

import anthropic
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from ..support.streams.application import Application
from ..support.streams.expected import ROWS
from ..support.telemetry import Telemetry

CANARIES = {
    "the API key": "canary-key-4711",
    "a header's value": "canary-header-4711",
    "a header's name": "x-canary-name",
    "the prompt": "canary prompt 4711",
    "the system prompt": "canary system 4711",
    "a user's id": "canary-user-4711",
    "the name of a tool": "canary_tool_4711",
    "the description of a tool": "canary description 4711",
    "an argument of a tool": "canary_argument_4711",
    "an addition to the body": "canary addition 4711",
    "a part of the URL": "canary-query-4711",
}
SAID = {
    "the model's words": "from Claude",
    "a word of the model's": "Hello",
    "the model's words before a tool": "Let me look that up.",
    "an argument that the model chose": "Paris",
    "the model's thoughts": "A greeting is asked for.",
}
"""What the fault server lets the model say."""

REQUEST: dict[str, Any] = {
    "model": "claude-to-be-found",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": CANARIES["the prompt"]}],
    "system": CANARIES["the system prompt"],
    "metadata": {"user_id": CANARIES["a user's id"]},
    "tools": [
        {
            "name": CANARIES["the name of a tool"],
            "description": CANARIES["the description of a tool"],
            "input_schema": {
                "type": "object",
                "properties": {CANARIES["an argument of a tool"]: {"type": "string"}},
                "required": [CANARIES["an argument of a tool"]],
            },
        }
    ],
    "extra_headers": {CANARIES["a header's name"]: CANARIES["a header's value"]},
    "extra_query": {"q": CANARIES["a part of the URL"]},
    "extra_body": {"addition": CANARIES["an addition to the body"]},
}


def exported(telemetry: Telemetry) -> bytes:
    """Everything that was recorded, in the protobuf that OTLP sends; text stands in it as it is."""
    parts = [encode_spans(telemetry.spans), encode_logs(telemetry.finished_logs())]
    if (metrics := telemetry.metrics_data()) is not None:
        parts.append(encode_metrics(metrics))
    return b"".join(part.SerializeToString() for part in parts)


def converse(client: anthropic.Anthropic) -> list[str]:
    """Makes a call of each kind, and returns what there was to see."""
    seen: list[str] = []
    for read in (stream, lines, whole):
        try:
            seen += read(client)
        except Exception as exception:
            seen.append(str(exception))
    return seen


def stream(client: anthropic.Anthropic) -> list[str]:
    return [repr(event) for event in client.messages.create(stream=True, **REQUEST)]


def lines(client: anthropic.Anthropic) -> list[str]:
    with client.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        return list(response.iter_lines())


def whole(client: anthropic.Anthropic) -> list[str]:
    return [repr(client.messages.create(**REQUEST))]


def test_nothing_of_what_is_said_is_exported_or_logged(
    application: Application, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    with telemetry.instrumented(chunk_timing=True), caplog.at_level(logging.DEBUG, "after200"):
        for scenario in (row.scenario for row in ROWS if row.timeout >= 1):
            client = application.client(scenario, api_key=CANARIES["the API key"])
            seen += converse(client)
        seen += converse(application.client("tool_use", api_key=CANARIES["the API key"]))

    found = exported(telemetry)
    assert b"claude-to-be-found" in found
    assert b"overloaded_error" in found
    for what, words in {**CANARIES, **SAID}.items():
        assert words.encode() not in found, what
        assert words not in caplog.text, what
    for words in ("Hello", "Let me look that up.", CANARIES["the name of a tool"], "A greeting is asked for."):
        assert any(words in text for text in seen), words


def test_a_canary_that_were_exported_would_be_found(telemetry: Telemetry) -> None:
    """The search itself: in an attribute of a span, of a metric and of a log record, and in a span's status."""
    canary = CANARIES["the prompt"]
    with telemetry.tracer_provider.get_tracer("t").start_as_current_span("s", attributes={"a": canary}):
        pass
    assert canary.encode() in exported(telemetry)
    other = Telemetry()
    other.meter_provider.get_meter("m").create_counter("c").add(1, {"a": canary})
    assert canary.encode() in exported(other)
