# SPDX-License-Identifier: Apache-2.0
"""Clients of the SDK for the fault server: the first party's, sync and async, and those of the clouds."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer

from ..support.patience import PATIENCE_S

ARGUMENTS: dict[str, dict[str, Any]] = {
    "AnthropicBedrock": {"aws_access_key": "a", "aws_secret_key": "b", "aws_region": "us-east-1"},
    "AnthropicVertex": {"project_id": "p", "region": "us-east5", "access_token": "t"},
    "AnthropicFoundry": {"api_key": "none"},
    "AnthropicAWS": {"api_key": "none", "workspace_id": "w"},
    "AnthropicBedrockMantle": {"api_key": "none"},
    "AnthropicGoogleCloud": {"token_provider": lambda: "t", "workspace_id": "w", "project": "p"},
}
_NEEDS = {"AnthropicBedrock": "botocore", "AnthropicVertex": "google.auth"}


def _options(server: FaultServer, scenario: str) -> dict[str, Any]:
    timeout = 0.5 if scenario.startswith("stall") else PATIENCE_S
    return {"base_url": server.base_url(scenario), "api_key": "none", "max_retries": 0, "timeout": timeout}


def client(server: FaultServer, scenario: str, **more: Any) -> anthropic.Anthropic:
    http_client = anthropic.DefaultHttpxClient(verify=False)  # spares every test the loading of certificates
    return anthropic.Anthropic(**{**_options(server, scenario), **more}, http_client=http_client)


def async_client(server: FaultServer, scenario: str, **more: Any) -> anthropic.AsyncAnthropic:
    http_client = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(**{**_options(server, scenario), **more}, http_client=http_client)


def platform_client(name: str, base_url: str) -> Any:
    """A client of a cloud; the test is skipped where the SDK has none, or what it needs is not installed."""
    kind = getattr(anthropic, name, None)
    if kind is None:
        pytest.skip(f"this SDK has no {name}")
    if name in _NEEDS:
        pytest.importorskip(_NEEDS[name], reason=f"{name} needs it")
    return kind(base_url=base_url, max_retries=0, **ARGUMENTS[name])
