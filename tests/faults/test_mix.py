# SPDX-License-Identifier: Apache-2.0
"""Mixes: what they accept, and that the same seed draws the same calls."""

from __future__ import annotations

import contextlib

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.faults import SCENARIOS, FaultServer, parse_mix
from after200.faults.mix import ALIASES, Mix

from .clients import ASKED, MESSAGES, post

SHARES = {"overloaded_error_mid_stream": 0.3, "end_without_message_stop": 0.2}


def played(seed: int, calls: int = 60) -> list[str]:
    with FaultServer(mix=SHARES, seed=seed) as server:
        for _ in range(calls):
            post(server, f"/mix{MESSAGES}", {**ASKED, "stream": True})
        return [served.scenario for served in server.log]


def test_the_same_seed_plays_the_same_calls() -> None:
    first = played(7)
    assert first == played(7)
    assert first != played(8)
    assert set(first) == {"completed", *SHARES}


def test_the_log_is_what_the_mix_drew() -> None:
    mix = Mix(SHARES, seed=7)
    assert played(7) == [mix.choose(b"", {})[0] for _ in range(60)]


def test_clearing_begins_the_sequence_again() -> None:
    with FaultServer(mix=SHARES, seed=3) as server:
        sequences = []
        for _ in range(2):
            server.clear()
            for _ in range(20):
                post(server, f"/mix{MESSAGES}")
            sequences.append([served.scenario for served in server.log])
    assert sequences[0] == sequences[1]


def test_shares_are_met_on_the_whole() -> None:
    mix = Mix({"reset": 0.05, "stall": 0.5}, seed=1)
    drawn = [mix.choose(b"%d" % number, {})[0] for number in range(4000)]
    assert abs(drawn.count("reset_mid_stream") - 200) < 60
    assert abs(drawn.count("stall_mid_stream") - 2000) < 150


def test_without_a_mix_every_call_completes() -> None:
    with FaultServer() as server:
        post(server, f"/mix{MESSAGES}")
        assert [served.scenario for served in server.log] == ["completed"]


def test_a_retry_is_the_next_attempt_of_the_same_call() -> None:
    with FaultServer(mix={"http_529": 0.5}, seed=2) as server:
        url = server.base_url("mix")
        with anthropic.Anthropic(base_url=url, api_key="none", max_retries=2) as client:
            for number in range(20):
                content = f"call {number}"
                client.messages.create(**{**ASKED, "messages": [{"role": "user", "content": content}]})
        log = [(served.scenario, served.attempt, served.wire_status) for served in server.log]
    kinds = {("completed", 0, 200), ("http_529_then_completed", 0, 529), ("http_529_then_completed", 1, 200)}
    assert set(log) == kinds
    assert len(log) == 20 + log.count(("http_529_then_completed", 1, 200))


def test_short_names_and_percentages_are_understood() -> None:
    assert parse_mix("overloaded=5%, truncated=1%,reset_first_event=0.02") == {
        "overloaded_error_mid_stream": 0.05,
        "end_without_message_stop": 0.01,
        "reset_first_event": 0.02,
    }
    assert parse_mix("") == {}
    assert set(ALIASES.values()) <= set(SCENARIOS)
    assert {"overloaded", "truncated", "reset", "rate_limited", "api_error", "stall", "http_529"} <= set(ALIASES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "overload=5%",
            r"unknown fault 'overload' in the mix \(did you mean overloaded.*\?\); short names: overloaded, .*; "
            r"or the name of any scenario: after200 faults --help lists them$",
        ),
        ("overloaded", r"'overloaded' is no part of a mix; write NAME=SHARE, as in overloaded=5%"),
        ("=5%", r"'=5%' is no part of a mix"),
        ("overloaded=", r"'overloaded=' is no part of a mix"),
        ("overloaded=many", r"the share of 'overloaded' in the mix is 'many'; write 5% or 0.05"),
        ("overloaded=nan", r"the share of 'overloaded' in the mix is nan; a share lies between 0 and 1"),
        ("overloaded=5", r"the share of 'overloaded' in the mix is 5; a share lies between 0 and 1"),
        ("overloaded=-1%", r"the share of 'overloaded' in the mix is -0.01"),
        ("overloaded=60%,reset=50%", r"the shares of the mix add up to 110%; they may add up to 100% at most"),
        ("reset=1%,reset=2%", r"'reset' stands in the mix twice"),
    ],
)
def test_a_mix_that_is_not_valid_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_mix(text)


@given(st.text(max_size=60))
def test_any_text_is_a_mix_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert sum(parse_mix(text).values()) <= 1 + 1e-9
