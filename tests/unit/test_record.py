# SPDX-License-Identifier: Apache-2.0
"""The facts of a call while it runs, and the frozen record of what it came to."""

from __future__ import annotations

from typing import Any

import pytest

from after200.call.ended import EndedCall, Verdict, ended
from after200.call.facts import Facts, Message, ProviderError, Tool, Usage
from after200.call.record import Attempt, Call, Wait
from after200.names.endings import EndRule

from .calls import new_call

CHUNK = Facts(chunk=True)
TEXT = Facts(chunk=True, text=True)
STOP = Facts(stopped=True)


def stream(*learned: tuple[float, Facts], began: float = 100.5) -> Call:
    """Returns a stream that was asked for at 100, answered at `began`, and said each of `learned` at its time."""
    call = new_call()
    call.started_at = 100.0
    call.streaming = True
    call.progress.last_chunk_at = began
    for at, facts in learned:
        call.learn(facts, at)
    return call


def end(call: Call, outcome: Any, at: float, *, by_the_wire: bool = False, **verdict: Any) -> EndedCall:
    return ended(call, Verdict(outcome, **verdict), at, by_the_wire=by_the_wire)


# --- the longest gap: section 4 of the contract ---

FOUR_CHUNKS = [(101.0, CHUNK), (102.0, CHUNK), (105.0, CHUNK), (106.0, CHUNK)]


@pytest.mark.parametrize(
    ("learned", "at", "by_the_wire", "expected"),
    [
        # The longest time from one chunk to the next, while the application took its time after the last.
        (FOUR_CHUNKS, 500.0, False, 3.0),
        (FOUR_CHUNKS, 107.0, True, 3.0),
        # When the wire ended the stream, or a read was waiting for it, the time since the last chunk counts too.
        (FOUR_CHUNKS, 116.0, True, 10.0),
        ([(101.0, CHUNK)], 103.0, True, 2.0),
        # One chunk has no gap until the stream is over.
        ([(101.0, CHUNK)], 103.0, False, None),
        # Without a chunk: the time since the response began.
        ([], 103.0, True, 2.5),
        ([], 103.0, False, None),
        # After the end event nobody waits: its time counts, and no later time.
        ([*FOUR_CHUNKS, (110.0, STOP)], 900.0, False, 4.0),
        ([*FOUR_CHUNKS, (110.0, STOP)], 900.0, True, 4.0),
        ([*FOUR_CHUNKS, (107.0, STOP)], 900.0, True, 3.0),
        ([(104.5, STOP)], 900.0, True, 4.0),
        # What is not a chunk does not end a gap.
        ([(101.0, CHUNK), (102.0, Facts(content=True)), (105.0, CHUNK)], 105.0, False, 4.0),
    ],
)
def test_the_longest_gap_is_the_longest_wait_for_the_wire(
    learned: list[tuple[float, Facts]], at: float, by_the_wire: bool, expected: float | None
) -> None:
    assert expected == end(stream(*learned), "closed", at, by_the_wire=by_the_wire).longest_gap


@pytest.mark.parametrize(
    ("rule", "chunks", "expected"),
    [
        ("message", 0, 2.5),
        ("completion", 0, 2.5),
        # The lines of a batch and the events of a session are no chunks, so a body without chunks is no silence.
        ("lines", 0, None),
        ("open", 0, None),
        ("open", 1, 2.0),
    ],
)
@pytest.mark.parametrize("by_the_wire", [True, False])
def test_without_a_chunk_there_is_a_gap_only_where_chunks_are_due(
    by_the_wire: bool, rule: EndRule, chunks: int, expected: float | None
) -> None:
    call = stream(*[(101.0, CHUNK)] * chunks)
    call.end_rule = rule
    found = end(call, "failed", 103.0, by_the_wire=by_the_wire).longest_gap
    assert (expected if by_the_wire else None) == found


def test_a_call_without_a_stream_has_no_gap() -> None:
    call = new_call(stream=False)
    call.started_at = 100.0
    found = end(call, "completed", 150.0, by_the_wire=True)
    assert (False, 0, None, None, None, 50.0) == (
        found.streamed,
        found.chunks,
        found.longest_gap,
        found.time_to_first_chunk,
        found.time_to_first_text,
        found.duration,
    )


