# SPDX-License-Identifier: Apache-2.0
"""What is known of a call, and how the reading of its body ended → its verdict: sections 2 and 3 of the contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from after200.call import statuses, verdict
from after200.call.limits import DistinctNames
from after200.call.record import Call, ProviderError, Verdict
from after200.call.verdict import How, admit_type, exception_type, judge, read_error, read_error_header

from .calls import OVERLOADED, new_call

TRUNCATED = "The stream ended before its end event."


@pytest.fixture(autouse=True)
def _no_types_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "_unknown_types", DistinctNames(verdict.MAX_UNKNOWN_TYPES))


def exception_of(module: str, name: str, *bases: type[BaseException]) -> type[BaseException]:
    """A class of that name from that module: which is all that is known of the HTTP client's exceptions."""
    return type(name, bases or (Exception,), {"__module__": module})


class AnswerError(Exception):
    """An exception that carries an answer, as the SDK's `APIStatusError` does."""

    def __init__(self, status_code: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__("answer")
        self.status_code = status_code
        self.body = body
        self.response = type("Response", (), {"headers": headers or {}})()


# --- outcomes ---


@pytest.mark.parametrize(
    ("how", "stopped", "expected"),
    [
        ("read", True, "completed"),
        ("closed", True, "completed"),
        ("dropped", True, "completed"),
        ("read", False, "truncated"),
        ("closed", False, "closed"),
        ("dropped", False, "abandoned"),
    ],
)
def test_a_stream_that_nobody_faults_ends_as_it_was_left(how: How, stopped: bool, expected: str) -> None:
    call = new_call()
    if stopped:
        call.stopped()
    assert expected == judge(call, how).outcome


@pytest.mark.parametrize(("end_rule", "expected"), [("open", "completed"), ("lines", "completed")])
def test_what_has_no_end_event_is_complete_at_its_end(end_rule: str, expected: str) -> None:
    assert expected == judge(new_call(end_rule=end_rule), "read").outcome


def test_lines_whose_last_was_cut_are_truncated() -> None:
    call = new_call(end_rule="lines")
    call.cut_short = True
    assert ("truncated", "stream_truncated") == judge(call, "read")[0::2][:2]


def test_a_truncated_stream_has_no_corrected_status_and_none_is_made_up() -> None:
    call = new_call()
    assert Verdict("truncated", "first_chunk", "stream_truncated", "truncated", None, TRUNCATED) == judge(call, "read")
    call.chunk()
    assert Verdict("truncated", "mid_stream", "stream_truncated", "truncated", None, TRUNCATED) == judge(call, "read")


@pytest.mark.parametrize("how", ["read", "closed", "dropped"])
@pytest.mark.parametrize("stopped", [True, False])
def test_what_the_provider_said_counts_however_the_stream_is_left(how: How, stopped: bool) -> None:
    call = new_call()
    call.error = ProviderError("overloaded_error", "Overloaded")
    if stopped:
        call.stopped()
    expected = Verdict("failed", "first_chunk", "overloaded_error", "overloaded", 529, "Overloaded")
    assert expected == judge(call, how)


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (exception_of("trio._core._exceptions", "Cancelled", BaseException)(), "cancelled"),
        (KeyboardInterrupt(), "closed"),
        (SystemExit(), "closed"),
        (GeneratorExit(), "closed"),
    ],
)
def test_what_is_no_error_of_the_call_s_is_none(exception: BaseException, expected: str) -> None:
    for phase in (new_call(), new_call(wire=None)):
        assert Verdict(expected) == judge(phase, "raised", exception)


def test_a_late_exception_is_a_failure_even_after_the_end_event() -> None:
    call = new_call()
    call.chunk()
    call.stopped()
    raised = judge(call, "raised", ConnectionResetError())
    assert ("failed", "mid_stream", "connection_error") == raised[:3]


# --- phases ---


