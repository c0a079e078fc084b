# SPDX-License-Identifier: Apache-2.0
"""The examples of this folder against the fault server, over a real socket."""

from __future__ import annotations

import logging

import anthropic
import fallback
import pytest
import retry
import tenant
from circuit_breaker import CircuitBreaker


@pytest.fixture
def play(claude_faults, monkeypatch):
    """Lets the SDK talk to the fault server, which plays a scenario."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")

    def play(scenario):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", claude_faults.base_url(scenario))

    return play


def test_an_overload_in_the_middle_of_an_answer_is_tried_again(play, claude_faults):
    play("overloaded_mid_stream_then_completed")
    assert retry.answer("What is entropy?") == "Hello from Claude."
    assert [served.failure for served in claude_faults.log] == ["overloaded_error", None]


@pytest.mark.parametrize(
    "scenario", ["enforced_spend_limit_reached_mid_stream", "billing_error_mid_stream", "http_529_no_retry"]
)
def test_what_no_retry_can_mend_is_raised_at_once(play, claude_faults, scenario):
    play(scenario)
    with pytest.raises(anthropic.APIStatusError):
        retry.answer("What is entropy?")
    assert len(claude_faults.log) == 1


def test_a_stream_that_just_ends_is_tried_again(play, claude_faults):
    play("end_without_message_stop")
    with pytest.raises(ConnectionError):
        retry.answer("What is entropy?")
    assert len(claude_faults.log) == 4


def test_a_refusal_is_not_tried_again(play, claude_faults):
    play("refusal_cyber")
    with pytest.raises(retry.Refused):
        retry.answer("What is entropy?")
    assert len(claude_faults.log) == 1


def test_another_model_is_asked_when_the_first_is_overloaded(play, claude_faults, after200_telemetry):
    play("overloaded_mid_stream_then_completed")
    assert fallback.answer("What is entropy?") == ("claude-sonnet-5", "Hello from Claude.")
    assert [call.model for call in after200_telemetry.calls] == ["claude-opus-5", "claude-sonnet-5"]


def test_no_other_model_is_asked_when_the_bill_is_not_paid(play, claude_faults):
    play("billing_error_mid_stream")
    with pytest.raises(anthropic.APIStatusError):
        fallback.answer("What is entropy?")
    assert len(claude_faults.log) == 1


def test_all_models_are_overloaded(play, claude_faults):
    play("overloaded_error_mid_stream")
    with pytest.raises(anthropic.APIStatusError):
        fallback.answer("What is entropy?")
    assert len(claude_faults.log) == len(fallback.MODELS)


now = 0.0
breaker = CircuitBreaker(failures=2, pause=30.0, clock=lambda: now)


@pytest.mark.after200(on_call_end=breaker.call_ended)
def test_the_breaker_opens_after_failures_that_http_calls_a_success(play, after200_telemetry, monkeypatch):
    model = "claude-sonnet-5"
    play("end_without_message_stop")  # HTTP 200, and nothing is raised
    fallback.ask(model, "What is entropy?")
    assert breaker.lets_pass(model)
    fallback.ask(model, "What is entropy?")
    assert not breaker.lets_pass(model)
    assert breaker.lets_pass("claude-opus-5")
    monkeypatch.setitem(globals(), "now", 31.0)
    assert breaker.lets_pass(model)
    play("completed")
    fallback.ask(model, "What is entropy?")
    play("end_without_message_stop")
    fallback.ask(model, "What is entropy?")
    assert breaker.lets_pass(model)


@pytest.mark.after200(on_call_end=tenant.describe)
def test_the_tenant_is_on_the_span_and_in_the_log(play, after200_telemetry, caplog):
    play("overloaded_error_mid_stream")
    token = tenant.tenant.set("acme")
    try:
        with caplog.at_level(logging.WARNING, "my_service.claude"), pytest.raises(anthropic.APIStatusError):
            fallback.ask("claude-sonnet-5", "What is entropy?")
    finally:
        tenant.tenant.reset(token)
    [call] = after200_telemetry.calls
    assert call.attributes["tenant.id"] == "acme"
    assert [record.getMessage()[:25] for record in caplog.records] == ["tenant acme: overloaded, r"[:25]]