def test_each_gap_is_told_as_its_chunk_comes() -> None:
    call = stream()
    told = [call.learn(facts, at) for at, facts in [(101.0, CHUNK), (102.0, STOP), (103.0, TEXT), (108.0, CHUNK)]]
    assert [None, None, 2.0, 5.0] == told


# --- times ---


def test_the_times_to_the_first_chunk_and_text_are_from_the_start_of_the_call() -> None:
    found = end(stream((101.0, CHUNK), (102.5, TEXT), (103.0, TEXT)), "closed", 104.0)
    assert (3, 1.0, 2.5, 4.0) == (
        found.chunks,
        found.time_to_first_chunk,
        found.time_to_first_text,
        found.duration,
    )


def test_a_stream_without_text_has_no_time_to_it() -> None:
    found = end(stream((101.0, CHUNK)), "completed", 104.0, by_the_wire=True)
    assert (1.0, None) == (found.time_to_first_chunk, found.time_to_first_text)


@pytest.mark.parametrize(
    ("outcome", "by_the_wire", "expected"),
    [("completed", False, 4.0), ("completed", True, 800.0), ("failed", False, 800.0), ("failed", True, 800.0)],
)
def test_a_stream_left_after_its_end_event_took_until_that(outcome: str, by_the_wire: bool, expected: float) -> None:
    call = stream((101.0, CHUNK), (104.0, STOP), (700.0, STOP))
    assert expected == end(call, outcome, 900.0, by_the_wire=by_the_wire).duration


@pytest.mark.parametrize(
    ("outcome", "by_the_wire", "expected"),
    [("completed", False, (4.0, 3.0)), ("failed", True, (800.0, 799.0)), ("closed", False, (800.0, None))],
)
def test_a_stream_left_after_its_stop_reason_took_until_that(
    outcome: str, by_the_wire: bool, expected: tuple[float, float | None]
) -> None:
    reason = Facts(message=Message(stop_reason="end_turn"))
    found = end(stream((101.0, CHUNK), (104.0, reason), (700.0, reason)), outcome, 900.0, by_the_wire=by_the_wire)
    assert expected == (found.duration, found.longest_gap)


def test_a_clock_that_goes_back_gives_no_time_below_zero() -> None:
    call = stream((99.0, TEXT), (98.0, CHUNK))
    found = end(call, "closed", 97.0, by_the_wire=True)
    times = (found.time_to_first_chunk, found.time_to_first_text, found.longest_gap, found.duration)
    assert (0.0, 0.0, 0.0, 0.0) == times


# --- fallback: section 5 of the contract ---


@pytest.mark.parametrize(
    ("fallback_model", "sent_model", "streaming", "expected"),
    [
        (None, "claude-asked", True, (False, "claude-answering")),
        (None, None, True, (False, "claude-answering")),
        ("claude-other", "claude-asked", True, (True, "claude-other")),
        ("claude-other", "claude-asked", False, (True, "claude-other")),
        # A hop of the SDK's middleware, which keeps the `message_start` of the model that declined.
        (None, "claude-hop", True, (True, "claude-hop")),
        (None, "claude-hop", False, (True, "claude-answering")),
        ("claude-other", "claude-hop", True, (True, "claude-other")),
    ],
)
def test_after_a_fallback_the_model_is_the_one_that_answered(
    fallback_model: str | None, sent_model: str | None, streaming: bool, expected: tuple[bool, str]
) -> None:
    call = new_call(
        learned=[
            Facts(
                message=Message(
                    model="claude-answering", usage=Usage(fallback_model=fallback_model, has_iterations=True)
                )
            )
        ]
    )
    call.sent_model = sent_model
    call.streaming = streaming
    found = end(call, "completed", 101.0)
    assert expected == (found.fallback, found.response_model)


@pytest.mark.parametrize("outcome", ["failed", "truncated", "closed", "cancelled", "abandoned"])
def test_without_a_completed_answer_no_other_model_gave_it(outcome: str) -> None:
    usage = Usage(fallback_model="claude-other", has_iterations=True)
    call = new_call(learned=[Facts(message=Message(model="claude-answering", usage=usage))])
    call.sent_model = "claude-hop"
    found = end(call, outcome, 101.0)
    assert (False, "claude-answering") == (found.fallback, found.response_model)


