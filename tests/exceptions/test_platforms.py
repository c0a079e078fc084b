# SPDX-License-Identifier: Apache-2.0
"""Corrected exceptions on the other platforms: Bedrock's frames have names and status codes of their own."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic import _exceptions as sdk

from after200.faults import FaultServer

from ..support.platforms.clients import REQUEST, make_client
from ..support.telemetry import Telemetry

pytest.importorskip("botocore", reason="the SDK's extra for Bedrock is not installed")

EXCEPTIONS: dict[str, tuple[int, tuple[str, ...]]] = {
    "validationException": (400, ("BadRequestError",)),
    "accessDeniedException": (403, ("PermissionDeniedError",)),
    "resourceNotFoundException": (404, ("NotFoundError",)),
    "modelTimeoutException": (408, ("RequestTimeoutError", "APIStatusError")),
    "modelErrorException": (424, ("APIStatusError",)),
    "throttlingException": (429, ("RateLimitError",)),
    "internalServerException": (500, ("InternalServerError",)),
    "serviceUnavailableException": (503, ("ServiceUnavailableError", "InternalServerError")),
}
"""An exception of Bedrock's → status code, and its class in the SDK: the first that the installed version has."""


def raised(client: Any) -> Any:
    with pytest.raises((anthropic.APIStatusError, ValueError)) as caught:
        for _ in client.messages.create(stream=True, **REQUEST):
            pass
    return caught.value


def caught_both_ways(server: FaultServer, telemetry: Telemetry, platform: str, scenario: str) -> tuple[Any, Any]:
    """What the application catches without the option and with it."""
    caught = []
    for correct in (False, True):
        with telemetry.instrumented(correct_exceptions=correct):
            caught.append(raised(make_client(platform, server, scenario, f"corrected-{correct}", max_retries=0)))
    return caught[0], caught[1]


def named(names: tuple[str, ...]) -> type:
    found: type = next(vars(sdk)[name] for name in names if name in vars(sdk))
    return found


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_frame_of_bedrock_s(server: FaultServer, telemetry: Telemetry, name: str) -> None:
    off, on = caught_both_ways(server, telemetry, "bedrock", f"bedrock_{name}_mid")
    if not isinstance(off, anthropic.APIStatusError):
        # Before 1.7 the SDK raises a ValueError: no status code that could be wrong.
        assert (type(off), str(off)) == (type(on), str(on))
        return
    status, names = EXCEPTIONS[name]
    assert (anthropic.APIStatusError, 200) == (type(off), off.status_code)
    assert (named(names), status) == (type(on), on.status_code)
    assert (off.message, off.body) == (on.message, on.body)


@pytest.mark.parametrize("platform", ["vertex", "foundry", "aws", "google_cloud"])
def test_an_overload_on_a_platform_that_speaks_as_the_claude_api_does(
    server: FaultServer, telemetry: Telemetry, platform: str
) -> None:
    off, on = caught_both_ways(server, telemetry, platform, "overloaded_error_mid_stream")
    assert (anthropic.APIStatusError, 200) == (type(off), off.status_code)
    assert (named(("OverloadedError", "InternalServerError")), 529) == (type(on), on.status_code)