@pytest.mark.parametrize(
    ("wire", "chunks", "expected"),
    [(None, 0, "request"), (200, 0, "first_chunk"), (200, 1, "mid_stream"), (200, 9, "mid_stream")],
)
def test_the_phase_is_how_far_the_stream_came(wire: int | None, chunks: int, expected: str) -> None:
    call = new_call(wire=wire)
    for _ in range(chunks):
        call.chunk()
    assert expected == judge(call, "raised", ConnectionResetError()).phase


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_an_http_error_is_in_place_of_a_stream_and_keeps_its_status(status: int) -> None:
    call = new_call(wire=None)
    found = judge(call, "raised", AnswerError(status, OVERLOADED))
    assert ("failed", "request", "overloaded_error", "overloaded", status, "Overloaded") == found[:6]
    assert status == call.wire_status


# --- error types ---

CLIENTS = ("httpx", "httpx2._exceptions", "httpcore", "anyio", "h11._util", "aiohttp.client_exceptions")


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (exception_of("anthropic", "APITimeoutError"), "client_timeout_error"),
        (exception_of("anthropic._exceptions", "APIConnectionError"), "connection_error"),
        (exception_of("anthropic", "APIResponseValidationError"), "stream_malformed"),
        *((exception_of(client, "TimeoutException"), "client_timeout_error") for client in CLIENTS),
        *((exception_of(client, "TransportError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "NetworkError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "ProtocolError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "DecodingError"), "stream_malformed") for client in CLIENTS),
        (
            exception_of("mine", "Mine", exception_of("httpx", "ReadError", exception_of("httpx", "NetworkError"))),
            "connection_error",
        ),
        (TimeoutError, "client_timeout_error"),
        (asyncio.TimeoutError, "client_timeout_error"),
        (ConnectionResetError, "connection_error"),
        (BrokenPipeError, "connection_error"),
        (OSError, "connection_error"),
        (exception_of("pydantic_core._pydantic_core", "ValidationError", ValueError), "stream_malformed"),
        (exception_of("botocore.eventstream", "ParserError"), "stream_malformed"),
        (exception_of("mine", "TimeoutException"), "_OTHER"),
        (exception_of("mine", "APITimeoutError"), "_OTHER"),
        (exception_of("anthropicfake", "APITimeoutError"), "_OTHER"),
        (ValueError, "_OTHER"),
        (RuntimeError, "_OTHER"),
    ],
)
def test_an_exception_is_known_by_its_class_and_where_that_comes_from(exception: Any, expected: str) -> None:
    assert expected == exception_type(exception())


def test_a_timeout_that_is_a_connection_error_too_is_a_timeout() -> None:
    connection = exception_of("anthropic", "APIConnectionError")
    assert "client_timeout_error" == exception_type(exception_of("anthropic", "APITimeoutError", connection)())


@pytest.mark.parametrize("wrong", ["{", "\xff"])
def test_bytes_that_cannot_be_decoded_are_malformed(wrong: str) -> None:
    with pytest.raises(ValueError) as undecodable:  # noqa: PT011
        json.loads(wrong.encode("latin-1"))
    expected = (None, "malformed", "The body could not be decoded.")
    found = judge(new_call(), "raised", undecodable.value)
    assert "stream_malformed" == found.error_type
    assert expected == (found.status, found.failure, found.message)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (OVERLOADED, ProviderError("overloaded_error", "Overloaded")),
        ({"type": "rate_limit_error", "message": "slow"}, ProviderError("rate_limit_error", "slow")),
        ({"error": {"type": "api_error"}}, ProviderError("api_error", None)),
        ({"error": {"message": "m"}}, ProviderError(None, "m")),
        ({"error": "broken"}, ProviderError(None, "broken")),
        ({"type": "error", "error": "broken"}, ProviderError(None, "broken")),
        ({"type": "error"}, ProviderError(None, None)),
        ({"message": "lower"}, ProviderError(None, "lower")),
        ({"Message": "upper"}, ProviderError(None, "upper")),
        ({"__type": "com.amazon.coral#ThrottlingException"}, ProviderError("ThrottlingException", None)),
        ({"__type": "ThrottlingException", "message": "m"}, ProviderError("ThrottlingException", "m")),
        ({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}, ProviderError(None, "m")),
        ("plain text", ProviderError(None, "plain text")),
        ("  <html><body>nginx</body></html>", ProviderError(None, None)),
        ("", ProviderError(None, None)),
        (None, ProviderError(None, None)),
        ([1, 2], ProviderError(None, None)),
        (7, ProviderError(None, None)),
        ({}, ProviderError(None, None)),
        ({"error": None, "type": None, "message": None}, ProviderError(None, None)),
        ({"error": {"type": {"a": 1}, "message": ["b"]}}, ProviderError(None, None)),
    ],
)
def test_an_error_is_read_in_every_shape_that_one_comes_in(body: object, expected: ProviderError) -> None:
    assert expected == read_error(body)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ThrottlingException", "ThrottlingException"),
        ("ThrottlingException:http://internal.amazon.com/", "ThrottlingException"),
        ("com.amazon.coral.service#ThrottlingException:http://x", "ThrottlingException"),
        ("", None),
        (":", None),
        ("two words", None),
        (None, None),
        (7, None),
    ],
)
def test_the_header_of_aws_names_a_type_up_to_its_colon(header: object, expected: str | None) -> None:
    assert expected == read_error_header(header)


