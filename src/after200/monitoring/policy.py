# SPDX-License-Identifier: Apache-2.0
"""What is worth waking somebody for: every threshold, target, window and selector of the rules and dashboards, once.

Change a number here, or with `python -m after200.monitoring --set name=value`; nothing else repeats it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Final

from after200 import names
from after200.monitoring.naming import label


DURATIONS: Final = (
    "window",
    "fast_window",
    "memory",
    "critical_hold",
    "stuck_hold",
    "refused_hold",
    "answers_hold",
    "limit_hold",
    "slo_period",
    "absent_memory",
    "absent_hold",
)
"""The fields of `Policy` that are durations of Prometheus."""

UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def seconds(duration: str) -> float:
    """A duration of Prometheus (`5m`, `1h30m`) in seconds."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


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
    """A Prometheus duration: how far back the symptom alerts look."""
    fast_window: str = "1m"
    """A Prometheus duration: how far back an alert looks to page soon after a storm begins, and to resolve soon after
    it ends. At least one scrape interval, and a good deal shorter than `window`."""
    memory: str = "1h"
    """A Prometheus duration: how long series may have been away (a Prometheus restart, a lost scrape) and still not
    count as new."""
    recorded_from: int = 20_000
    """From so many series of calls on, the dashboards read what the rules have recorded instead of the series."""

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
    minimum_failures: int = 3
    """Fewer failures than this never page, whatever their share (except billing errors)."""
    critical_hold: str = "15s"
    """A Prometheus duration: for how long the condition for a page has to hold."""

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

    refusals_warning: float = 0.05
    """Share of the answers of completed calls, like the next one."""
    cut_warning: float = 0.10
    minimum_answers: int = 20
    """A share of fewer answers than this, per window, never warns."""
    answers_hold: str = "2m"
    usable_target: float = 0.95
    """The share of answers from which on the dashboards show it in green."""
    tools_warning: float = 0.25
    """Share of the results of one server tool that report an error."""
    minimum_tool_calls: int = 10
    limit_warning: float = 0.90
    """Share of a rate limit that is used up."""
    limit_hold: str = "2m"

    slo_target: float = 0.99
    slo_period: str = "30d"
    slo_minimum_calls: int = 50
    """Fewer calls than this in the long window never burn the budget."""

    absent_memory: str = "6h"
    absent_hold: str = "15m"

    runbooks: str = "https://github.com/after200/after200/blob/main/dashboards/runbooks"
    """Where the pages of `dashboards/runbooks` can be read: the start of every `runbook_url`."""
    grafana: str = "http://localhost:3000"
    """Where the dashboards can be seen: the start of every `dashboard_url`, which leads from an alert to its panel."""

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
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{field.name}={value} must be a whole number, 1 or more")
            if field.name in DURATIONS and not re.fullmatch(r"([1-9][0-9]*(ms|[smhdwy]))+", value):
                raise ValueError(f"{field.name}={value} must be a duration of Prometheus, such as 30s, 5m or 1h30m")
        if seconds(self.fast_window) >= seconds(self.window):
            raise ValueError(f"fast_window={self.fast_window} must be shorter than window={self.window}")

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

CALLER_FAULTS: Final = ("invalid_request", "denied", "billing")
"""Failures that no provider can be blamed for: they do not burn the error budget."""

USABLE_ANSWERS: Final = ("complete", "paused")
"""Answers that the application can use, or can ask to be continued."""

BELOW_400: Final = "[123].."
RETRIED_STATUSES: Final = "408|409|429|5..|"
"""What the SDK sends again; the empty end stands for an attempt without any response."""
