# SPDX-License-Identifier: Apache-2.0
"""How many different names a process records: section 5 of the contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from after200 import names
from after200.call.ended import Verdict, ended
from after200.names import errors
from after200.signals import bounds
from after200.signals.bounds import Bounds, bounded

from .calls import new_call


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "_OTHER"),
        ("overloaded_error", "overloaded_error"),
        ("ThrottlingException", "ThrottlingException"),
        ("connection_error", "connection_error"),
        ("529", "529"),
        ("quantum_flux_error", "quantum_flux_error"),
        ("_OTHER", "_OTHER"),
    ],
)
def test_an_error_type_is_recorded_as_it_came(name: str | None, expected: str) -> None:
    assert expected == Bounds().error_type(name)


def test_fifty_types_that_nobody_documents_are_recorded_and_those_that_are_known_always() -> None:
    kept = Bounds()
    found = [kept.error_type(f"type_{number}") for number in range(60)]
    assert [f"type_{number}" for number in range(50)] + ["_OTHER"] * 10 == found
    for known in ("type_7", "418", *errors.ERROR_TYPES, "ServiceUnavailableException"):
        assert known == kept.error_type(known)
    assert "_OTHER" == kept.error_type("type_55")


@pytest.mark.parametrize("name", ["200", "399", "5290", "52", "5x9"])
def test_what_is_no_error_status_takes_a_place_of_its_own(name: str) -> None:
    kept = Bounds()
    for number in range(50):
        kept.error_type(f"type_{number}")
    assert "_OTHER" == kept.error_type(name)


def test_documented_types_and_codes_use_up_no_place() -> None:
    kept = Bounds()
    for error_type in (*errors.ERROR_TYPES, *map(str, range(400, 600)), None):
        kept.error_type(error_type)
    for code in (*errors.FAILURE_BY_CODE, *errors.OTHER_CODES, None):
        kept.error_code(code)
    assert [f"t{number}" for number in range(50)] == [kept.error_type(f"t{number}") for number in range(50)]
    assert [f"c{number}" for number in range(50)] == [kept.error_code(f"c{number}") for number in range(50)]


def test_fifty_codes_that_nobody_documents_are_recorded_and_those_that_are_known_always() -> None:
    kept = Bounds()
    found = [kept.error_code(f"code_{number}") for number in range(60)]
    assert [f"code_{number}" for number in range(50)] + ["_OTHER"] * 10 == found
    for known in ("code_7", *errors.FAILURE_BY_CODE, *errors.OTHER_CODES):
        assert known == kept.error_code(known)
    assert None is kept.error_code(None)


MODELS: list[Callable[[Bounds, str | None], str | None]] = [
    Bounds.model,
    Bounds.response_model,
    lambda kept, name: kept.value(names.TOOL_NAME, name),
]


@pytest.mark.parametrize("admit", MODELS)
def test_a_hundred_of_anything_else_are_recorded(admit: Callable[[Bounds, str | None], str | None]) -> None:
    kept = Bounds()
    found = [admit(kept, f"name_{number}") for number in range(110)]
    assert [f"name_{number}" for number in range(100)] + ["_OTHER"] * 10 == found
    assert ("name_7", None) == (admit(kept, "name_7"), admit(kept, None))


def test_each_bound_is_its_own() -> None:
    kept = Bounds()
    for number in range(200):
        kept.model(f"model_{number}")
        kept.value(names.TOOL_NAME, f"tool_{number}")
    assert ("m", "reason", "code", "type") == (
        kept.response_model("m"),
        kept.value(names.STOP_REASON, "reason"),
        kept.error_code("code"),
        kept.error_type("type"),
    )


def test_the_record_that_the_signals_read_is_bounded_in_its_type_and_code_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "BOUNDS", Bounds())
    for number in range(50):
        bounds.BOUNDS.error_type(f"type_{number}")
        bounds.BOUNDS.error_code(f"code_{number}")
    verdict = Verdict("failed", phase="request", error_type="one_more", error_code="one_more", failure="other")
    call = ended(new_call(), verdict, 101.0, by_the_wire=True)
    expected = call._replace(verdict=verdict._replace(error_type="_OTHER", error_code="_OTHER"))
    assert expected == bounded(call)


def test_a_call_without_an_error_is_as_it_was() -> None:
    call = ended(new_call(), Verdict("completed", "complete"), 101.0, by_the_wire=True)
    assert call is bounded(call)
