# SPDX-License-Identifier: Apache-2.0
"""What is known of a call, and how the reading of its body ended → its verdict: sections 2 and 3 of the contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from after200.call.exceptions import read_exception
from after200.call.facts import IS_MALFORMED, Facts, Message, ProviderError
from after200.call.verdict import BodyEnd, Verdict, judge
from after200.names import errors
from after200.names.endings import EndRule

from .calls import OVERLOADED, AnswerError, exception_of, new_call

TRUNCATED = "The stream ended before its end event."
MALFORMED = "The body is not an answer."
CHUNK = Facts(chunk=True)
STOP = Facts(stopped=True)
OVERLOADED_EVENT = Facts(error=ProviderError("overloaded_error", "Overloaded"))
END_TURN = Facts(message=Message(stop_reason="end_turn"), content=True)


def error(error_type: str | None, message: str | None = "m", **more: Any) -> Facts:
    return Facts(error=ProviderError(error_type, message, **more))


class JobTimeout(TimeoutError):  # noqa: N818
    """A time limit of the application's own."""


# --- section 2: outcomes ---


@pytest.mark.parametrize(
    ("end", "stopped", "expected"),
    [
        ("read", True, "completed"),
        ("closed", True, "completed"),
        ("dropped", True, "completed"),
        ("read", False, "truncated"),
        ("closed", False, "closed"),
        ("dropped", False, "abandoned"),
    ],
)
@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_stream_that_nobody_faults_ends_as_it_was_left(
    chunks: int, end: BodyEnd, stopped: bool, expected: str
) -> None:
    learned = [CHUNK] * chunks + [STOP] * stopped
    assert expected == judge(new_call(learned=learned), end).outcome
    if end == "closed":
        leaving = read_exception(GeneratorExit())
        assert expected == judge(new_call(learned=learned), "raised", leaving).outcome


@pytest.mark.parametrize(
    ("rule", "stream", "events", "expected"),
    [
        ("message", True, False, "truncated"),
        ("message", True, True, "truncated"),
        ("completion", True, True, "truncated"),
        # A call that does not stream and is answered with an event stream is judged by the events in it.
        ("message", False, True, "truncated"),
        ("completion", False, True, "truncated"),
        # Completed needs evidence of an answer.
        ("message", False, False, "failed"),
        ("completion", False, False, "failed"),
        ("lines", True, True, "failed"),
        ("lines", False, False, "failed"),
        # The events of an agent's session end whenever they end.
        ("open", True, False, "completed"),
        ("open", True, True, "completed"),
    ],
)
def test_a_body_that_just_ends_is_judged_by_what_ends_a_good_one(
    rule: EndRule, stream: bool, events: bool, expected: str
) -> None:
    call = new_call(end_rule=rule, stream=stream)
    call.events = events
    assert expected == judge(call, "read").outcome


