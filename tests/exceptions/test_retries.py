# SPDX-License-Identifier: Apache-2.0
"""The retry that never fired before: written for HTTP errors, as people write it, and an overload in the stream."""

from __future__ import annotations

import contextlib
from typing import Any

import anthropic
import pytest
from anthropic import _exceptions as sdk

from after200.faults import FaultServer

from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options
from .calls import aanswer, ahelped_answer, answer, helped_answer, run

tenacity = pytest.importorskip("tenacity", reason="tenacity is not installed")

SCENARIO = "overloaded_mid_stream_then_completed"
ASKING = {"create": (answer, aanswer), "helper": (helped_answer, ahelped_answer)}


def by_status_code(exception: BaseException) -> bool:
    return isinstance(exception, anthropic.APIStatusError) and exception.status_code >= 500


def by_class(exception: BaseException) -> bool:
    """The classes as the installed SDK has them: before 0.47 there is none for an overload."""
    return isinstance(exception, (anthropic.InternalServerError, vars(sdk).get("OverloadedError", ())))


def by_rate_limit(exception: BaseException) -> bool:
    return isinstance(exception, anthropic.RateLimitError)


def again_when(condition: Any) -> Any:
    return tenacity.retry(
        retry=tenacity.retry_if_exception(condition), stop=tenacity.stop_after_attempt(3), reraise=True
    )


def requests_served(server: FaultServer, options: dict[str, Any]) -> int:
    key = options["base_url"].rpartition("@")[2]
    return sum(entry.key == key for entry in server.wait_idle())


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("condition", [by_status_code, by_class])
def test_the_retry_that_did_not_fire_fires(
    server: FaultServer, telemetry: Telemetry, condition: Any, ask: str, twin: Twin
) -> None:
    off = client_options(server, SCENARIO)
    with telemetry.instrumented(), pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        run(twin, off, ASKING[ask], again_when(condition))
    assert 1 == requests_served(server, off)

    on = client_options(server, SCENARIO)
    with telemetry.instrumented(correct_exceptions=True):
        assert "Hello from Claude." == run(twin, on, ASKING[ask], again_when(condition))
    assert 2 == requests_served(server, on)


@pytest.mark.parametrize("twin", TWINS)
def test_a_retry_meant_for_something_else_does_not(server: FaultServer, telemetry: Telemetry, twin: Twin) -> None:
    options = client_options(server, SCENARIO)
    with telemetry.instrumented(correct_exceptions=True), contextlib.suppress(anthropic.APIStatusError):
        run(twin, options, ASKING["create"], again_when(by_rate_limit))
    assert 1 == requests_served(server, options)


def test_each_try_is_a_call_of_its_own(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(correct_exceptions=True):
        run("sync", client_options(server, SCENARIO), ASKING["create"], again_when(by_status_code))
    assert ["failed", "completed"] == [(span.attributes or {})["after200.outcome"] for span in telemetry.spans]
    assert 2 == telemetry.total("after200.calls")
