# SPDX-License-Identifier: Apache-2.0
"""An exception that came out of a call → what it means for the call. Rule 3 of section 2 of the contract."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import anthropic
import pytest

from after200.call.exceptions import Raised, error_type_of, read_exception
from after200.call.facts import ProviderError
from after200.faults.eventstream import encode_frame, exception_headers

from .calls import OVERLOADED, AnswerError, exception_of

CLIENTS = ("httpx", "httpx2._exceptions", "httpcore", "anyio", "h11._util", "aiohttp.client_exceptions")
CONNECTION_ERROR = exception_of("anthropic._exceptions", "APIConnectionError")
NETWORK_ERROR = exception_of("httpx", "NetworkError")


class JobTimeout(TimeoutError):  # noqa: N818
    """A time limit of the application's own, as a signal handler raises it."""


class JobError(OSError):
    """An error of the application's own."""


def caused_by(exception: BaseException, cause: BaseException | None) -> BaseException:
    exception.__cause__ = cause
    return exception


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (exception_of("anthropic", "APITimeoutError"), "client_timeout_error"),
        (CONNECTION_ERROR, "connection_error"),
        (exception_of("anthropic", "APIResponseValidationError"), "stream_malformed"),
        *((exception_of(client, "TimeoutException"), "client_timeout_error") for client in CLIENTS),
        *((exception_of(client, "TransportError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "NetworkError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "ProtocolError"), "connection_error") for client in CLIENTS),
        *((exception_of(client, "DecodingError"), "stream_malformed") for client in CLIENTS),
        (exception_of("httpcore", "ReadError", NETWORK_ERROR), "connection_error"),
        (TimeoutError, "client_timeout_error"),
        (asyncio.TimeoutError, "client_timeout_error"),
        (ConnectionResetError, "connection_error"),
        (BrokenPipeError, "connection_error"),
        (OSError, "connection_error"),
        (EOFError, "connection_error"),
        (ssl.SSLError, "connection_error"),
        (exception_of("pydantic_core._pydantic_core", "ValidationError", ValueError), "stream_malformed"),
        (exception_of("botocore.eventstream", "ParserError"), "stream_malformed"),
        (exception_of("mine", "TimeoutException"), "_OTHER"),
        (exception_of("mine", "APITimeoutError"), "_OTHER"),
        (exception_of("anthropicfake", "APITimeoutError"), "_OTHER"),
        (exception_of("google.auth.exceptions", "TransportError"), "_OTHER"),
        (ValueError, "_OTHER"),
        (RuntimeError, "_OTHER"),
    ],
)
def test_an_exception_is_known_by_its_class_and_the_package_of_that(exception: Any, expected: str) -> None:
    assert expected == error_type_of(exception())


def test_a_timeout_that_is_a_connection_error_too_is_a_timeout() -> None:
    timeout = exception_of("anthropic", "APITimeoutError", CONNECTION_ERROR)
    assert "client_timeout_error" == error_type_of(timeout())


