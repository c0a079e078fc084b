# SPDX-License-Identifier: Apache-2.0
"""Amazon Bedrock's event stream: every way in which it says that it failed is recorded the same, in every version."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator

import pytest

from ..support.platforms.expected import COMPLETED, CUT, MALFORMED, Fault, failed
from ..support.platforms.readers import RAW, STREAMED, STREAMS, Seen, Way
from .checking import Check

EXCEPTIONS: dict[str, tuple[int, str, str]] = {
    "validationException": (400, "invalid_request", "The provided request is not valid."),
    "conflictException": (400, "invalid_request", "The resource is being changed."),
    "serviceQuotaExceededException": (
        400,
        "rate_limited",
        "Your request exceeds the service quota for your account.",
    ),
    "accessDeniedException": (403, "denied", "You don't have access to the model with the specified model ID."),
    "resourceNotFoundException": (404, "invalid_request", "The specified resource ARN was not found."),
    "modelTimeoutException": (408, "timeout", "The request took too long to process."),
    "modelErrorException": (424, "server_error", "The request failed due to an error while processing the model."),
    "throttlingException": (429, "rate_limited", "Too many requests, please wait before trying again."),
    "modelNotReadyException": (429, "overloaded", "The model is not ready to serve inference requests."),
    "internalServerException": (500, "server_error", "An internal server error occurred. Retry your request."),
    "serviceUnavailableException": (503, "overloaded", "Bedrock is unable to process your request."),
}
"""The exceptions of `bedrock-runtime` with their documented status codes, and what the server says with them."""

_STREAM_ERROR = "An error occurred while streaming the response."
_RATE_LIMITED = ("rate_limit_error", 429, "rate_limited", "Number of requests exceeded")
_OVERLOADED = ("overloaded_error", 529, "overloaded", "Overloaded")


def _frames() -> dict[str, Fault]:
    faults = {}
    for name, (status, failure, message) in EXCEPTIONS.items():
        faults[f"bedrock_{name}_mid"] = failed(name, status, failure, message)
        faults[f"bedrock_{name}_first"] = failed(name, status, failure, message, phase="first_chunk", known="nothing")
    return faults


FAULTS: dict[str, Fault] = {
    "completed": COMPLETED,
    "bedrock_modelStreamErrorException_mid": failed(
        "modelStreamErrorException", 424, "server_error", _STREAM_ERROR, original_status=500
    ),
    "bedrock_modelStreamErrorException_overloaded_first": failed(
        "modelStreamErrorException",
        424,
        "overloaded",
        _STREAM_ERROR,
        phase="first_chunk",
        known="nothing",
        original_status=529,
    ),
    "bedrock_unknown_exception": failed("quantumFluxException", None, "other", "Something unforeseen"),
    "bedrock_error_frame": failed(
        "throttlingException", 429, "rate_limited", "Too many tokens, please wait before trying again."
    ),
    "bedrock_chunk_error": failed(*_OVERLOADED),
    "bedrock_chunk_error_first": failed(*_OVERLOADED, phase="first_chunk", known="nothing"),
    "bedrock_chunk_rate_limit_mid": failed(*_RATE_LIMITED),
    "bedrock_chunk_rate_limit_first": failed(*_RATE_LIMITED, phase="first_chunk", known="nothing"),
    "bedrock_chunk_without_type": CUT,
    "bedrock_chunk_without_type_then_completed": COMPLETED,
    "bedrock_truncated_frame": CUT,
    "bedrock_end_without_message_stop": CUT,
    "bedrock_end_after_message_delta": CUT._replace(known="delta"),
}
"""What is recorded of each scenario, however the application reads it."""


def kinds(scenario: str, way: Way, fault: Fault | None = None) -> Iterator[Hashable]:
    """What a case covers: each scenario in both twins, parsed and not, and each way to end in each way to read."""
    ended = fault or FAULTS[scenario]
    yield "scenario", scenario, way.is_async
    yield "scenario", scenario, way.parsed
    yield "way", way.name, ended.outcome, ended.phase


@pytest.mark.variants(covers=kinds)
@pytest.mark.parametrize("way", STREAMS, ids=str)
@pytest.mark.parametrize("scenario", FAULTS)
def test_a_stream_is_recorded_the_same_however_it_is_read(check: Check, scenario: str, way: Way) -> None:
    check("bedrock", scenario, way, FAULTS[scenario])


@pytest.mark.variants(covers=kinds)
@pytest.mark.parametrize("way", [STREAMED[0], STREAMED[2]], ids=str)
@pytest.mark.parametrize(("scenario", "fault"), _frames().items(), ids=list(_frames()))
def test_each_exception_frame_has_its_name_and_its_documented_status(
    check: Check, scenario: str, fault: Fault, way: Way
) -> None:
    check("bedrock", scenario, way, fault)


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_a_frame_with_a_wrong_checksum_is_malformed_when_the_sdk_decodes_it(check: Check, way: Way) -> None:
    check("bedrock", "bedrock_bad_crc", way, failed("stream_malformed", None, "malformed", MALFORMED))


@pytest.mark.parametrize("way", RAW, ids=str)
def test_a_frame_with_a_wrong_checksum_says_nothing_when_the_application_reads_the_bytes(
    check: Check, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    check("bedrock", "bedrock_bad_crc", way, CUT)
    assert caplog.record_tuples == []  # what a server sends is no fault of the package's


@pytest.mark.parametrize("way", STREAMS, ids=str)
@pytest.mark.parametrize(
    "scenario",
    [
        "completed",
        "bedrock_throttlingException_first",
        "bedrock_throttlingException_mid",
        "bedrock_unknown_exception",
        "bedrock_error_frame",
        "bedrock_chunk_error",
        "bedrock_chunk_error_first",
        "bedrock_chunk_rate_limit_first",
        "bedrock_chunk_rate_limit_mid",
        "bedrock_chunk_without_type_then_completed",
        "bedrock_bad_crc",
        "bedrock_truncated_frame",
    ],
)
def test_the_application_sees_what_its_version_of_the_sdk_makes_of_it(
    same: Callable[[str, str, Way], Seen], scenario: str, way: Way
) -> None:
    same("bedrock", scenario, way)


def test_nothing_is_logged_about_the_package_itself(check: Check, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "after200"):
        check("bedrock", "bedrock_throttlingException_mid", STREAMED[0], _frames()["bedrock_throttlingException_mid"])
    assert [] == [record for record in caplog.records if record.name.startswith("after200")]
