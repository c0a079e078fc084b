# SPDX-License-Identifier: Apache-2.0
"""A fault of ours never becomes the application's: it is logged once per place and swallowed.

Everything that the patches call of this package goes through `guarded`. Only `Exception` is caught: an interrupt or
the exit of the process is the application's.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

logger = logging.getLogger("after200")

_P = ParamSpec("_P")
_R = TypeVar("_R")

reported: Final[set[str]] = set()
"""The places that a warning was logged for. Who empties it, as a test may, is warned again."""


def warn_once(place: str, message: str, *args: object, exc_info: bool = False) -> None:
    """One warning for `place`, however often it happens there."""
    if place in reported:
        return
    reported.add(place)
    try:
        logger.warning(message, *args, exc_info=exc_info)
    except Exception:  # A handler of the application's that raises is no reason to fail its call.
        return


def report_fault(place: str) -> None:
    """Logs the exception that is being handled, once for `place`."""
    warn_once(
        place, "after200 failed in %s. The call goes on, but its telemetry may be incomplete.", place, exc_info=True
    )


def guarded(function: Callable[_P, _R]) -> Callable[_P, _R | None]:
    """`function`, which answers `None` where it would have raised."""
    place = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def guard(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        try:
            return function(*args, **kwargs)
        except Exception:
            report_fault(place)
            return None

    return guard


def guarded_until_done(function: Callable[_P, bool]) -> Callable[_P, None]:
    """`guarded`, and called once more unless it returned True: for what must not be left undone by a fault of ours."""
    guarded_function = guarded(function)

    @functools.wraps(function)
    def guard(*args: _P.args, **kwargs: _P.kwargs) -> None:
        if not guarded_function(*args, **kwargs):
            guarded_function(*args, **kwargs)

    return guard