@pytest.mark.parametrize("rule", ["message", "completion", "lines", "open"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_completes_and_a_body_that_is_none_is_malformed(rule: EndRule, stream: bool) -> None:
    answered = new_call(end_rule=rule, stream=stream, learned=[Facts(is_answer=True)])
    assert "completed" == judge(answered, "read").outcome
    expected = Verdict("failed", None, "first_chunk", "stream_malformed", None, "malformed", False, None, MALFORMED)
    assert expected == judge(new_call(end_rule=rule, stream=stream, learned=[IS_MALFORMED]), "read")
    both = new_call(end_rule=rule, stream=stream, learned=[IS_MALFORMED, Facts(is_answer=True)])
    assert expected == judge(both, "read")


def test_lines_whose_last_was_cut_are_truncated_however_good_the_others_were() -> None:
    call = new_call(end_rule="lines", learned=[Facts(is_answer=True), Facts(was_cut=True)])
    assert ("truncated", "stream_truncated") == (judge(call, "read").outcome, judge(call, "read").error_type)


@pytest.mark.parametrize(("chunks", "phase"), [(0, "first_chunk"), (1, "mid_stream")])
def test_a_truncated_stream_has_no_corrected_status_and_none_is_made_up(chunks: int, phase: Any) -> None:
    expected = Verdict("truncated", None, phase, "stream_truncated", None, "truncated", True, None, TRUNCATED)
    assert expected == judge(new_call(learned=[CHUNK] * chunks), "read")


@pytest.mark.parametrize("end", ["read", "closed", "dropped"])
@pytest.mark.parametrize("learned", [[], [STOP], [IS_MALFORMED], [Facts(is_answer=True)], [Facts(was_cut=True)]])
def test_what_the_provider_said_counts_however_the_stream_is_left(end: BodyEnd, learned: list[Facts]) -> None:
    call = new_call(learned=[OVERLOADED_EVENT, *learned])
    expected = Verdict("failed", None, "first_chunk", "overloaded_error", None, "overloaded", True, 529, "Overloaded")
    assert expected == judge(call, end)


def test_the_first_error_counts_whatever_the_sdk_raises_for_a_later_one() -> None:
    call = new_call(learned=[OVERLOADED_EVENT, error("api_error")])
    found = judge(call, "raised", read_exception(AnswerError(200, {"error": {"type": "api_error"}})))
    assert ("overloaded_error", 529, "Overloaded") == (found.error_type, found.status, found.message)


# --- rules 1 to 3 ---


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (exception_of("trio._core._exceptions", "Cancelled", BaseException)(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (JobTimeout(), "cancelled"),
        (SystemExit(), "cancelled"),
        (KeyError(), "cancelled"),
        (GeneratorExit(), "closed"),
    ],
)
def test_what_is_no_error_of_the_call_s_has_no_attributes_of_one(exception: BaseException, expected: Any) -> None:
    for call in (new_call(), new_call(wire=None), new_call(learned=[CHUNK])):
        assert Verdict(expected) == judge(call, "raised", read_exception(exception))


@pytest.mark.parametrize("learned", [[STOP], [STOP, END_TURN], [Facts(is_answer=True)]])
def test_an_exception_out_of_a_stream_is_a_failure_even_after_the_end_event(learned: list[Facts]) -> None:
    raised = judge(new_call(learned=[CHUNK, *learned]), "raised", read_exception(ConnectionResetError()))
    assert ("failed", "mid_stream", "connection_error") == (raised.outcome, raised.phase, raised.error_type)


@pytest.mark.parametrize("end", ["closed", "dropped"])
def test_a_stream_that_is_left_once_the_provider_gave_a_stop_reason_is_completed(end: BodyEnd) -> None:
    call = new_call(learned=[CHUNK, END_TURN])
    assert Verdict("completed", "complete") == judge(call, end)
    assert Verdict("completed", "complete") == judge(call, "raised", read_exception(GeneratorExit()))
    # Where the wire ends it, or somebody interrupts the read, the end event is missing.
    assert "truncated" == judge(call, "read").outcome
    assert "cancelled" == judge(call, "raised", read_exception(asyncio.CancelledError())).outcome
    assert "failed" == judge(call, "raised", read_exception(ConnectionResetError())).outcome


# --- answers ---


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("chat", "complete"), ("text_completion", None), ("batch_results", None), ("invoke_agent", None)],
)
def test_only_a_completed_chat_has_an_answer(operation: str, expected: Any) -> None:
    call = new_call(operation=operation, learned=[END_TURN, STOP])
    assert Verdict("completed", expected) == judge(call, "read")
    for end in ("closed", "dropped"):
        # The application left once it had the whole answer.
        assert Verdict("completed", expected) == judge(new_call(operation=operation, learned=[END_TURN]), end)
        assert None is judge(new_call(operation=operation, learned=[CHUNK]), end).answer
    assert None is judge(new_call(operation=operation, learned=[END_TURN]), "read").answer


# --- phases ---


