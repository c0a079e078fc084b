# SPDX-License-Identifier: Apache-2.0
"""What is looked up in the vocabulary of errors: a failure by its code, its type and its status."""

from __future__ import annotations

import itertools

import pytest

from after200.names import errors

from ..support.contract import BEDROCK, CLAUDE_API, CODES, OWN, STATUSES


@pytest.mark.parametrize("name", BEDROCK)
def test_the_names_of_aws_match_whatever_the_case_of_their_first_letter(name: str) -> None:
    assert BEDROCK[name] == errors.documented(name)
    assert BEDROCK[name] == errors.documented(name[0].upper() + name[1:])
    assert None is errors.documented(name.upper())


@pytest.mark.parametrize("name", ["", "O", "_OTHER", "529", "overloaded", "Error"])
def test_what_nobody_documents_has_no_row(name: str) -> None:
    assert None is errors.documented(name)


@pytest.mark.parametrize(("status", "failure"), STATUSES.items())
def test_where_the_type_is_unknown_the_status_says_which_failure_it_is(status: int, failure: str) -> None:
    assert failure == errors.failure_of("quantum_flux_error", status)
    assert failure == errors.failure_of_status(status)


@pytest.mark.parametrize("status", [100, 200, 299])
def test_a_status_below_300_is_no_failure(status: int) -> None:
    assert None is errors.failure_of_status(status)
    assert "other" == errors.failure_of("quantum_flux_error", status)


def test_without_a_status_an_unknown_type_is_other() -> None:
    assert "other" == errors.failure_of("quantum_flux_error", None, None)
    assert "overloaded" == errors.failure_of("quantum_flux_error", None, 529)


@pytest.mark.parametrize("code", CODES)
def test_the_code_decides_before_the_type_and_the_status(code: str) -> None:
    types = [*CLAUDE_API, *BEDROCK, *OWN, "quantum_flux_error"]
    for error_type, status in itertools.product(types, [None, 400, 401, 429, 529]):
        assert CODES[code] == errors.failure_of(error_type, status, code=code, original_status=529)


@pytest.mark.parametrize("code", [*sorted(errors.OTHER_CODES), "a_code_of_tomorrow"])
def test_a_code_that_says_no_more_than_its_type_leaves_the_decision_to_the_type(code: str) -> None:
    assert "invalid_request" == errors.failure_of("invalid_request_error", 529, code=code)
    assert "overloaded" == errors.failure_of("quantum_flux_error", 529, code=code)


@pytest.mark.parametrize("error_type", [*CLAUDE_API, *BEDROCK, *OWN])
def test_the_type_decides_before_any_status(error_type: str) -> None:
    for status in (None, 400, 401, 402, 429, 500, 529):
        assert {**CLAUDE_API, **BEDROCK, **OWN}[error_type][1] == errors.failure_of(error_type, status)


@pytest.mark.parametrize(
    ("original", "expected"),
    [(529, "overloaded"), (503, "overloaded"), (500, "server_error"), (429, "server_error"), (None, "server_error")],
)
def test_what_the_model_behind_bedrock_answered_may_say_that_it_was_overloaded(
    original: int | None, expected: str
) -> None:
    assert expected == errors.failure_of("modelStreamErrorException", original_status=original)


@pytest.mark.parametrize(
    ("error_type", "expected"),
    [
        ("model_overloaded_error", "overloaded"),
        ("model_rate_limited_error", "rate_limited"),
        ("model_request_failed_error", "other"),
    ],
)
def test_the_errors_of_a_session_of_agents_are_known_by_their_names(error_type: str, expected: str) -> None:
    assert expected == errors.failure_of(error_type)
    assert "server_error" == errors.failure_of(error_type, 500)


@pytest.mark.parametrize("code", [*CODES, *sorted(errors.OTHER_CODES)])
def test_a_documented_code_is_known(code: str) -> None:
    assert errors.is_documented_code(code)
    assert not errors.is_documented_code(code.upper())
