# SPDX-License-Identifier: Apache-2.0
"""What is neither a Messages stream nor a Messages body: batches, sessions, completions, token counts."""

from __future__ import annotations

import json

import anthropic
import pytest

from after200.faults import FaultServer

from .clients import ASKED, post, sse_events

SESSION = ["session.status_running", *["agent.message"] * 4, "session.status_idle"]


def client(server: FaultServer, scenario: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.base_url(scenario, key="a/b"), api_key="none", max_retries=0)


def test_batch_results(server: FaultServer) -> None:
    with client(server, "batch_results") as opened:
        batch = opened.messages.batches.retrieve("msgbatch_1")
        results = [entry.result for entry in opened.messages.batches.results("msgbatch_1")]
    counts = batch.request_counts
    assert (counts.succeeded, counts.errored, counts.canceled, counts.expired) == (2, 2, 1, 1)
    assert [result.type for result in results] == [
        "succeeded",
        "errored",
        "errored",
        "canceled",
        "expired",
        "succeeded",
    ]
    errors = [result.error.error.type for result in results if result.type == "errored"]
    assert errors == ["invalid_request_error", "api_error"]
    log = server.wait_idle()
    assert [(served.api, served.streaming, served.key) for served in log] == [
        ("batch", False, "a/b"),
        ("batch", False, "a/b"),
        ("batches", True, "a/b"),
    ]
    assert log[-1].events_sent[1:3] == ("errored:invalid_request_error", "errored:api_error")


def test_batch_results_that_are_cut(server: FaultServer) -> None:
    with client(server, "batch_results_cut") as opened:
        results = opened.messages.batches.results("msgbatch_1")
        with pytest.raises(json.JSONDecodeError):
            list(results)
    assert server.wait_idle()[-1].finished == "end"


def test_a_fault_of_the_messages_family_meets_batch_results_too(server: FaultServer) -> None:
    with client(server, "reset_mid_stream") as opened:
        results = opened.messages.batches.results("msgbatch_1")
        with pytest.raises(Exception, match="reset by peer"):
            list(results)
    assert server.wait_idle()[-1].finished == "reset"


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("error", ["model_overloaded_error", None])
def test_a_session_goes_on_until_the_client_leaves(server: FaultServer, thread: bool, error: str | None) -> None:
    with client(server, "session_error" if error else "session_events") as opened:
        sessions = opened.beta.sessions
        stream = (
            sessions.threads.events.stream("sthr_1", session_id="sesn_1")
            if thread
            else sessions.events.stream("sesn_1")
        )
        events = []
        with stream:
            for event in stream:
                events.append(event)
                if event.type == "session.status_idle":
                    break
    expected = [SESSION[0], "session.error", *SESSION[1:]] if error else SESSION
    assert [event.type for event in events] == expected
    assert [event.error.type for event in events if event.type == "session.error"] == ([error] if error else [])
    (served,) = server.wait_for(lambda log: len(log) == 1)
    assert (served.finished, served.failure, list(served.events_sent)) == ("stalled", error, expected)


def test_a_session_that_ends(server: FaultServer) -> None:
    with client(server, "session_error_then_end") as opened:
        events = [event.type for event in opened.beta.sessions.events.stream("sesn_1")]
    assert events == [SESSION[0], "session.error", *SESSION[1:]]


def test_an_error_event_ends_a_session(server: FaultServer) -> None:
    with client(server, "overloaded_error_mid_stream") as opened, pytest.raises(anthropic.APIStatusError):
        list(opened.beta.sessions.events.stream("sesn_1"))
    assert server.log[-1].events_sent == (*SESSION[:-1], "error")


def test_counting_tokens(server: FaultServer) -> None:
    with client(server, "completed") as opened:
        counted = opened.messages.count_tokens(model="claude-test", messages=ASKED["messages"])
    assert counted.input_tokens == 12
    with client(server, "overloaded_error_mid_stream") as opened, pytest.raises(anthropic.InternalServerError):
        opened.messages.count_tokens(model="claude-test", messages=ASKED["messages"])
    assert [served.api for served in server.log] == ["count_tokens"] * 2


LEGACY = {"model": "claude-2", "prompt": "\n\nHuman: hi\n\nAssistant:", "max_tokens_to_sample": 5}


@pytest.mark.parametrize(
    ("scenario", "last", "reason"),
    [
        ("completed", "completion", "stop_sequence"),
        ("overloaded_error_mid_stream", "error", None),
        ("end_without_message_stop", "completion", None),
    ],
)
def test_text_completions(server: FaultServer, scenario: str, last: str, reason: str | None) -> None:
    events = sse_events(post(server, f"/{scenario}/v1/complete", {**LEGACY, "stream": True})[2])
    data = [json.loads(text) for name, text in events if name == "completion"]
    assert "".join(entry["completion"] for entry in data) == "Hello from Claude."
    assert (events[-1][0], data[-1]["stop_reason"]) == (last, reason)


def test_a_whole_text_completion(server: FaultServer) -> None:
    status, _, body = post(server, "/completed/v1/complete", LEGACY)
    completion = json.loads(body)
    assert (status, completion["type"], completion["completion"]) == (200, "completion", "Hello from Claude.")
