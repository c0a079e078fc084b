# SPDX-License-Identifier: Apache-2.0
"""How a report writes times, shares and lengths."""

from __future__ import annotations

import datetime
from collections.abc import Callable


def _utc(time: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc)


def clock(time: float) -> str:
    """Returns a time of the clock in UTC, as in 2026-11-29 12:03:05 UTC."""
    return f"{_utc(time):%Y-%m-%d %H:%M:%S UTC}"


def between(begin: float, end: float) -> str:
    """Returns two times of the clock, as in 2026-11-29 12:03:05 to 12:04:00 UTC; the second date where it differs."""
    first, last = _utc(begin), _utc(end)
    form = "%H:%M:%S UTC" if first.date() == last.date() else "%Y-%m-%d %H:%M:%S UTC"
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:{form}}"


def short_clock(begin: float, end: float) -> Callable[[float], str]:
    """Returns what writes the times of a table, in UTC: without the date where all times are of one day."""
    form = "%H:%M:%S" if _utc(begin).date() == _utc(end).date() else "%m-%d %H:%M:%S"
    return lambda time: f"{_utc(time):{form}}"


def share(part: float, whole: float) -> str:
    """Returns a share in percent, with so many places that it is not 0 % or 100 % unless it is exactly."""
    if not whole:
        return "-"
    text = f"{part / whole:.1%}"
    if text == "0.0%" and part:
        return "below 0.1%"
    return "above 99.9%" if text == "100.0%" and part < whole else text


def length(step: float) -> str:
    """Returns the length of a step in words, as in minute or 30 seconds."""
    for seconds, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if step >= seconds and step % seconds == 0:
            return word if step == seconds else f"{step / seconds:.0f} {word}s"
    return "second" if step == 1 else f"{step:.0f} seconds"


def by_step(step: float) -> str:
    """Returns how a list goes from step to step, as in by minute or in steps of 30 seconds."""
    words = length(step)
    return f"in steps of {words}" if words[0].isdigit() else f"by {words}"


def each_step(step: float) -> str:
    """Returns one of the steps, as in each minute or each step of 30 seconds."""
    words = length(step)
    return f"each step of {words}" if words[0].isdigit() else f"each {words}"


def span(seconds: float) -> str:
    """Returns the length of a time in words, as in 1 minute or 90 seconds."""
    words = length(seconds)
    return words if words[0].isdigit() else f"1 {words}"


def calls(number: int) -> str:
    """Returns a number of calls in words."""
    return f"{number} call" if number == 1 else f"{number} calls"
