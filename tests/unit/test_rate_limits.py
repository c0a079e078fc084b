# SPDX-License-Identifier: Apache-2.0
"""The rate limits that responses state: how they are read, and what the gauges say of the last minute."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.metrics import CallbackOptions

from after200.call.rate_limits import RateLimit, read_rate_limits
from after200.signals import rate_limits
from after200.signals.rate_limits import SLOTS, RateLimits

from ..support.held import held
from ..support.patience import PATIENCE_S

OPTIONS = CallbackOptions()
BOUND = 2000
"""Bytes that the limits of one model may hold: twelve slots of a minute."""


# --- headers ---


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:00Z",
                "anthropic-ratelimit-tokens-limit": "1000",
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-limit": "800",
                "anthropic-ratelimit-input-tokens-remaining": "200",
                "anthropic-ratelimit-output-tokens-limit": "80",
                "anthropic-ratelimit-output-tokens-remaining": "20",
                "anthropic-priority-input-tokens-limit": "8",
                "anthropic-priority-input-tokens-remaining": "2",
                "anthropic-priority-output-tokens-limit": "4",
                "anthropic-priority-output-tokens-remaining": "1",
                "request-id": "req_1",
            },
            {
                "requests": RateLimit(50, 49),
                "tokens": RateLimit(1000, 0),
                "input_tokens": RateLimit(800, 200),
                "output_tokens": RateLimit(80, 20),
                "priority_input_tokens": RateLimit(8, 2),
                "priority_output_tokens": RateLimit(4, 1),
            },
        ),
        (
            {"Anthropic-RateLimit-Requests-Limit": " 50 ", "ANTHROPIC-RATELIMIT-REQUESTS-REMAINING": "60"},
            {"requests": RateLimit(50, 60)},
        ),
        # What is not whole says nothing.
        ({"anthropic-ratelimit-requests-limit": "50"}, {}),
        ({"anthropic-ratelimit-requests-remaining": "50"}, {}),
        ({"anthropic-ratelimit-requests-limit": "0", "anthropic-ratelimit-requests-remaining": "0"}, {}),
        *(
            ({"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": wrong}, {})
            for wrong in ("", "many", "-1", "1.5", "1e3", "0x10", "9" * 16, "٣")
        ),
        # What is no rate limit of ours.
        ({"anthropic-ratelimit-images-limit": "5", "anthropic-ratelimit-images-remaining": "5"}, {}),
        ({"anthropic-ratelimit-unified-status": "allowed", "anthropic-organization-id": "o"}, {}),
        ({"x-ratelimit-limit-requests": "50", "x-ratelimit-remaining-requests": "49"}, {}),
        ({}, {}),
    ],
)
def test_the_limits_that_a_response_states_whole_are_read(
    headers: dict[str, str], expected: dict[str, RateLimit]
) -> None:
    assert expected == read_rate_limits((name.encode(), value.encode()) for name, value in headers.items())


@pytest.mark.parametrize(
    ("limit", "remaining", "expected"), [(50, 50, 0.0), (50, 0, 1.0), (50, 5, 0.9), (50, 60, 0.0), (1, 0, 1.0)]
)
def test_the_utilization_is_the_share_that_is_used_up(limit: int, remaining: int, expected: float) -> None:
    assert expected == RateLimit(limit, remaining).utilization


# --- the last minute ---


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "clock", clock)
    return clock


def add(limits: RateLimits, remaining: int, *, limit: int = 100, model: str = "m", kind: str = "requests") -> None:
    limits.add("anthropic", model, {kind: RateLimit(limit, remaining)})


def utilizations(limits: RateLimits) -> list[float]:
    return [round(found.value, 6) for found in limits.utilizations(OPTIONS)]


def last_limits(limits: RateLimits) -> list[float]:
    return [found.value for found in limits.limits(OPTIONS)]


def test_the_utilization_is_the_highest_of_the_last_minute(clock: Clock) -> None:
    limits = RateLimits()
    for clock.now, remaining in [(1000.0, 90), (1010.0, 20), (1020.0, 70), (1030.0, 95)]:
        add(limits, remaining)
    assert [0.8] == utilizations(limits)
    for clock.now, expected in [(1069.0, [0.8]), (1076.0, [0.3]), (1086.0, [0.05]), (1099.0, [])]:
        assert expected == utilizations(limits), clock.now


def test_a_value_of_the_last_minute_counts_and_none_that_is_a_slot_older(clock: Clock) -> None:
    for began in (1000.0, 1001.7, 1004.999):
        limits = RateLimits()
        clock.now = began
        add(limits, 20)
        clock.now = began + 60.0
        assert [0.8] == utilizations(limits)
        clock.now = began + 60.0 + 60.0 / SLOTS
        assert [] == utilizations(limits)


def test_the_limit_is_the_last_that_was_stated_as_long_as_its_minute_lasts(clock: Clock) -> None:
    limits = RateLimits()
    add(limits, 10, limit=100)
    add(limits, 10, limit=400)
    assert [400] == last_limits(limits)
    clock.now += 70.0
    assert ([], []) == (last_limits(limits), utilizations(limits))
    add(limits, 10, limit=50)
    assert ([50], [0.8]) == (last_limits(limits), utilizations(limits))


def test_reading_changes_nothing_so_that_any_number_of_readers_see_the_same(clock: Clock) -> None:
    limits = RateLimits()
    add(limits, 20)
    clock.now += 30.0
    add(limits, 70)
    for _ in range(3):
        assert ([0.8], [100]) == (utilizations(limits), last_limits(limits))


def test_answers_in_any_order_say_the_same() -> None:
    for order in ([20, 70, 95], [95, 70, 20], [70, 20, 95]):
        limits = RateLimits()
        for remaining in order:
            add(limits, remaining)
        assert [0.8] == utilizations(limits)


@pytest.mark.parametrize("back", [1.0, 30.0, 59.0])
def test_a_clock_that_goes_back_within_the_minute_loses_nothing(back: float, clock: Clock) -> None:
    limits = RateLimits()
    add(limits, 20)
    clock.now -= back
    add(limits, 70)
    assert [0.8] == utilizations(limits)


def test_a_clock_that_goes_back_by_far_forgets_what_is_in_its_future(clock: Clock) -> None:
    limits = RateLimits()
    add(limits, 20)
    clock.now = 10.0
    assert [] == utilizations(limits)
    add(limits, 70)
    assert [0.3] == utilizations(limits)
    for clock.now in range(10, 1000, 50):
        add(limits, 90)
    assert held(limits) - held(RateLimits()) < BOUND


def test_memory_does_not_grow_with_the_number_of_responses(clock: Clock) -> None:
    limits = RateLimits()
    for second in range(3600):
        clock.now = 1000.0 + second
        add(limits, second % 100)
        assert held(limits) - held(RateLimits()) < BOUND


def test_each_model_and_kind_has_gauges_of_its_own(clock: Clock) -> None:
    limits = RateLimits()
    add(limits, 20)
    add(limits, 70, kind="tokens")
    add(limits, 90, model="n")
    limits.add("aws.bedrock", None, {"requests": RateLimit(10, 0)})
    found = [(dict(observed.attributes or {}), round(observed.value, 6)) for observed in limits.utilizations(OPTIONS)]
    base = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "m"}
    assert [
        ({**base, "after200.rate_limit.kind": "requests"}, 0.8),
        ({**base, "after200.rate_limit.kind": "tokens"}, 0.3),
        ({**base, "gen_ai.request.model": "n", "after200.rate_limit.kind": "requests"}, 0.1),
        ({"gen_ai.provider.name": "aws.bedrock", "after200.rate_limit.kind": "requests"}, 1.0),
    ] == found


def test_threads_that_add_and_read_at_once_do_no_harm() -> None:
    limits, start = RateLimits(), threading.Barrier(5)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        start.wait(PATIENCE_S)
        try:
            for step in range(300):
                add(limits, step % 100, model=f"m{number}-{step}")
                utilizations(limits)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    start.wait(PATIENCE_S)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [] == faults
    assert 1200 == len(utilizations(limits))
