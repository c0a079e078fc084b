# SPDX-License-Identifier: Apache-2.0
"""The SDK's clients for the clouds, each against the same server: their paths, their wires, their errors."""

from __future__ import annotations

import anthropic
import pytest

from after200.faults import FaultServer

from .clients import ASKED, post
from .sdk import ARGUMENTS, platform_client

WIRES = {"AnthropicBedrock": "bedrock", "AnthropicVertex": "vertex"}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_completed_call(server: FaultServer, name: str) -> None:
    with platform_client(name, server.base_url("completed")) as opened:
        events = list(opened.messages.create(**{**ASKED, "model": "claude@1"}, stream=True))
        message = opened.messages.create(**{**ASKED, "model": "claude@1"})
    assert events[-1].type == "message_stop"
    assert events[0].message.model == message.model == "claude@1"
    log = server.wait_idle()
    assert [(served.wire, served.model, served.streaming) for served in log] == [
        (WIRES.get(name, "anthropic"), "claude@1", True),
        (WIRES.get(name, "anthropic"), "claude@1", False),
    ]


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize(
    ("scenario", "status", "failure"),
    [
        ("overloaded_error_mid_stream", 200, "overloaded_error"),
        ("http_413", 413, "request_too_large"),
        ("http_529", 529, "overloaded_error"),
        ("http_529_html", 529, None),
    ],
)
def test_an_error(server: FaultServer, name: str, scenario: str, status: int, failure: str | None) -> None:
    with platform_client(name, server.base_url(scenario)) as opened, pytest.raises(anthropic.APIStatusError) as raised:
        list(opened.messages.create(**ASKED, stream=True))
    assert raised.value.status_code == status
    assert [(served.wire_status, served.failure) for served in server.wait_idle()] == [(status, failure)]


@pytest.mark.parametrize("path", ["/projects/p/locations/l", "/v1/projects/p/locations/l"])
@pytest.mark.parametrize("action", ["rawPredict", "streamRawPredict"])
def test_vertex_has_the_model_in_its_path(server: FaultServer, path: str, action: str) -> None:
    url = f"/completed{path}/publishers/anthropic/models/claude-sonnet-4@20250514:{action}"
    assert post(server, url, {"stream": action == "streamRawPredict"})[0] == 200
    assert server.log[-1].model == "claude-sonnet-4@20250514"


def test_the_errors_of_google_cloud(server: FaultServer) -> None:
    url = server.base_url("vertex_http_429")
    with platform_client("AnthropicVertex", url) as opened, pytest.raises(anthropic.RateLimitError) as raised:
        opened.messages.create(**ASKED)
    assert raised.value.body == {
        "error": {"code": 429, "message": "Refused by the platform", "status": "RESOURCE_EXHAUSTED"}
    }
    assert server.log[-1].failure is None


# What an application on Bedrock sees is a matter of the SDK's era; what was sent is not.
BEDROCK = {
    "bedrock_throttlingException_mid": "throttlingException",
    "bedrock_modelStreamErrorException_first": "modelStreamErrorException",
    "bedrock_unknown_exception": "quantumFluxException",
    "bedrock_error_frame": "throttlingException",
    "bedrock_chunk_error": "overloaded_error",
    "bedrock_chunk_rate_limit_first": "rate_limit_error",
    "bedrock_chunk_rate_limit_mid": "rate_limit_error",
    "bedrock_chunk_without_type": None,
    "bedrock_bad_crc": None,
    "bedrock_truncated_frame": None,
    "bedrock_end_without_message_stop": None,
}


@pytest.mark.parametrize("scenario", BEDROCK)
def test_no_faulty_bedrock_stream_reaches_message_stop(server: FaultServer, scenario: str) -> None:
    last = None
    with platform_client("AnthropicBedrock", server.base_url(scenario)) as opened:
        try:
            for event in opened.messages.create(**ASKED, stream=True):
                last = event.type
        except Exception as error:
            last = type(error).__name__
    assert last != "message_stop"
    assert [(served.wire, served.wire_status, served.failure) for served in server.wait_idle()] == [
        ("bedrock", 200, BEDROCK[scenario])
    ]


def test_the_same_faulty_call_that_does_not_stream_is_an_http_error(server: FaultServer) -> None:
    url = server.base_url("bedrock_throttlingException_mid")
    with platform_client("AnthropicBedrock", url) as opened, pytest.raises(anthropic.RateLimitError):
        opened.messages.create(**ASKED)
    assert [(served.wire_status, served.failure) for served in server.wait_idle()] == [(429, "ThrottlingException")]