@pytest.mark.parametrize(
    ("wire", "chunks", "expected"),
    [
        (None, 0, "request"),
        (529, 0, "request"),
        (200, 0, "first_chunk"),
        (200, 1, "mid_stream"),
        (200, 9, "mid_stream"),
    ],
)
def test_the_phase_is_how_far_the_stream_came(wire: int | None, chunks: int, expected: str) -> None:
    call = new_call(wire=wire, learned=[CHUNK] * chunks)
    assert expected == judge(call, "raised", read_exception(ConnectionResetError())).phase


# --- section 3: which error, which status ---


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_an_http_error_keeps_its_status_whatever_its_type_is_documented_with(status: int) -> None:
    expected = Verdict(
        "failed",
        None,
        "request",
        "overloaded_error",
        None,
        "overloaded",
        True,
        status,
        "Overloaded",
        "anthropic._exceptions.AnswerError",
    )
    for wire in (None, status):
        assert expected == judge(new_call(wire=wire), "raised", read_exception(AnswerError(status, OVERLOADED)))


@pytest.mark.parametrize(("error_type", "row"), errors.ERROR_TYPES.items())
def test_the_status_of_a_hidden_failure_is_the_documented_one(error_type: str, row: tuple[int | None, str]) -> None:
    found = judge(new_call(learned=[error(error_type)]), "read")
    assert (error_type, *row) == (found.error_type, found.status, found.failure)


@pytest.mark.parametrize("error_type", ["quantum_flux_error", None])
def test_a_hidden_failure_that_nobody_documents_a_status_for_has_none(error_type: str | None) -> None:
    found = judge(new_call(learned=[error(error_type)]), "read")
    expected = Verdict("failed", None, "first_chunk", error_type or "_OTHER", None, "other", False, None, "m")
    assert expected == found


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (429, {"message": "slow"}, {"x-amzn-errortype": "ThrottlingException:"}, "ThrottlingException"),
        (429, "<html>", {}, "429"),
        (429, {"error": {"type": "null", "message": "slow"}}, {}, "429"),
    ],
)
def test_an_http_error_is_named_by_its_body_its_header_or_its_status(
    status: int, body: object, headers: dict[str, str], expected: str
) -> None:
    found = judge(new_call(wire=None), "raised", read_exception(AnswerError(status, body, headers)))
    message = "HTTP 429" if body == "<html>" else "slow"
    assert (expected, "rate_limited", 429, message) == (found.error_type, found.failure, found.status, found.message)


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 399])
def test_a_redirect_that_nobody_follows_is_an_http_error_of_its_status(status: int) -> None:
    name = "anthropic._exceptions.AnswerError"
    expected = Verdict(
        "failed", None, "request", str(status), None, "other", False, status, f"HTTP {status}", exception_type=name
    )
    for wire in (None, status):
        assert expected == judge(new_call(wire=wire), "raised", read_exception(AnswerError(status, "")))


def test_an_http_error_whose_body_was_read_by_the_application_is_named_by_its_status_where_it_names_no_type() -> None:
    found = judge(new_call(wire=503, learned=[error(None, None)]), "read")
    assert ("503", "overloaded", 503, "HTTP 503") == (found.error_type, found.failure, found.status, found.message)


def test_an_error_event_without_a_type_is_other_and_never_its_stream_s_status() -> None:
    found = judge(new_call(), "raised", read_exception(AnswerError(200, "not JSON")))
    assert ("_OTHER", "other", None, "not JSON") == (found.error_type, found.failure, found.status, found.message)


def test_the_original_status_says_that_the_model_was_overloaded_and_is_not_the_corrected_status() -> None:
    found = judge(new_call(learned=[error("modelStreamErrorException", original_status=529)]), "read")
    assert ("overloaded", 424) == (found.failure, found.status)
    found = judge(new_call(learned=[error("modelStreamErrorException", original_status=500)]), "read")
    assert ("server_error", 424) == (found.failure, found.status)