def test_without_a_type_in_the_body_the_header_names_it() -> None:
    answer = AnswerError(429, {"message": "slow"}, {"x-amzn-errortype": "ThrottlingException:"})
    found = judge(new_call(wire=None), "raised", answer)
    assert ("ThrottlingException", "rate_limited", 429, "slow") == (
        found.error_type,
        found.failure,
        found.status,
        found.message,
    )


def test_without_any_type_the_status_is_the_type() -> None:
    found = judge(new_call(wire=None), "raised", AnswerError(503, "<html>"))
    assert ("503", "overloaded", 503, "HTTP 503") == (found.error_type, found.failure, found.status, found.message)


def test_an_error_event_without_a_type_is_other_and_never_its_stream_s_status() -> None:
    found = judge(new_call(), "raised", AnswerError(200, "not JSON"))
    assert ("_OTHER", "other", None, "not JSON") == (found.error_type, found.failure, found.status, found.message)


def test_the_status_of_a_hidden_failure_is_the_documented_one() -> None:
    for error_type, (status, failure) in statuses.ERROR_TYPES.items():
        call = new_call()
        call.error = ProviderError(error_type, "m")
        found = judge(call, "read")
        assert (error_type, status, failure) == (found.error_type, found.status, found.failure)


def test_what_the_model_behind_bedrock_answered_may_say_that_it_was_overloaded() -> None:
    call = new_call()
    call.error = ProviderError("modelStreamErrorException", "m", 529)
    assert ("overloaded", 424) == (judge(call, "read").failure, judge(call, "read").status)
    call.error = ProviderError("modelStreamErrorException", "m", 500)
    assert ("server_error", 424) == (judge(call, "read").failure, judge(call, "read").status)


def test_the_type_of_the_exception_is_named_as_the_conventions_do() -> None:
    def named(exception: BaseException, call: Call) -> str | None:
        return judge(call, "raised", exception).exception_type

    assert "ConnectionResetError" == named(ConnectionResetError(), new_call())
    assert f"{__name__}.AnswerError" == named(AnswerError(529, OVERLOADED), new_call(wire=None))
    assert None is judge(new_call(), "read").exception_type


# --- bounds ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "_OTHER"),
        ("overloaded_error", "overloaded_error"),
        ("ThrottlingException", "ThrottlingException"),
        ("529", "529"),
        ("quantum_flux_error", "quantum_flux_error"),
    ],
)
def test_a_type_is_used_as_it_came(name: str | None, expected: str) -> None:
    assert expected == admit_type(name)


def test_fifty_types_that_nobody_documents_are_admitted_and_those_known_always() -> None:
    admitted = [admit_type(f"type_{number}") for number in range(60)]
    assert [f"type_{number}" for number in range(50)] + ["_OTHER"] * 10 == admitted
    assert "type_7" == admit_type("type_7")
    assert "overloaded_error" == admit_type("overloaded_error")
    assert "serviceUnavailableException" == admit_type("serviceUnavailableException")
    assert "418" == admit_type("418")


@pytest.mark.parametrize("hostile", ["a" * 65, "two words", "line\nend", "semi;colon", "ümlaut", "x-y", ""])
def test_what_does_not_look_like_a_type_is_none(hostile: str) -> None:
    assert ProviderError(None, None) == read_error({"error": {"type": hostile}})
