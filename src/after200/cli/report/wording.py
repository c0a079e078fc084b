# SPDX-License-Identifier: Apache-2.0
"""How a report writes times, shares and lengths."""

from __future__ import annotations

import datetime


def clock(time: float, *, seconds: bool = True) -> str:
    """Returns a time of the clock in UTC, as in 2026-11-29 12:03:05 UTC."""
    form = "%Y-%m-%d %H:%M:%S UTC" if seconds else "%H:%M:%S"
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime(form)


def share(part: float, whole: float) -> str:
    """Returns a share in percent, with so many places that it is not 0 % or 100 % unless it is exactly."""
    if not whole:
        return "-"
    text = f"{part / whole:.1%}"
    if text == "0.0%" and part:
        return "below 0.1%"
    return "above 99.9%" if text == "100.0%" and part < whole else text


def length(step: float) -> str:
    """Returns the length of a step in words."""
    for seconds, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if step >= seconds and step % seconds == 0:
            return word if step == seconds else f"{step / seconds:.0f} {word}s"
    return "second" if step == 1 else f"{step:.0f} seconds"