@pytest.mark.parametrize("wrong", ["{", "\xff"])
def test_bytes_that_cannot_be_decoded_are_malformed(wrong: str) -> None:
    with pytest.raises(ValueError) as undecodable:  # noqa: PT011
        json.loads(wrong.encode("latin-1"))
    name = type(undecodable.value)
    qualified = name.__name__ if name.__module__ == "builtins" else f"{name.__module__}.{name.__name__}"
    expected = Raised("failure", ProviderError("stream_malformed", None), None, None, qualified)
    assert expected == read_exception(caused_by(CONNECTION_ERROR(), undecodable.value.with_traceback(None)))._replace(
        class_name=qualified
    )
    assert "cancelled" == read_exception(undecodable.value).kind  # Of any other bytes than those of a call.


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (exception_of("httpx2", "DecodingError")(), "stream_malformed"),
        (json.JSONDecodeError("m", "", 0), "stream_malformed"),
        (exception_of("httpx2", "ReadError", NETWORK_ERROR)(), "connection_error"),
        (ssl.SSLError("m"), "connection_error"),
        (TimeoutError(), "client_timeout_error"),
        (ValueError(), "connection_error"),
        (None, "connection_error"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_malformed_though_the_sdk_calls_it_a_connection_error(
    cause: BaseException | None, expected: str
) -> None:
    assert expected == error_type_of(caused_by(CONNECTION_ERROR(), cause))


# --- rule 3: whose exception it was, without a traceback; with one: tests/exceptions/test_origins.py ---

FAILURES = [
    TimeoutError(),
    EOFError(),
    ConnectionResetError(),
    exception_of("httpx", "ReadTimeout")(),
    exception_of("ssl", "SSLError", OSError)(),
    exception_of("trio", "BrokenResourceError")(),
    exception_of("anthropic", "APIConnectionError")(),
    # The SDK wraps what came out of its HTTP client, and says so in `__cause__`.
    caused_by(CONNECTION_ERROR(), TimeoutError()),
    caused_by(CONNECTION_ERROR(), ValueError()),
    caused_by(CONNECTION_ERROR(), exception_of("httpx2", "ReadError")()),
    # The `__cause__` of any other exception is not the SDK's doing.
    caused_by(ConnectionResetError(), JobTimeout()),
]
NO_FAILURES = [
    JobTimeout(),
    JobError(),
    exception_of("celery.exceptions", "SoftTimeLimitExceeded")(),
    exception_of("httpx_of_mine", "ReadError")(),
    caused_by(CONNECTION_ERROR(), JobTimeout()),
    # Any code raises these: where no frame shows that they came out of a call, they did not.
    ValueError(),
    KeyError("k"),
    ZeroDivisionError(),
    json.JSONDecodeError("m", "", 0),
    exception_of("pydantic_core._pydantic_core", "ValidationError", ValueError)(),
]


@pytest.mark.parametrize("exception", FAILURES, ids=repr)
def test_a_class_that_only_what_carries_a_call_raises_is_a_failure_of_the_call(exception: BaseException) -> None:
    assert "failure" == read_exception(exception).kind


@pytest.mark.parametrize("exception", NO_FAILURES, ids=repr)
def test_any_other_class_is_the_application_s(exception: BaseException) -> None:
    assert "cancelled" == read_exception(exception).kind


@pytest.mark.parametrize("exception", [JobTimeout(), JobError(), caused_by(CONNECTION_ERROR(), JobTimeout())])
def test_an_exception_of_the_application_s_cancels_its_call(exception: BaseException) -> None:
    found = read_exception(exception)
    assert ("cancelled", ProviderError(None, None), None, None) == found[:4]


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (exception_of("trio._core._exceptions", "Cancelled", BaseException)(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (exception_of("gevent", "Timeout", BaseException)(), "cancelled"),
        (SystemExit(), "cancelled"),
        (GeneratorExit(), "left"),
    ],
)
def test_what_is_no_exception_of_a_failure_cancels_or_leaves(exception: BaseException, expected: str) -> None:
    found = read_exception(exception)
    assert (expected, ProviderError(None, None), None, None) == found[:4]


# --- groups ---

GROUP = exception_of("builtins", "BaseExceptionGroup", Exception)


def group_of(*exceptions: BaseException) -> BaseException:
    group = GROUP("several")
    group.exceptions = exceptions  # type: ignore[attr-defined]
    return group


@pytest.mark.parametrize(
    ("exceptions", "expected"),
    [
        ((AnswerError(529, OVERLOADED),), ("answer", "overloaded_error")),
        (
            (KeyError(), asyncio.CancelledError(), AnswerError(529, OVERLOADED), OSError()),
            ("answer", "overloaded_error"),
        ),
        ((group_of(KeyError(), OSError()), AnswerError(529, OVERLOADED)), ("failure", "connection_error")),
        ((KeyError(), ValueError()), ("cancelled", None)),
        ((asyncio.CancelledError(), GeneratorExit()), ("cancelled", None)),
        ((), ("cancelled", None)),
    ],
    ids=repr,
)
def test_of_a_group_the_first_failure_counts(
    exceptions: tuple[BaseException, ...], expected: tuple[str, str | None]
) -> None:
    found = read_exception(group_of(*exceptions))
    assert (*expected, "BaseExceptionGroup") == (found.kind, found.error.type, found.class_name)


# --- answers ---


def test_an_exception_that_carries_an_answer_says_the_provider_s_error_and_its_status() -> None:
    expected = Raised(
        "answer", ProviderError("overloaded_error", "Overloaded"), 529, None, "anthropic._exceptions.AnswerError"
    )
    assert expected == read_exception(AnswerError(529, OVERLOADED))


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (429, {"message": "slow"}, {"x-amzn-errortype": "ThrottlingException:http://x"}, "ThrottlingException"),
        (429, {"type": "rate_limit_error"}, {"x-amzn-errortype": "ThrottlingException"}, "rate_limit_error"),
        (503, "<html>", {}, "503"),
        (503, {"error": {"type": "unknown"}}, {"x-amzn-errortype": "unknown"}, "503"),
        (200, "not JSON", {}, None),
    ],
)
def test_the_type_is_the_body_s_then_the_header_s_then_the_status(
    status: int, body: object, headers: dict[str, str], expected: str | None
) -> None:
    found = read_exception(AnswerError(status, body, headers))
    assert ("answer", expected, status) == (found.kind, found.error.type, found.status)


