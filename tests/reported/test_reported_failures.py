# SPDX-License-Identifier: Apache-2.0
"""Failures as users report them, one test per row: reproduced with the real SDK, recorded as what they were.

The numbers are those of the list of reported failures; `ROWS` says in a sentence what each is searched for as. Where
versions of the SDK differ in what they raise, the test says what each of them may, and asks for the same record.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer

from ..support.platforms.clients import REQUEST, make_client
from ..support.platforms.readers import (
    Recorder,
    Seen,
    Way,
    aread_created,
    aread_helper,
    read,
    read_created,
    read_helper,
    read_whole,
)
from ..support.telemetry import Telemetry, described

ROWS: dict[int, str] = {
    1: "APIStatusError with status_code=200 for a mid-stream overloaded_error",
    2: "the stream is interrupted in mid-response, and the client sees 200 instead of 500 or 529",
    3: "server-side errors in the stream pass silently, invisible to the caller",
    4: "non-200 events of a Bedrock stream raise ValueError",
    5: "a Bedrock cross-region profile answers 200 with a payload rate_limit_error, decoded as a start event",
    6: "an error as the first event: the helper has no snapshot and crashes",
    7: "a bare httpx exception leaks past APIConnectionError in mid-stream",
    8: "413 and 529 of Bedrock and Vertex are not mapped to typed exceptions",
    9: "overloaded_error as HTTP 529 or 503, retried silently",
    10: "the same, but a retry succeeds, and nobody ever sees the 529s",
    11: "400 invalid_request_error",
    12: "Bedrock ValidationException: on-demand throughput is not supported for the model ID",
    13: "Bedrock quota at 0 tokens per minute: every call is throttled",
    14: "a refusal ends the stream normally",
    15: "cache write charges that nobody expected",
    16: "the stream just ends: no message_stop, no exception",
}

CREATE = Way("create", read_created)
HELPER = Way("helper", read_helper)
WHOLE = Way("whole", read_whole, streams=False)
ACREATE = Way("async-create", aio=aread_created)
AHELPER = Way("async-helper", aio=aread_helper)

Reproduce = Callable[..., Seen]


def row(number: int) -> Any:
    """Marks the test of a row: it shows up as `row-7`."""
    assert number in ROWS
    return pytest.mark.parametrize("row", [pytest.param(number, id=f"row-{number}")])


@pytest.fixture
def reproduce(server: FaultServer, telemetry: Telemetry, request: pytest.FixtureRequest) -> Reproduce:
    """Plays `scenario` to an instrumented application; gives back what that saw."""

    def reproduce_one(scenario: str, way: Way, platform: str = "anthropic", **options: Any) -> Seen:
        def make(is_async: bool) -> Any:
            return make_client(platform, server, scenario, request.node.name, is_async=is_async, **options)

        with telemetry.instrumented():
            return read(way, make)

    return reproduce_one


def recorded(telemetry: Telemetry) -> tuple[Any, ...]:
    """Wire status, outcome, phase, error type and corrected status of the one call, on its span and in the metric."""
    (span,) = telemetry.spans
    found = described(span)
    names = (
        "after200.wire.status_code",
        "after200.outcome",
        "after200.phase",
        "error.type",
        "http.response.status_code",
    )
    values = tuple(found.get(name) for name in names)
    assert 1 == telemetry.total("after200.calls")
    known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    assert 1 == telemetry.total("after200.calls", known)
    return values


def attempts(telemetry: Telemetry) -> dict[tuple[Any, Any], float]:
    """How many HTTP requests were answered with which status and error type."""
    return {
        (point.attributes.get("after200.wire.status_code"), point.attributes.get("error.type")): point.value
        for metric, point in telemetry.data_points()
        if metric.name == "after200.attempts"
    }


def raised(seen: Seen, *names: str) -> bool:
    """Whether one of these was raised."""
    return seen.raised is not None and any(name in seen.raised.partition("(")[0] for name in names)


def test_every_row_has_a_test() -> None:
    tested = {
        mark.args[1][0].values[0]
        for name, test in globals().items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "parametrize" and mark.args[0] == "row"
    }
    assert set(ROWS) == tested


@row(1)
@pytest.mark.parametrize("way", [CREATE, HELPER, ACREATE, AHELPER], ids=str)
def test_an_overload_in_mid_stream_has_its_status(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    seen = reproduce("overloaded_error_mid_stream", way)
    assert raised(seen, "APIStatusError")
    assert "status=200" in str(seen.raised)  # what the SDK says
    assert (200, "failed", "mid_stream", "overloaded_error", 529) == recorded(telemetry)


@row(2)
@pytest.mark.parametrize(
    ("scenario", "error_type", "status"),
    [
        ("api_error_mid_stream", "api_error", 500),
        ("overloaded_error_mid_stream", "overloaded_error", 529),
        ("api_error_after_message_delta", "api_error", 500),
    ],
)
def test_an_interrupted_stream_has_the_status_it_would_have_had(
    row: int, scenario: str, error_type: str, status: int, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    assert raised(reproduce(scenario, CREATE), "APIStatusError")
    assert (200, "failed", "mid_stream", error_type, status) == recorded(telemetry)


@row(3)
@pytest.mark.parametrize("way", [CREATE, AHELPER], ids=str)
@pytest.mark.parametrize(
    ("scenario", "error_type", "status"),
    [
        ("bedrock_chunk_rate_limit_mid", "rate_limit_error", 429),
        ("bedrock_chunk_error", "overloaded_error", 529),
        ("bedrock_modelStreamErrorException_mid", "modelStreamErrorException", 424),
        ("bedrock_unknown_exception", "quantumFluxException", None),
    ],
)
def test_an_error_inside_a_bedrock_stream_is_not_silent(
    row: int,
    way: Way,
    scenario: str,
    error_type: str,
    status: int | None,
    reproduce: Reproduce,
    telemetry: Telemetry,
) -> None:
    reproduce(scenario, way, "bedrock")  # depending on the version: raises, yields it as an event, or drops it
    assert (200, "failed", "mid_stream", error_type, status) == recorded(telemetry)


@row(4)
@pytest.mark.parametrize("way", [CREATE, ACREATE], ids=str)
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("throttlingException", 429),
        ("internalServerException", 500),
        ("serviceUnavailableException", 503),
        ("validationException", 400),
        ("modelTimeoutException", 408),
    ],
)
def test_an_exception_frame_has_its_name_whatever_it_is_raised_as(
    row: int, way: Way, name: str, status: int, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    seen = reproduce(f"bedrock_{name}_mid", way, "bedrock")
    assert raised(seen, "ValueError", "APIStatusError")  # the first up to 1.6
    assert (200, "failed", "mid_stream", name, status) == recorded(telemetry)


@row(5)
@pytest.mark.parametrize("way", [CREATE, HELPER, ACREATE, AHELPER], ids=str)
def test_a_rate_limit_in_place_of_a_start_event_is_a_rate_limit(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    reproduce("bedrock_chunk_rate_limit_first", way, "bedrock")
    assert (200, "failed", "first_chunk", "rate_limit_error", 429) == recorded(telemetry)


@row(5)
def test_a_consumer_that_dies_of_the_fake_start_event_changes_nothing(
    row: int, server: FaultServer, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        client = make_client("bedrock", server, "bedrock_chunk_rate_limit_first", "consumer")
        # Depending on the version: 'NoneType' object has no attribute 'model', or nothing is yielded at all.
        with contextlib.suppress(AttributeError):
            for event in client.messages.create(stream=True, **REQUEST):
                assert event.message.model
        gc.collect()  # up to 1.13 the stream that the consumer left is in a cycle with its generator
    # The consumer left in the middle of it; the provider had said by then that it failed.
    assert (200, "failed", "first_chunk", "rate_limit_error", 429) == recorded(telemetry)


@row(6)
@pytest.mark.parametrize("way", [HELPER, AHELPER, CREATE], ids=str)
@pytest.mark.parametrize(
    ("error_type", "status"),
    [("overloaded_error", 529), ("rate_limit_error", 429), ("api_error", 500), ("invalid_request_error", 400)],
)
def test_an_error_as_the_first_event_has_its_own_name(
    row: int, way: Way, error_type: str, status: int, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    assert reproduce(f"{error_type}_first_event", way).raised is not None
    assert (200, "failed", "first_chunk", error_type, status) == recorded(telemetry)


@row(6)
@pytest.mark.parametrize("way", [HELPER, AHELPER], ids=str)
def test_the_crash_of_the_helper_is_not_what_is_recorded(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    seen = reproduce("error_unnamed_first_event", way)
    assert raised(seen, "AssertionError", "AttributeError", "RuntimeError")  # there is no message to give back
    assert (200, "failed", "first_chunk", "overloaded_error", 529) == recorded(telemetry)


@row(7)
@pytest.mark.parametrize("way", [CREATE, ACREATE, HELPER, AHELPER], ids=str)
@pytest.mark.parametrize("scenario", ["half_chunk", "reset_mid_stream"])
def test_a_lost_connection_in_mid_stream_is_a_connection_error(
    row: int, way: Way, scenario: str, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    seen = reproduce(scenario, way)
    assert str(seen.raised).startswith(("httpx.", "httpx2."))  # bare, not anthropic.APIConnectionError
    wire, outcome, phase, error_type, status = recorded(telemetry)
    assert (200, "failed", "connection_error", None) == (wire, outcome, error_type, status)
    # A reset may overtake the content that was sent before it.
    assert phase in (("first_chunk", "mid_stream") if scenario == "reset_mid_stream" else ("mid_stream",))


def stall(client: Any, recorder: Recorder) -> None:
    """Reads until the client has waited too long. Up to 0.42 `create` does not take the timeout of the client."""
    for event in client.messages.create(stream=True, timeout=1.0, **REQUEST):
        recorder.add(event)


async def astall(client: Any, recorder: Recorder) -> None:
    async for event in await client.messages.create(stream=True, timeout=1.0, **REQUEST):
        recorder.add(event)


@row(7)
@pytest.mark.parametrize("way", [Way("create", stall), Way("async-create", aio=astall)], ids=str)
def test_a_read_timeout_in_mid_stream_is_a_client_timeout(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    seen = reproduce("stall_mid_stream", way)
    assert str(seen.raised).startswith(("httpx.ReadTimeout", "httpx2.ReadTimeout"))
    assert (200, "failed", "mid_stream", "client_timeout_error", None) == recorded(telemetry)


@row(8)
@pytest.mark.parametrize("way", [CREATE, ACREATE, WHOLE], ids=str)
@pytest.mark.parametrize("platform", ["bedrock", "vertex"])
@pytest.mark.parametrize(
    ("scenario", "error_type", "status"),
    [
        ("http_413", "request_too_large", 413),
        ("http_529", "overloaded_error", 529),
        ("http_413_html", "413", 413),
        ("http_529_html", "529", 529),
    ],
)
def test_413_and_529_are_named_whatever_class_is_raised(
    row: int,
    way: Way,
    platform: str,
    scenario: str,
    error_type: str,
    status: int,
    reproduce: Reproduce,
    telemetry: Telemetry,
) -> None:
    assert reproduce(scenario, way, platform).raised is not None
    assert (status, "failed", "request", error_type, status) == recorded(telemetry)


@row(9)
@pytest.mark.parametrize(
    ("scenario", "error_type", "status"),
    [("http_529_always", "overloaded_error", 529), ("http_503", "overloaded_error", 503)],
)
def test_every_attempt_of_an_overloaded_call_is_counted(
    row: int, scenario: str, error_type: str, status: int, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    assert reproduce(scenario, CREATE, max_retries=2).raised is not None
    assert (status, "failed", "request", error_type, status) == recorded(telemetry)
    # Equal answers are one series, whether their body was read or not.
    assert {(status, str(status)): 3} == attempts(telemetry)


@row(10)
@pytest.mark.parametrize("way", [CREATE, WHOLE, ACREATE], ids=str)
def test_a_retry_that_succeeds_leaves_its_trace(row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry) -> None:
    seen = reproduce("http_503_then_529_then_completed", way, max_retries=2)
    assert seen.raised is None
    assert (200, "completed", None, None, 200) == recorded(telemetry)
    assert {(503, "503"): 1, (529, "529"): 1, (200, None): 1} == attempts(telemetry)
    assert 2 == described(telemetry.spans[0])["http.request.resend_count"]


@row(11)
@pytest.mark.parametrize("way", [CREATE, WHOLE, AHELPER], ids=str)
def test_an_invalid_request_is_the_caller_s_fault(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    assert raised(reproduce("http_400", way), "BadRequestError")
    assert (400, "failed", "request", "invalid_request_error", 400) == recorded(telemetry)
    found = described(telemetry.spans[0])
    assert ("invalid_request", False) == (found["after200.failure"], found["after200.retryable"])
    assert found["description"]  # which of the many reasons it was


@row(12)
@pytest.mark.parametrize("way", [CREATE, WHOLE, ACREATE], ids=str)
def test_a_model_without_on_demand_throughput_is_a_validation_exception(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    reproduce("bedrock_http_400_validation", way, "bedrock")
    assert (400, "failed", "request", "ValidationException", 400) == recorded(telemetry)
    found = described(telemetry.spans[0])
    assert "invalid_request" == found["after200.failure"]
    assert "Invocation of model ID with on-demand throughput isn't supported." == found["description"]


@row(13)
@pytest.mark.parametrize("way", [CREATE, WHOLE, ACREATE], ids=str)
def test_a_quota_of_nothing_is_throttling(row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry) -> None:
    reproduce("bedrock_http_429", way, "bedrock", max_retries=1)
    assert (429, "failed", "request", "ThrottlingException", 429) == recorded(telemetry)
    assert {(429, "429"): 2} == attempts(telemetry)
    assert "rate_limited" == described(telemetry.spans[0])["after200.failure"]


@row(14)
@pytest.mark.parametrize("way", [CREATE, HELPER, AHELPER, WHOLE], ids=str)
def test_a_refusal_is_completed_and_says_so(row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry) -> None:
    reproduce("refusal", way)
    assert (200, "completed", None, None, 200) == recorded(telemetry)
    found = described(telemetry.spans[0])
    assert ("refusal",) == found["gen_ai.response.finish_reasons"]
    assert "UNSET" == found["status"]


@row(15)
@pytest.mark.parametrize("way", [CREATE, AHELPER, WHOLE], ids=str)
def test_the_tokens_of_the_cache_are_counted_apart(
    row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry
) -> None:
    reproduce("cached", way)
    assert (200, "completed", None, None, 200) == recorded(telemetry)
    tokens = {
        kind: telemetry.total("after200.tokens", {"gen_ai.token.type": kind})
        for kind in ("input", "cache_read", "cache_write")
    }
    assert {"input": 8, "cache_read": 2227, "cache_write": 1416} == tokens
    # The conventions count them all as input.
    assert 8 + 2227 + 1416 == described(telemetry.spans[0])["gen_ai.usage.input_tokens"]


@row(16)
@pytest.mark.parametrize("way", [CREATE, ACREATE, HELPER, AHELPER], ids=str)
def test_a_stream_that_just_ends_is_truncated(row: int, way: Way, reproduce: Reproduce, telemetry: Telemetry) -> None:
    seen = reproduce("end_without_message_stop", way)
    assert seen.raised is None  # the application is told nothing
    assert (200, "truncated", "mid_stream", "stream_truncated", None) == recorded(telemetry)


def test_the_exception_of_the_first_row_has_the_status_of_the_wire(server: FaultServer) -> None:
    async def main() -> None:
        async with make_client("anthropic", server, "overloaded_error_mid_stream", "plain", is_async=True) as client:
            async for _ in await client.messages.create(stream=True, **REQUEST):
                pass

    with pytest.raises(anthropic.APIStatusError) as caught:
        asyncio.run(main())
    assert 200 == caught.value.status_code
