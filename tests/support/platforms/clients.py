# SPDX-License-Identifier: Apache-2.0
"""The clients of every platform that the installed SDK has, made to talk to the fault server; sync and async.

Nothing here knows the version of the SDK: a platform is there when its client is, and a client is given what it takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import anthropic
import pytest

from after200.faults import FaultServer

from ..sdk_tracing import sdk_spans

MODEL = "claude-test"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello?"}],
}


class Platform(NamedTuple):
    """A way to reach Claude: the client's class, what `gen_ai.provider.name` calls it, what its client is given."""

    client: str
    provider: str
    wire: str
    arguments: dict[str, Any]


_AWS_KEYS = {"aws_access_key": "none", "aws_secret_key": "none", "aws_region": "us-east-1"}

PLATFORMS: dict[str, Platform] = {
    "anthropic": Platform("Anthropic", "anthropic", "anthropic", {"api_key": "none"}),
    "bedrock": Platform("AnthropicBedrock", "aws.bedrock", "bedrock", _AWS_KEYS),
    "vertex": Platform(
        "AnthropicVertex",
        "gcp.vertex_ai",
        "vertex",
        {"region": "us-east5", "project_id": "project", "access_token": "none"},
    ),
    "foundry": Platform("AnthropicFoundry", "anthropic", "anthropic", {"api_key": "none"}),
    "aws": Platform("AnthropicAWS", "anthropic", "anthropic", {"skip_auth": True}),
    "mantle": Platform("AnthropicBedrockMantle", "aws.bedrock", "anthropic", {"skip_auth": True}),
    "google_cloud": Platform("AnthropicGoogleCloud", "anthropic", "anthropic", {"skip_auth": True}),
}


def make_client(
    platform: str, server: FaultServer, scenario: str, key: str, *, is_async: bool = False, **more: Any
) -> Any:
    """The client of `platform`, whose calls are played `scenario`. Skips the test where the SDK has no such client."""
    description = PLATFORMS[platform]
    name = ("Async" if is_async else "") + description.client
    cls = getattr(anthropic, name, None)
    if cls is None:
        pytest.skip(f"this version of the SDK has no {name}")
    arguments = {"base_url": server.base_url(scenario, key), "max_retries": 0, **description.arguments, **more}
    if "http_client" not in more:
        # The server speaks plain HTTP: reading the certificates of the system would take longer than the whole test.
        http_client = anthropic.DefaultAsyncHttpxClient if is_async else anthropic.DefaultHttpxClient
        arguments["http_client"] = http_client(verify=False)
    # The package's own span is what these tests look at; the SDK's has tests of its own.
    return cls(**{**sdk_spans(None, cls), **arguments})