EVENT = "event: error\ndata: " + json.dumps(OVERLOADED)


@pytest.mark.parametrize("status", [302, 400, 529])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (EVENT, ProviderError("overloaded_error", "Overloaded")),
        (": a comment\n\n" + EVENT + "\n\nevent: message_stop", ProviderError("overloaded_error", "Overloaded")),
        ("data: " + json.dumps(OVERLOADED), ProviderError("overloaded_error", "Overloaded")),
        ("upstream failed\n" + json.dumps(OVERLOADED), ProviderError("overloaded_error", "Overloaded")),
        ("event: error\ndata: engine died", ProviderError("S", None)),
        ("event: ping\ndata: {}", ProviderError("S", "event: ping data: {}")),
        ("engine died", ProviderError("S", "engine died")),
        ("", ProviderError("S", None)),
    ],
    ids=repr,
)
def test_the_body_of_an_http_error_can_be_an_event_stream(status: int, body: str, expected: ProviderError) -> None:
    for content in (None, body.encode()):
        answer: Any = AnswerError(status, body, {"content-type": "text/event-stream"})
        answer.response.content = content
        found = read_exception(answer).error
        assert expected._replace(type=str(status) if expected.type == "S" else expected.type) == found


def test_the_body_of_an_http_error_can_be_frames() -> None:
    frame = encode_frame(exception_headers("throttlingException"), b'{"message": "Slow down"}')
    answer: Any = AnswerError(400, frame.decode("utf-8", "replace"))
    answer.response.headers, answer.response.content = {"content-type": "application/vnd.amazon.eventstream"}, frame
    assert ProviderError("throttlingException", "Slow down") == read_exception(answer).error


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (529, "true", True),
        (529, "false", False),
        (529, "maybe", None),
        (529, None, None),
        (200, "false", None),
    ],
)
def test_whether_to_retry_counts_when_it_came_with_the_failing_answer_itself(
    status: int, header: str | None, expected: bool | None
) -> None:
    headers = {} if header is None else {"x-should-retry": header}
    assert expected is read_exception(AnswerError(status, OVERLOADED, headers)).should_retry


def test_a_body_that_the_sdk_cannot_validate_is_malformed_though_the_exception_carries_the_answer() -> None:
    """The real class has a status code and a body, like the exception of an HTTP error."""
    exception = anthropic.APIResponseValidationError.__new__(anthropic.APIResponseValidationError)
    exception.status_code, exception.body = 200, {"id": "msg_1"}
    expected = Raised(
        "failure", ProviderError("stream_malformed", None), None, None, "anthropic.APIResponseValidationError"
    )
    assert expected == read_exception(exception)


def test_a_class_of_the_application_s_that_looks_like_an_answer_is_the_application_s() -> None:
    class MineError(Exception):
        status_code = 529
        body = OVERLOADED

    assert "cancelled" == read_exception(MineError()).kind


def test_the_class_is_named_as_the_conventions_do() -> None:
    assert "ConnectionResetError" == read_exception(ConnectionResetError()).class_name
    assert f"{__name__}.JobTimeout" == read_exception(JobTimeout()).class_name
