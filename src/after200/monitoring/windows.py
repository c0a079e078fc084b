# SPDX-License-Identifier: Apache-2.0
"""Durations as Prometheus writes them, and the windows of the error budget: one table, from which rules are derived."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
WRITTEN_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
"""The units that `duration_of` writes, each in milliseconds, the longest first."""


def seconds(duration: str) -> float:
    """A duration of Prometheus (`5m`, `1h30m`) in seconds."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


def duration_of(length: float) -> str:
    """Seconds as a duration of Prometheus. Equal lengths give equal texts: 300 and 5 * 60 both give `5m`."""
    rest, text = round(length * 1000), ""
    for unit, milliseconds in WRITTEN_UNITS:
        whole, rest = divmod(rest, milliseconds)
        text += f"{whole}{unit}" if whole else ""
    return text or "0s"


def canonical(duration: str) -> str:
    """The same duration in the one text that all durations of its length have."""
    return duration_of(seconds(duration))


@dataclass(frozen=True)
class BurnWindow:
    """One line of the multi-window, multi-burn-rate table: both windows must burn faster than `factor`."""

    severity: str
    long: str
    short: str
    factor: float
    hold: str

    @property
    def half(self) -> str:
        """Half of the long window: a job must have data from before this time for the long window to be judged."""
        return duration_of(seconds(self.long) / 2)


BURN_WINDOWS: Final = (
    BurnWindow("critical", "1h", "5m", 14.4, "0s"),
    BurnWindow("critical", "6h", "30m", 6.0, "0s"),
    BurnWindow("warning", "1d", "2h", 3.0, "1h"),
    BurnWindow("warning", "3d", "6h", 1.0, "3h"),
)
"""For a period of 30 days: 2 % of the budget in an hour, 5 % in 6 hours, 10 % in a day, 10 % in 3 days."""

SHORTEST_LONG: Final = min((burn.long for burn in BURN_WINDOWS), key=seconds)


def burn_windows(window: str) -> tuple[BurnWindow, ...]:
    """The table, for rules whose shortest recorded share is that of `window`: no window is shorter than it."""
    longer = (replace(burn, short=max(burn.short, window, key=seconds)) for burn in BURN_WINDOWS)
    return tuple(replace(burn, short=canonical(burn.short), long=canonical(burn.long)) for burn in longer)


def distinct(durations: Iterable[str]) -> list[str]:
    """Each length once, the shortest first, in its canonical text."""
    return sorted(set(map(canonical, durations)), key=seconds)
