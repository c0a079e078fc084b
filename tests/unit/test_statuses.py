# SPDX-License-Identifier: Apache-2.0
"""The tables of section 3 of the contract, written out a second time."""

from __future__ import annotations

import itertools

import pytest

from after200 import names
from after200.call import statuses

CLAUDE_API = {
    "invalid_request_error": (400, "invalid_request"),
    "authentication_error": (401, "denied"),
    "billing_error": (402, "billing"),
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
    "conflictException": (400, "invalid_request"),
    "serviceQuotaExceededException": (400, "rate_limited"),
    "accessDeniedException": (403, "denied"),
    "resourceNotFoundException": (404, "invalid_request"),
    "modelTimeoutException": (408, "timeout"),
    "modelStreamErrorException": (424, "server_error"),
    "modelErrorException": (424, "server_error"),
    "throttlingException": (429, "rate_limited"),
    "modelNotReadyException": (429, "overloaded"),
    "internalServerException": (500, "server_error"),
    "serviceUnavailableException": (503, "overloaded"),
}
OWN = {
    "client_timeout_error": (None, "timeout"),
    "connection_error": (None, "connection"),
    "stream_truncated": (None, "truncated"),
    "stream_malformed": (None, "malformed"),
}
CODES = {
    "ramp_limit_exceeded": "rate_limited",
    "contract_spend_limit_reached": "billing",
    "enforced_spend_limit_reached": "billing",
    "linked_organization_spend_limit_reached": "billing",
    "linked_organization_billing_unavailable": "billing",
    "user_profile_not_billable": "billing",
    "user_profile_billing_not_authorized": "billing",
    "compaction_unavailable": "server_error",
    "cmek_key_unreachable": "server_error",
    "cmek_context_unavailable": "server_error",
    "change_outcome_unknown": "server_error",
    "organization_on_hold": "denied",
    "cmek_key_disabled": "denied",
    "cmek_key_network_blocked": "denied",
    "cmek_not_approved": "denied",
}
WORTH_A_RETRY = {
    "overloaded": True,
    "rate_limited": True,
    "billing": False,
    "timeout": True,
    "server_error": True,
    "connection": True,
    "truncated": True,
    "malformed": False,
    "denied": False,
    "invalid_request": False,
    "other": False,
}
STATUSES = {
    400: "invalid_request",
    401: "denied",
    402: "billing",
    403: "denied",
    404: "invalid_request",
    408: "timeout",
    409: "invalid_request",
    413: "invalid_request",
    418: "invalid_request",
    424: "invalid_request",
    429: "rate_limited",
    499: "invalid_request",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    520: "server_error",
    529: "overloaded",
    599: "server_error",
}


def test_the_table_of_types_is_the_contract_s_and_nothing_else() -> None:
    assert {**CLAUDE_API, **BEDROCK, **OWN} == statuses.ERROR_TYPES


def test_the_table_of_codes_is_the_contract_s_and_nothing_else() -> None:
    assert CODES == statuses.FAILURE_BY_CODE
    assert set() == statuses.OTHER_CODES & set(CODES)


def test_the_failures_are_the_contract_s_and_so_is_which_are_worth_a_retry() -> None:
    assert set(WORTH_A_RETRY) == set(names.FAILURES)
    assert {failure for failure, worth in WORTH_A_RETRY.items() if worth} == statuses.RETRYABLE


def test_every_failure_can_happen() -> None:
    by_type = {failure for _, failure in statuses.ERROR_TYPES.values()}
    assert {*WORTH_A_RETRY} - {"other"} == by_type
    assert "other" == statuses.failure_of("quantum_flux_error")


@pytest.mark.parametrize("name", BEDROCK)
def test_the_names_of_aws_match_whatever_the_case_of_their_first_letter(name: str) -> None:
    assert BEDROCK[name] == statuses.documented(name)
    assert BEDROCK[name] == statuses.documented(name[0].upper() + name[1:])
    assert None is statuses.documented(name.upper())


@pytest.mark.parametrize("name", ["", "O", "_OTHER", "529", "overloaded", "Error"])
def test_what_nobody_documents_has_no_row(name: str) -> None:
    assert None is statuses.documented(name)


@pytest.mark.parametrize(("status", "failure"), STATUSES.items())
def test_where_the_type_is_unknown_the_status_says_which_failure_it_is(status: int, failure: str) -> None:
    assert failure == statuses.failure_of("quantum_flux_error", status)
    assert failure == statuses.failure_of_status(status)


@pytest.mark.parametrize("status", [100, 200, 299])
def test_a_status_below_300_is_no_failure(status: int) -> None:
    assert None is statuses.failure_of_status(status)
    assert "other" == statuses.failure_of("quantum_flux_error", status)


def test_without_a_status_an_unknown_type_is_other() -> None:
    assert "other" == statuses.failure_of("quantum_flux_error", None, None)
    assert "overloaded" == statuses.failure_of("quantum_flux_error", None, 529)


@pytest.mark.parametrize("code", CODES)
def test_the_code_decides_before_the_type_and_the_status(code: str) -> None:
    types = [*CLAUDE_API, *BEDROCK, *OWN, "quantum_flux_error"]
    for error_type, status in itertools.product(types, [None, 400, 401, 429, 529]):
        assert CODES[code] == statuses.failure_of(error_type, status, code=code, original_status=529)


@pytest.mark.parametrize("code", [*sorted(statuses.OTHER_CODES), "a_code_of_tomorrow"])
def test_a_code_that_says_no_more_than_its_type_leaves_the_decision_to_the_type(code: str) -> None:
    assert "invalid_request" == statuses.failure_of("invalid_request_error", 529, code=code)
    assert "overloaded" == statuses.failure_of("quantum_flux_error", 529, code=code)


@pytest.mark.parametrize("error_type", [*CLAUDE_API, *BEDROCK, *OWN])
def test_the_type_decides_before_any_status(error_type: str) -> None:
    for status in (None, 400, 401, 402, 429, 500, 529):
        assert {**CLAUDE_API, **BEDROCK, **OWN}[error_type][1] == statuses.failure_of(error_type, status)


@pytest.mark.parametrize(
    ("original", "expected"),
    [(529, "overloaded"), (503, "overloaded"), (500, "server_error"), (429, "server_error"), (None, "server_error")],
)
def test_what_the_model_behind_bedrock_answered_may_say_that_it_was_overloaded(
    original: int | None, expected: str
) -> None:
    assert expected == statuses.failure_of("modelStreamErrorException", original_status=original)


@pytest.mark.parametrize(
    ("error_type", "expected"),
    [
        ("model_overloaded_error", "overloaded"),
        ("model_rate_limited_error", "rate_limited"),
        ("model_request_failed_error", "other"),
    ],
)
def test_the_errors_of_a_session_of_agents_are_known_by_their_names(error_type: str, expected: str) -> None:
    assert expected == statuses.failure_of(error_type)
    assert "server_error" == statuses.failure_of(error_type, 500)


@pytest.mark.parametrize("code", [*CODES, *sorted(statuses.OTHER_CODES)])
def test_a_documented_code_is_known(code: str) -> None:
    assert statuses.is_documented_code(code)
    assert not statuses.is_documented_code(code.upper())
