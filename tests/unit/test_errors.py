# SPDX-License-Identifier: Apache-2.0
"""Section 3 of the contract: an error payload of every shape, in every place that an error can stand in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from after200.call.bodies import reader_for
from after200.call.errors import find_error, read_error, read_error_header, read_frame_error
from after200.call.events import read_event
from after200.call.exceptions import read_exception
from after200.call.facts import ProviderError
from after200.call.messages import read_payload, read_whole

from .calls import OVERLOADED, AnswerError, new_call

NO_TYPE = ProviderError(None, None)


def in_a_stream(content_type: str, text: str) -> ProviderError | None:
    reader = reader_for(content_type, "message", stream=True)
    call = new_call(learned=(*reader.feed(text.encode()), *reader.finish()))
    return call.error


def in_a_line(payload: object) -> ProviderError | None:
    reader = reader_for("", "lines", stream=False)
    return new_call(learned=(*reader.feed(json.dumps(payload).encode()), *reader.finish())).error


def by_an_event(name: str | None) -> Callable[[object], ProviderError | None]:
    def read(payload: object) -> ProviderError | None:
        facts = read_event(name, json.dumps(payload))
        return None if facts is None else facts.error

    return read


def by_a_payload(payload: object) -> ProviderError | None:
    facts = read_payload(payload)
    return None if facts is None else facts.error


PLACES: dict[str, Callable[[Any], ProviderError | None]] = {
    "an error event": by_an_event("error"),
    "an event of another name": by_an_event("message_delta"),
    "a ping": by_an_event("ping"),
    "an event of an unknown name": by_an_event("gateway.note"),
    "an event without a name": by_an_event(None),
    "an ordinary chunk": by_a_payload,
    "a whole body": lambda payload: read_whole(payload).error,
    "the JSON of a stream's 200": lambda payload: in_a_stream("application/json", json.dumps(payload)),
    "JSON that says it is an event stream": lambda payload: in_a_stream("text/event-stream", json.dumps(payload)),
    "a line of a batch": in_a_line,
    "the body of an HTTP error": lambda payload: read_exception(AnswerError(400, payload)).error,
    "an exception frame": lambda payload: read_frame_error({":message-type": "exception"}, payload),
}
SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "the API's": lambda kind: {"type": "error", "error": {"type": kind, "message": "m"}},
    "without the outer type": lambda kind: {"error": {"type": kind, "message": "m"}},
    "the error alone": lambda kind: {"type": kind, "message": "m"},
}


@pytest.mark.parametrize("kind", ["overloaded_error", "request_too_large", "ThrottlingException", "quantum_flux_error"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", PLACES)
def test_every_shape_of_an_error_is_read_in_every_place(place: str, shape: str, kind: str) -> None:
    assert ProviderError(kind, "m") == PLACES[place](SHAPES[shape](kind))


@pytest.mark.parametrize("place", PLACES)
def test_the_error_code_is_read_in_every_place(place: str) -> None:
    details = {"error_code": "ramp_limit_exceeded"}
    payload = {"type": "error", "error": {"type": "rate_limit_error", "message": "m", "details": details}}
    assert ProviderError("rate_limit_error", "m", "ramp_limit_exceeded") == PLACES[place](payload)


@pytest.mark.parametrize(
    "word", ["none", "null", "nil", "undefined", "unknown", "error", "None", "NULL", "Unknown", "ERROR"]
)
@pytest.mark.parametrize("shape", ["the API's", "without the outer type"])
@pytest.mark.parametrize("place", ["an error event", "an event without a name", "a whole body", "an exception frame"])
def test_a_word_for_nothing_is_no_type(place: str, shape: str, word: str) -> None:
    assert ProviderError(None, "m") == PLACES[place](SHAPES[shape](word))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (OVERLOADED, ProviderError("overloaded_error", "Overloaded")),
        ({"type": "rate_limit_error", "message": "slow"}, ProviderError("rate_limit_error", "slow")),
        ({"type": "rate_limit_error", "error": {"message": "slow"}}, ProviderError("rate_limit_error", "slow")),
        ({"type": "message_start", "error": {"message": "m"}}, ProviderError(None, "m")),
        ({"error": {"type": "api_error"}}, ProviderError("api_error", None)),
        ({"error": {"message": "m"}}, ProviderError(None, "m")),
        ({"error": "broken"}, ProviderError(None, "broken")),
        ({"type": "error", "error": "broken"}, ProviderError(None, "broken")),
        ({"type": "error"}, NO_TYPE),
        ({"message": "lower"}, ProviderError(None, "lower")),
        ({"Message": "upper"}, ProviderError(None, "upper")),
        ({"__type": "com.amazon.coral#ThrottlingException"}, ProviderError("ThrottlingException", None)),
        # The type of a healthy event is no type of an error.
        ({"type": "ping"}, NO_TYPE),
        ({"type": "message_stop", "message": "m"}, ProviderError(None, "m")),
        ({"type": "ping", "__type": "ThrottlingException"}, ProviderError("ThrottlingException", None)),
        ({"__type": "ThrottlingException", "message": "m"}, ProviderError("ThrottlingException", "m")),
        ({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}, ProviderError(None, "m")),
        ({"message": "m", "originalStatusCode": 529}, ProviderError(None, "m", None, 529)),
        ({"message": "m", "originalStatusCode": "529"}, ProviderError(None, "m", None, 529)),
        ("plain text", ProviderError(None, "plain text")),
        ("two\r\nlines", ProviderError(None, "two lines")),
        ("  <html><body>nginx</body></html>", NO_TYPE),
        ("", NO_TYPE),
        (None, NO_TYPE),
        ([1, 2], NO_TYPE),
        (7, NO_TYPE),
        ({}, NO_TYPE),
        ({"error": None, "type": None, "message": None}, NO_TYPE),
        ({"error": {"type": {"a": 1}, "message": ["b"]}}, NO_TYPE),
    ],
)
def test_an_error_is_read_in_every_shape_that_one_comes_in(body: object, expected: ProviderError) -> None:
    assert expected == read_error(body)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"error": {"message": "m", "code": 500}}, ProviderError(None, "m")),
        ({"error": "engine died"}, ProviderError(None, "engine died")),
        ({"error": {"code": 500}}, NO_TYPE),
        ({"error": {"code": "502"}}, NO_TYPE),
        ({"error": {"code": "model_not_loaded"}}, NO_TYPE),
        ({"error": {"type": "content_block_delta", "message": "m"}}, ProviderError(None, "m")),
        ({"error": {"details": {"error_code": "on_hold"}}}, ProviderError(None, None, "on_hold")),
        ({"error": {"type": "engine"}, "message": "m"}, ProviderError("engine", "m")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", [None, "message", "ping", "message_delta", "content_block_delta", "chunk", "event"])
def test_the_name_of_an_ordinary_event_is_never_the_type_of_an_error(
    name: str | None, payload: dict[str, object], expected: ProviderError
) -> None:
    assert expected == find_error(payload, name)
    healthy = {"type": "message_delta", "delta": {"stop_reason": None}}
    assert expected == find_error({**healthy, **payload}, name)


EMPTY_ERRORS: list[object] = [
    {},
    [],
    "",
    " ",
    None,
    False,
    0,
    {"type": "", "message": ""},
    {"type": None, "message": None, "code": None},
    {"type": "none", "message": " ", "code": 0},
    {"code": "0"},
    {"code": 200},
    {"type": "message_delta"},
    {"details": {}},
]


@pytest.mark.parametrize("error", EMPTY_ERRORS, ids=repr)
@pytest.mark.parametrize("name", ["message_start", "content_block_delta", "ping", "message", None])
def test_an_error_field_that_says_nothing_is_no_error(name: str | None, error: object) -> None:
    assert None is find_error({"type": "content_block_delta", "delta": {}, "error": error}, name)
    assert True is read_whole({"completion": "Hi", "error": error}, "completion").is_answer
    assert True is read_whole({"type": "message", "error": error}).is_answer


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "message"},
        {"type": "ping"},
        {"type": "message_delta", "error": None},
        {"type": "message_delta", "error": ""},
        {"type": "errors"},
        {"type": "erroneous"},
        {"message": "m"},
        {},
        [],
        "overloaded_error",
        None,
        7,
    ],
)
def test_what_names_no_error_is_none(payload: object) -> None:
    assert None is find_error(payload)
    assert None is find_error(payload, "message_delta")


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"error_code": "organization_on_hold"}, "organization_on_hold"),
        ({"error_code": "a_code_of_tomorrow"}, "a_code_of_tomorrow"),
        ({"error_code": "two words"}, None),
        ({"error_code": "unknown"}, None),
        ({"error_code": 7}, None),
        ({"error_code": "x" * 65}, None),
        ({}, None),
        ("organization_on_hold", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
def test_the_error_code_stands_in_the_details(nested: bool, details: object, expected: str | None) -> None:
    error = {"type": "permission_error", "message": "m", "details": details}
    found = read_error({"type": "error", "error": error} if nested else error)
    assert ProviderError("permission_error", "m", expected) == found


@pytest.mark.parametrize(
    "hostile", ["a" * 65, "two words", "line\nend", "semi;colon", "ümlaut", "x-y", "", 7, None, ["a"], {"a": 1}]
)
def test_what_does_not_look_like_a_type_is_none(hostile: object) -> None:
    assert NO_TYPE == read_error({"error": {"type": hostile}})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ThrottlingException", "ThrottlingException"),
        ("ThrottlingException:http://internal.amazon.com/", "ThrottlingException"),
        ("com.amazon.coral.service#ThrottlingException:http://x", "ThrottlingException"),
        ("", None),
        (":", None),
        ("unknown", None),
        ("two words", None),
        (None, None),
        (7, None),
    ],
)
def test_the_header_of_aws_names_a_type_up_to_its_colon(header: object, expected: str | None) -> None:
    assert expected == read_error_header(header)


@pytest.mark.parametrize(
    ("headers", "payload", "expected"),
    [
        ({":message-type": "event", ":event-type": "chunk"}, {"bytes": ""}, None),
        ({}, OVERLOADED, None),
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            {"message": "slow"},
            ProviderError("throttlingException", "slow"),
        ),
        (
            {":message-type": "exception", ":exception-type": "modelStreamErrorException"},
            {"message": "m", "originalStatusCode": 529},
            ProviderError("modelStreamErrorException", "m", None, 529),
        ),
        (
            {":message-type": "error", ":error-code": "com.amazon#InternalFailure", ":error-message": "m"},
            None,
            ProviderError("InternalFailure", "m"),
        ),
        # The header's name comes before the payload's.
        (
            {":message-type": "exception", ":exception-type": "serviceUnavailableException"},
            {"type": "api_error", "message": "m"},
            ProviderError("serviceUnavailableException", "m"),
        ),
        ({":message-type": "exception"}, None, NO_TYPE),
        ({":message-type": "exception", ":exception-type": "unknown"}, [], NO_TYPE),
    ],
)
def test_a_frame_names_its_error_in_a_header(
    headers: dict[str, Any], payload: object, expected: ProviderError | None
) -> None:
    assert expected == read_frame_error(headers, payload)


def test_a_message_is_one_line_of_a_sane_length() -> None:
    message = read_error({"error": {"message": "a\nb" + "x" * 5000}}).message
    assert message is not None
    assert (1024, "a bx") == (len(message), message[:4])


def test_the_first_error_counts_and_a_later_one_adds_its_original_status() -> None:
    first, later = ProviderError("api_error", "first"), ProviderError("overloaded_error", "later", None, 529)
    assert ProviderError("api_error", "first", None, 529) == first.completed_by(later)
    assert later == later.completed_by(first._replace(original_status=500))
