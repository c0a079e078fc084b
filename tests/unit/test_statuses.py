# SPDX-License-Identifier: Apache-2.0
"""The tables of section 3 of the contract, written out a second time."""

from __future__ import annotations

import pytest

from after200 import names
from after200.call import statuses

CLAUDE_API = {
    "invalid_request_error": (400, "invalid_request"),
    "authentication_error": (401, "denied"),
    "billing_error": (402, "denied"),
    "permission_error": (403, "denied"),
    "not_found_error": (404, "invalid_request"),
    "conflict_error": (409, "invalid_request"),
    "request_too_large": (413, "invalid_request"),
    "rate_limit_error": (429, "rate_limited"),
    "api_error": (500, "server_error"),
    "timeout_error": (504, "timeout"),
    "overloaded_error": (529, "overloaded"),
}
BEDROCK = {
    "validationException": (400, "invalid_request"),
    "serviceQuotaExceededException": (400, "rate_limited"),
    "accessDeniedException": (403, "denied"),
    "modelTimeoutException": (408, "timeout"),
    "modelStreamErrorException": (424, "server_error"),
    "modelErrorException": (424, "server_error"),
    "throttlingException": (429, "rate_limited"),
    "modelNotReadyException": (429, "overloaded"),
    "internalServerException": (500, "server_error"),
    "serviceUnavailableException": (503, "overloaded"),
}
BEDROCK_BY_STATUS = {
    # Their failure is "any other 4xx".
    "conflictException": (400, "invalid_request"),
    "resourceNotFoundException": (404, "invalid_request"),
}
OWN = {
    "client_timeout_error": (None, "timeout"),
    "connection_error": (None, "connection"),
    "stream_truncated": (None, "truncated"),
    "stream_malformed": (None, "malformed"),
}
WORTH_A_RETRY = {
    "overloaded": True,
    "rate_limited": True,
    "timeout": True,
    "server_error": True,
    "connection": True,
    "truncated": True,
    "malformed": False,
    "denied": False,
    "invalid_request": False,
    "other": False,
}


def test_the_table_is_the_contract_s_and_nothing_else() -> None:
    assert {**CLAUDE_API, **BEDROCK, **BEDROCK_BY_STATUS, **OWN} == statuses.ERROR_TYPES


def test_the_failures_are_the_contract_s_and_so_is_which_are_worth_a_retry() -> None:
    assert set(WORTH_A_RETRY) == set(names.FAILURES)
    assert {failure for failure, worth in WORTH_A_RETRY.items() if worth} == statuses.RETRYABLE


def test_every_failure_can_happen() -> None:
    by_type = {failure for _, failure in statuses.ERROR_TYPES.values()}
    assert {*WORTH_A_RETRY} - {"other"} == by_type
    assert "other" == statuses.failure_of("quantum_flux_error")


@pytest.mark.parametrize("name", [*BEDROCK, *BEDROCK_BY_STATUS])
def test_the_names_of_aws_match_whatever_the_case_of_their_first_letter(name: str) -> None:
    row = {**BEDROCK, **BEDROCK_BY_STATUS}[name]
    assert row == statuses.documented(name)
    assert row == statuses.documented(name[0].upper() + name[1:])
    assert None is statuses.documented(name.upper())


@pytest.mark.parametrize("name", ["", "O", "_OTHER", "529", "overloaded", "Error"])
def test_what_nobody_documents_has_no_row(name: str) -> None:
    assert None is statuses.documented(name)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, "invalid_request"),
        (401, "denied"),
        (402, "denied"),
        (403, "denied"),
        (404, "invalid_request"),
        (408, "timeout"),
        (409, "invalid_request"),
        (413, "invalid_request"),
        (418, "invalid_request"),
        (424, "invalid_request"),
        (429, "rate_limited"),
        (499, "invalid_request"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "overloaded"),
        (504, "timeout"),
        (520, "server_error"),
        (529, "overloaded"),
        (599, "server_error"),
    ],
)
def test_where_the_type_is_unknown_the_status_says_which_failure_it_is(status: int, failure: str) -> None:
    assert failure == statuses.failure_of("quantum_flux_error", status)


def test_the_type_decides_before_any_status() -> None:
    assert "timeout" == statuses.failure_of("timeout_error", 529)
    assert "connection" == statuses.failure_of("connection_error", 401, 503)


def test_a_status_that_is_no_error_says_nothing() -> None:
    assert "other" == statuses.failure_of("quantum_flux_error", 200)
    assert "other" == statuses.failure_of("quantum_flux_error", None, None)
    assert "overloaded" == statuses.failure_of("quantum_flux_error", None, 529)