def test_the_code_decides_the_failure_and_the_type_the_status() -> None:
    code = "enforced_spend_limit_reached"
    found = judge(new_call(learned=[error("rate_limit_error", code=code)]), "read")
    assert ("rate_limit_error", code, "billing", False, 429) == found[3:8]
    body = {"error": {"type": "invalid_request_error", "details": {"error_code": code}}}
    found = judge(new_call(wire=None), "raised", read_exception(AnswerError(400, body)))
    assert ("invalid_request_error", code, "billing", False, 400) == found[3:8]


@pytest.mark.parametrize(
    ("error_type", "header", "expected"),
    [
        ("overloaded_error", None, True),
        ("overloaded_error", "false", False),
        ("invalid_request_error", None, False),
        ("invalid_request_error", "true", True),
        ("invalid_request_error", "perhaps", False),
    ],
)
def test_the_provider_knows_best_whether_a_retry_can_help(error_type: str, header: str | None, expected: bool) -> None:
    headers = {} if header is None else {"x-should-retry": header}
    answer = AnswerError(529, {"error": {"type": error_type}}, headers)
    assert expected is judge(new_call(wire=None), "raised", read_exception(answer)).retryable
    call = new_call(wire=529, learned=[error(error_type)])
    call.should_retry = {"true": True, "false": False}.get(header or "")
    assert expected is judge(call, "read").retryable


def test_what_the_200_of_a_stream_says_of_a_retry_says_nothing_of_its_failure() -> None:
    answer = AnswerError(200, OVERLOADED, {"x-should-retry": "false"})
    assert True is judge(new_call(), "raised", read_exception(answer)).retryable


@pytest.mark.parametrize("wrong", ["{", "\xff"])
def test_bytes_that_cannot_be_decoded_are_malformed(wrong: str) -> None:
    with pytest.raises(ValueError) as undecodable:  # noqa: PT011
        json.loads(wrong.encode("latin-1"))
    wrapped = exception_of("anthropic", "APIConnectionError")()
    wrapped.__cause__ = undecodable.value.with_traceback(None)
    found = judge(new_call(), "raised", read_exception(wrapped))
    expected = ("stream_malformed", None, "malformed", False, None, "The body could not be decoded.")
    assert expected == found[3:9]


@pytest.mark.parametrize(
    ("exception", "wire", "expected"),
    [
        (TimeoutError(), 200, ("client_timeout_error", "timeout", None, "The client's timeout ran out.")),
        (TimeoutError(), None, ("client_timeout_error", "timeout", None, "The client's timeout ran out.")),
        (ConnectionResetError(), 200, ("connection_error", "connection", None, "The connection was lost.")),
        (ConnectionResetError(), None, ("connection_error", "connection", None, "The connection was lost.")),
        (exception_of("google.auth", "RefreshError")("a text"), 200, ("_OTHER", "other", None, None)),
    ],
)
def test_a_failure_on_our_side_has_no_corrected_status_and_a_description_of_ours(
    exception: Exception, wire: int | None, expected: tuple[Any, ...]
) -> None:
    found = judge(new_call(wire=wire), "raised", read_exception(exception))
    assert expected == (found.error_type, found.failure, found.status, found.message)


def test_the_exception_is_named_as_the_conventions_do() -> None:
    def named(exception: BaseException) -> str | None:
        return judge(new_call(), "raised", read_exception(exception)).exception_type

    assert "ConnectionResetError" == named(ConnectionResetError())
    assert "anthropic._exceptions.AnswerError" == named(AnswerError(529, OVERLOADED))
    assert None is judge(new_call(), "read").exception_type


@pytest.mark.parametrize("end", ["read", "closed", "dropped"])
def test_to_judge_changes_nothing(end: BodyEnd) -> None:
    call = new_call(learned=[CHUNK, END_TURN])
    before = {name: getattr(call, name) for name in call.__slots__}
    assert judge(call, end) == judge(call, end)
    assert before == {name: getattr(call, name) for name in call.__slots__}