def test_a_call_that_names_no_model_has_no_fallback() -> None:
    call = new_call()
    call.model = call.sent_model = None
    assert not end(call, "completed", 101.0).fallback


# --- the record ---


def test_the_record_says_what_the_call_knew() -> None:
    call = Call(
        operation="chat",
        provider="aws.bedrock",
        model="m",
        stream=True,
        server_address="host",
        server_port=443,
    )
    call.started_at = 100.0
    call.wire_status = 200
    call.request_id = "req_1"
    call.attempts += [Attempt(529, "529", "overloaded"), Attempt(200)]
    call.waits.append(Wait(0.5, "overloaded"))
    call.learn(Facts(error=ProviderError("modelStreamErrorException", "m", None, 529)), 101.0)
    verdict = Verdict("failed", phase="first_chunk", error_type="modelStreamErrorException")
    expected = EndedCall(
        operation="chat",
        provider="aws.bedrock",
        model="m",
        stream=True,
        server_address="host",
        server_port=443,
        verdict=verdict,
        wire_status=200,
        original_status=529,
        attempts=(Attempt(529, "529", "overloaded"), Attempt(200)),
        waits=(Wait(0.5, "overloaded"),),
        request_id="req_1",
        message=Message(),
        response_model=None,
        fallback=False,
        streamed=False,
        chunks=0,
        longest_gap=None,
        time_to_first_chunk=None,
        time_to_first_text=None,
        duration=2.0,
    )
    assert expected == ended(call, verdict, 102.0, by_the_wire=True)
    assert (1, 0.5) == (expected.resend_count, expected.retry_wait)


def test_a_record_does_not_change_when_its_call_does() -> None:
    call = stream((101.0, CHUNK))
    found = end(call, "closed", 102.0)
    before = repr(found)
    call.attempts.append(Attempt(200))
    call.waits.append(Wait(1.0, None))
    call.learn(Facts(chunk=True, message=Message(id="later")), 103.0)
    assert before == repr(found)
    with pytest.raises(AttributeError):
        found.chunks = 7  # type: ignore[misc]


@pytest.mark.parametrize(("attempts", "expected"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_what_came_after_the_first_attempt_was_sent_again(attempts: int, expected: int) -> None:
    call = new_call()
    call.attempts += [Attempt(200)] * attempts
    assert expected == end(call, "completed", 101.0).resend_count


@pytest.mark.parametrize(("seconds", "expected"), [([], None), ([0.0], 0.0), ([0.5, 1.5], 2.0)])
def test_the_waits_between_the_attempts_are_added_up(seconds: list[float], expected: float | None) -> None:
    call = new_call()
    call.waits += [Wait(number, "overloaded") for number in seconds]
    assert expected == end(call, "failed", 101.0).retry_wait


@pytest.mark.parametrize(
    ("answer", "category", "expected"),
    [
        ("refused", "cyber", "cyber"),
        ("refused", None, "none"),
        ("complete", "cyber", None),
        (None, "cyber", None),
    ],
)
def test_only_a_refusal_has_a_category(answer: Any, category: str | None, expected: str | None) -> None:
    call = new_call(learned=[Facts(message=Message(stop_reason="refusal", refusal_category=category))])
    assert expected == end(call, "completed", 101.0, answer=answer).refusal_category


def test_each_tool_and_code_that_failed_is_named_once_in_the_order_of_its_first_occurrence() -> None:
    tools = [
        Tool("web_search", None),
        Tool("web_search", "max_uses_exceeded"),
        Tool("mcp", "tool_error"),
        Tool("web_search", "max_uses_exceeded"),
        Tool("web_search", "unavailable"),
    ]
    call = new_call(learned=[Facts(message=Message(tools=((tool, 1),))) for tool in tools])
    expected = ("web_search:max_uses_exceeded", "mcp:tool_error", "web_search:unavailable")
    assert expected == end(call, "failed", 101.0).server_tool_errors


def test_the_first_error_is_kept() -> None:
    first, later = ProviderError("overloaded_error", "first"), ProviderError("api_error", "later")
    assert first == new_call(learned=[Facts(error=first), Facts(error=later)]).error
