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
_S = TypeVar("_S")

reported: Final[set[str]] = set()
"""The places that a warning was logged for. Who empties it, as a test may, is warned again."""

_in_finalizers: Final[dict[str, Exception]] = {}
"""The places of faults in finalizers that have not been logged yet → what was raised there last."""


def warn_once(place: str, message: str, *args: object, exc_info: bool | Exception = False) -> None:
    """One warning for `place`, however often it happens there."""
    if place in reported:
        return
    reported.add(place)
    try:
        logger.warning(message, *args, exc_info=exc_info)
    except Exception:  # A handler of the application's that raises is no reason to fail its call.
        return


def report_fault(place: str, exception: Exception | None = None) -> None:
    """Logs `exception`, or the one that is being handled, once for `place`."""
    warn_once(
        place,
        "after200 failed in %s. The call goes on, but its telemetry may be incomplete.",
        place,
        exc_info=exception or True,
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


def guarded_feed(function: Callable[[_S, bytes], None]) -> Callable[[_S, bytes], None]:
    """`guarded`, for what is called for each piece of a body: without the time that any number of arguments takes."""
    place = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def guard(self: _S, chunk: bytes) -> None:
        try:
            function(self, chunk)
        except Exception:
            report_fault(place)

    return guard


def guarded_until_done(function: Callable[_P, bool]) -> Callable[_P, None]:
    """`guarded`, and called once more unless it returned True: for what must not be left undone by a fault of ours."""
    guarded_function = guarded(function)

    @functools.wraps(function)
    def guard(*args: _P.args, **kwargs: _P.kwargs) -> None:
        if not guarded_function(*args, **kwargs):
            guarded_function(*args, **kwargs)

    return guard


def guarded_in_finalizer(function: Callable[_P, object]) -> Callable[_P, None]:
    """`function`, called once more where it raises, for a finalizer to call or to be. It must be safe to call twice.

    A finalizer can run inside anybody's lock, and to log takes locks. So a fault is kept for `report_finalizers`,
    without its frames, which would keep alive what is being finalized.
    """
    place = f"{function.__module__}.{function.__qualname__}"

    def keep(fault: Exception) -> None:
        fault.__traceback__ = fault.__context__ = None
        _in_finalizers[place] = fault

    @functools.wraps(function)
    def guard(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as fault:
            keep(fault)
            try:
                function(*args, **kwargs)
            except Exception as again:
                keep(again)

    return guard


def report_finalizers() -> None:
    """Logs what finalizers have raised since this was called last."""
    while _in_finalizers:
        try:
            place, fault = _in_finalizers.popitem()
        except KeyError:  # Another thread was faster.
            return
        report_fault(place, fault)
