# SPDX-License-Identifier: Apache-2.0
"""Amazon Bedrock refuses before there is a stream: the name of the error stands in a header only."""

from __future__ import annotations

import pytest

from ..support.platforms.expected import COMPLETED, MALFORMED, Fault, refused
from ..support.platforms.readers import RAW, STREAMED, WHOLE, Way
from .checking import Check

_QUOTA = "Too many tokens, please wait before trying again."
_VALIDATION = "Invocation of model ID with on-demand throughput isn't supported."

REFUSED: dict[str, Fault] = {
    "bedrock_http_400_validation": refused("ValidationException", 400, "invalid_request", _VALIDATION),
    "bedrock_http_400_quota": refused(
        "ServiceQuotaExceededException",
        400,
        "rate_limited",
        "Your request exceeds the service quota for your account.",
    ),
    "bedrock_http_403": refused(
        "AccessDeniedException", 403, "denied", "You don't have access to the model with the specified model ID."
    ),
    "bedrock_http_404": refused(
        "ResourceNotFoundException", 404, "invalid_request", "The specified resource ARN was not found."
    ),
    "bedrock_http_408": refused("ModelTimeoutException", 408, "timeout", "The request took too long to process."),
    "bedrock_http_424": refused(
        "ModelErrorException",
        424,
        "server_error",
        "The request failed due to an error while processing the model.",
    ),
    "bedrock_http_429": refused("ThrottlingException", 429, "rate_limited", _QUOTA),
    "bedrock_http_429_model_not_ready": refused(
        "ModelNotReadyException", 429, "overloaded", "The model is not ready to serve inference requests."
    ),
    "bedrock_http_500": refused(
        "InternalServerException", 500, "server_error", "An internal server error occurred. Retry your request."
    ),
    "bedrock_http_503": refused(
        "ServiceUnavailableException", 503, "overloaded", "Bedrock is unable to process your request."
    ),
}


@pytest.mark.parametrize("way", [STREAMED[0], WHOLE[1]], ids=str)
@pytest.mark.parametrize("scenario", REFUSED)
def test_the_name_in_the_header_is_the_error_type(check: Check, scenario: str, way: Way) -> None:
    check("bedrock", scenario, way, REFUSED[scenario])


@pytest.mark.parametrize("way", [STREAMED[1], STREAMED[2], *RAW, WHOLE[0]], ids=str)
def test_a_refusal_is_recorded_the_same_however_the_call_was_made(check: Check, way: Way) -> None:
    check("bedrock", "bedrock_http_429", way, REFUSED["bedrock_http_429"])


@pytest.mark.parametrize("way", WHOLE, ids=str)
def test_a_whole_answer_is_completed(check: Check, way: Way) -> None:
    check("bedrock", "completed", way, COMPLETED)


@pytest.mark.parametrize("way", WHOLE, ids=str)
def test_half_a_whole_answer_is_malformed(check: Check, way: Way) -> None:
    fault = Fault("failed", "stream_malformed", None, "malformed", MALFORMED, "first_chunk", "nothing")
    check("bedrock", "bedrock_truncated_frame", way, fault)


@pytest.mark.parametrize("way", WHOLE, ids=str)
def test_an_error_as_the_whole_answer_is_a_hidden_failure(check: Check, way: Way) -> None:
    fault = Fault("failed", "overloaded_error", 529, "overloaded", "Overloaded", "first_chunk", "nothing")
    check("bedrock", "body_error_200", way, fault)
