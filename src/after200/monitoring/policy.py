# SPDX-License-Identifier: Apache-2.0
"""What is worth waking somebody for: every threshold, target, window and selector of the rules and dashboards, once.

Change a number here, or with `python -m after200.monitoring --set name=value`; nothing else repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

from after200 import names
from after200.monitoring.naming import label


@dataclass(frozen=True)
class BurnWindow:
    """One line of the multi-window, multi-burn-rate table: both windows must burn faster than `factor`."""

    severity: str
    long: str
    short: str
    factor: float
    hold: str


BURN_WINDOWS: Final = (
    BurnWindow("critical", "1h", "5m", 14.4, "2m"),
    BurnWindow("critical", "6h", "30m", 6.0, "15m"),
    BurnWindow("warning", "1d", "2h", 3.0, "1h"),
    BurnWindow("warning", "3d", "6h", 1.0, "3h"),
)
"""For a period of 30 days: 2 % of the budget in an hour, 5 % in 6 hours, 10 % in a day, 10 % in 3 days."""

RATIO_WINDOWS: Final = ("30m", "1h", "2h", "6h", "1d", "3d")
"""The windows, beside the shortest, for which the share of bad calls is recorded."""


@dataclass(frozen=True)
class Policy:
    """The numbers. A share is of the calls that were judged, unless it says otherwise."""

    window: str = "5m"
    """How far back the symptom alerts look."""
    memory: str = "1h"
    """How long a series may have been away (a Prometheus restart, a lost scrape) and still not count as young."""

    hidden_warning: float = 0.01
    hidden_critical: float = 0.05
    overloaded_warning: float = 0.01
    overloaded_critical: float = 0.10
    rate_limited_warning: float = 0.01
    rate_limited_critical: float = 0.10
    truncated_warning: float = 0.01
    truncated_critical: float = 0.05
    abandoned_warning: float = 0.01
    """Share of all calls, however they ended."""
    minimum_calls: int = 20
    """A share of fewer calls than this, per window, never pages. It still warns: the first overload is seen."""
    critical_hold: str = "2m"

    stall_seconds: float = 10.24
    """A stream whose longest gap is above this has stalled. Must be a bucket boundary of the histogram."""
    stalled_warning: float = 0.05
    minimum_streams: int = 10
    stuck_hold: str = "15m"
    """Streams open all this time while no call ends are stuck."""

    refused_warning: float = 0.34
    """Share of attempts answered with something the SDK retries: 0.34 means about 1.5 attempts per answer."""
    minimum_attempts: int = 20
    refused_hold: str = "2m"

    slo_target: float = 0.99
    slo_period: str = "30d"
    slo_minimum_calls: int = 50
    """Fewer calls than this in the long window never burn the budget."""

    absent_memory: str = "6h"
    absent_hold: str = "15m"

    runbooks: str = "https://github.com/after200/after200/blob/main/dashboards/runbooks"
    """Where the pages of `dashboards/runbooks` can be read: the start of every `runbook_url`."""

    def __post_init__(self) -> None:
        if self.stall_seconds not in (names.LONGEST_GAP.buckets or ()):
            raise ValueError(
                f"stall_seconds={self.stall_seconds} is no bucket boundary of {names.LONGEST_GAP.name}: "
                f"accepted are {names.LONGEST_GAP.buckets}"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and field.name != "stall_seconds" and not 0 < value < 1:
                raise ValueError(f"{field.name}={value} must be a share between 0 and 1")

    @property
    def error_budget(self) -> float:
        """The share of calls that may go wrong."""
        return round(1 - self.slo_target, 10)


def with_settings(policy: Policy, settings: list[str]) -> Policy:
    """The policy with `name=value` settings applied; a wrong one raises ValueError and says what is accepted."""
    known = {field.name: type(getattr(policy, field.name)) for field in fields(policy)}
    changes: dict[str, object] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            raise ValueError(f"cannot set {setting!r}: accepted is name=value with one of {', '.join(known)}")
        try:
            changes[name] = known[name](text)
        except ValueError:
            raise ValueError(f"cannot set {name} to {text!r}: {known[name].__name__} expected") from None
    return replace(policy, **changes)  # type: ignore[arg-type]


# --- selectors -------------------------------------------------------------------------------------------------------

LEVEL: Final = ("job", label(names.PROVIDER_NAME), label(names.REQUEST_MODEL))
"""What an alert is about: one model of one provider, as one job uses it."""

JUDGED: Final = ("completed", "failed", "truncated")
"""Outcomes that say something about the provider. The other three are the application's own doing."""

ERRORS: Final = ("failed", "truncated")
LEFT_BY_THE_APPLICATION: Final = ("closed", "cancelled", "abandoned")

CALLER_FAULTS: Final = ("invalid_request", "denied")
"""Failures that no provider can be blamed for: they do not burn the error budget."""

BELOW_400: Final = "[123].."
RETRIED_STATUSES: Final = "408|409|429|5..|"
"""What the SDK sends again; the empty end stands for an attempt without any response."""
