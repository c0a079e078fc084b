# SPDX-License-Identifier: Apache-2.0
"""A fault of ours is logged once for each place and goes no further."""

from __future__ import annotations

import logging
import weakref

import pytest

from after200 import guard
from after200.guard import guarded, guarded_in_finalizer, report_finalizers, warn_once


@guarded
def broken(message: str) -> str:
    """Raises."""
    raise ValueError(message)


@guarded
def broken_too() -> None:
    raise LookupError("elsewhere")


def test_what_does_not_raise_is_as_it_was() -> None:
    @guarded
    def whole(left: int, *, right: int) -> int:
        """Adds."""
        return left + right

    assert 3 == whole(1, right=2)
    assert ("whole", "Adds.") == (whole.__name__, whole.__doc__)


def test_a_fault_is_swallowed_and_logged_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    assert [None, None, None] == [broken("first"), broken("second"), broken_too()]
    assert [
        (
            "after200",
            "WARNING",
            f"after200 failed in {__name__}.{place}. The call goes on, but its telemetry may be incomplete.",
        )
        for place in ("broken", "broken_too")
    ] == [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert "ValueError: first" in caplog.text


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_the_application_s_to_see_is_not_swallowed(exception: type[BaseException]) -> None:
    @guarded
    def interrupted() -> None:
        raise exception

    with pytest.raises(exception):
        interrupted()


def test_a_handler_of_the_application_s_that_raises_does_no_harm() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("a handler")

    handler = Broken()
    guard.logger.addHandler(handler)
    try:
        assert None is broken("x")
    finally:
        guard.logger.removeHandler(handler)


def test_a_warning_is_given_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        warn_once("here", "%s is odd", "this")
        warn_once("there", "that is odd")
    assert ["this is odd", "that is odd"] == caplog.messages


class Dropped:
    """An object whose finalizer raises `faults` times, and counts how often it was called."""

    def __init__(self, faults: int, calls: list[int]) -> None:
        self.faults = faults
        self.calls = calls

    @guarded_in_finalizer
    def __del__(self) -> None:
        self.calls.append(self.faults)
        if len(self.calls) <= self.faults:
            raise MemoryError(f"fault {len(self.calls)}")


@pytest.mark.parametrize("faults", [1, 2])
def test_a_fault_in_a_finalizer_is_tried_once_more_and_logged_later(
    faults: int, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    dropped = Dropped(faults, calls)
    seen = weakref.ref(dropped)
    del dropped
    assert ([faults] * 2, None, []) == (calls, seen(), caplog.messages)
    report_finalizers()
    report_finalizers()
    place = f"{__name__}.Dropped.__del__"
    assert [f"after200 failed in {place}. The call goes on, but its telemetry may be incomplete."] == caplog.messages
    assert f"MemoryError: fault {faults}" in caplog.text
