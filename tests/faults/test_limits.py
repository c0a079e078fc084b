# SPDX-License-Identifier: Apache-2.0
"""Rate limits: those of a scenario, and those of a server that run down as it is used."""

from __future__ import annotations

import anthropic
import pytest

from after200 import names
from after200.faults import FaultServer, Truth
from after200.faults.limits import HEADERS, WINDOW, RateLimits, parse_limits
from after200.faults.truth import Tokens

from .clients import ASKED, MESSAGES, post
from .sdk import client, platform_client

LIMITS = {"requests": 3, "tokens": 100, "input_tokens": 1000, "output_tokens": 20}


def remaining(headers: dict[str, str], *kinds: str) -> tuple[str, ...]:
    return tuple(headers[f"anthropic-ratelimit-{kind}-remaining"] for kind in kinds)


def test_the_kinds_are_those_that_are_recorded() -> None:
    assert {kind: f"`{stem}-*`" for kind, stem in HEADERS.items()} == names.RATE_LIMIT_KINDS


def test_a_scenario_s_limits_run_down_are_used_up_and_whole_again(server: FaultServer) -> None:
    seen = []
    with client(server, "rate_limits") as opened:
        for number in range(8):
            try:
                raw = opened.messages.with_raw_response.create(**ASKED, stream=bool(number % 2))
                headers = raw.headers
                answer = raw.parse()
                list(answer if number % 2 else ())
            except anthropic.RateLimitError as error:
                headers = error.response.headers
            seen.append(remaining(headers, "requests", "input-tokens", "output-tokens", "tokens"))
    assert seen == [
        ("40", "64000", "12800", "80000"),
        ("30", "48000", "9600", "60000"),
        ("20", "32000", "6400", "40000"),
        ("10", "16000", "3200", "20000"),
        ("0", "0", "0", "0"),
        ("0", "0", "0", "0"),
        ("50", "80000", "16000", "100000"),
        ("50", "80000", "16000", "100000"),
    ]
    assert [served.wire_status for served in server.wait_idle()] == [200] * 5 + [429] + [200] * 2
    assert server.log[0].headers["anthropic-ratelimit-requests-limit"] == "50"


def test_the_limits_of_the_priority_tier(server: FaultServer) -> None:
    _, headers, _ = post(server, f"/rate_limits_priority{MESSAGES}")
    assert {name: value for name, value in headers.items() if name.startswith("anthropic-")} == {
        "anthropic-priority-input-tokens-limit": "40000",
        "anthropic-priority-input-tokens-remaining": "10000",
        "anthropic-priority-input-tokens-reset": "2026-01-01T00:01:00Z",
        "anthropic-priority-output-tokens-limit": "8000",
        "anthropic-priority-output-tokens-remaining": "2000",
        "anthropic-priority-output-tokens-reset": "2026-01-01T00:01:00Z",
    }


def test_a_server_s_limits_run_down_with_what_it_serves() -> None:
    with FaultServer(rate_limits=LIMITS) as server:
        seen = []
        for scenario in ("completed", "cached", "http_529", "completed"):
            _, headers, _ = post(server, f"/{scenario}{MESSAGES}")
            server.wait_idle()
            seen.append(remaining(headers, "requests", "tokens", "input-tokens", "output-tokens"))
        server.clear()
        _, headers, _ = post(server, f"/completed{MESSAGES}")
        assert headers["anthropic-ratelimit-output-tokens-limit"] == "20"
        assert remaining(headers, "requests", "tokens") == ("2", "100")
        assert server.log[0].headers["anthropic-ratelimit-output-tokens-limit"] == "20"
    assert seen == [
        ("2", "100", "1000", "20"),
        ("1", "81", "988", "13"),
        ("0", "0", "0", "6"),
        ("0", "0", "0", "6"),
    ]


def test_a_minute_later_the_limits_are_whole_again() -> None:
    now = [100.0]
    limits = RateLimits({"requests": 5, "priority_output_tokens": 8}, lambda: now[0])
    limits.count_request()
    limits.count_tokens(Truth(tokens=(Tokens("output", "thinking", 3), Tokens("cache_read", "", 900))))
    assert limits.headers() == {
        "anthropic-ratelimit-requests-limit": "5",
        "anthropic-ratelimit-requests-remaining": "4",
        "anthropic-ratelimit-requests-reset": "1970-01-01T00:02:40Z",
        "anthropic-priority-output-tokens-limit": "8",
        "anthropic-priority-output-tokens-remaining": "5",
        "anthropic-priority-output-tokens-reset": "1970-01-01T00:02:40Z",
    }
    now[0] += WINDOW
    limits.count_request()
    assert limits.headers()["anthropic-ratelimit-requests-remaining"] == "4"
    assert limits.headers()["anthropic-priority-output-tokens-remaining"] == "8"


@pytest.mark.parametrize("name", ["AnthropicBedrock", "AnthropicVertex"])
def test_the_clouds_name_no_limits(name: str) -> None:
    with FaultServer(rate_limits=LIMITS) as server:
        with platform_client(name, server.base_url("completed")) as opened:
            headers = opened.messages.with_raw_response.create(**ASKED).headers
        with platform_client(name, server.base_url("rate_limits")) as opened, pytest.raises(anthropic.NotFoundError):
            opened.messages.create(**ASKED)
    assert [name for name in headers if name.startswith("anthropic-")] == []


def test_limits_are_written_as_kinds_and_numbers() -> None:
    assert parse_limits("requests=50, output_tokens=16000") == {"requests": 50, "output_tokens": 16000}
    assert parse_limits("") == {}
    with pytest.raises(ValueError, match="unknown rate limit 'beans'; the kinds are requests, tokens"):
        FaultServer(rate_limits={"beans": 5})
