# SPDX-License-Identifier: Apache-2.0
"""What is worth waking somebody for: every threshold, target, window and selector of the rules and dashboards, once.

Change a number here, or with `python -m after200.monitoring --set name=value`; nothing else repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from after200 import names
from after200.monitoring.naming import label

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


Kind = Literal["share", "count", "duration", "boundary", "url"]


def setting(default: Any, kind: Kind, says: str) -> Any:
    """A field of the policy: its default, what values it accepts, and what it says."""
    return field(default=default, metadata={"kind": kind, "says": says})


@dataclass(frozen=True)
class Policy:
    """The numbers. A share is of the calls that were judged, unless it says otherwise."""

    window: str = setting("5m", "duration", "how far back the symptom alerts look")
    fast_window: str = setting(
        "1m",
        "duration",
        "how far back an alert looks to page soon after a storm begins, and to resolve soon after it ends; at least "
        "one scrape interval, and shorter than window",
    )
    memory: str = setting(
        "1h",
        "duration",
        "how long series may have been away (a Prometheus restart, a lost scrape) and still not count as new",
    )
    recorded_from: int = setting(
        20_000,
        "count",
        "from so many series of calls on, the dashboards read what the rules have recorded instead of the series",
    )

    hidden_warning: float = setting(0.01, "share", "ClaudeHiddenFailures warns")
    hidden_critical: float = setting(0.05, "share", "ClaudeHiddenFailures pages")
    overloaded_warning: float = setting(0.01, "share", "ClaudeOverloaded warns")
    overloaded_critical: float = setting(0.10, "share", "ClaudeOverloaded pages")
    rate_limited_warning: float = setting(0.01, "share", "ClaudeRateLimited warns")
    rate_limited_critical: float = setting(0.10, "share", "ClaudeRateLimited pages")
    truncated_warning: float = setting(0.01, "share", "ClaudeTruncatedStreams warns")
    truncated_critical: float = setting(0.05, "share", "ClaudeTruncatedStreams pages")
    abandoned_warning: float = setting(0.01, "share", "ClaudeAbandonedStreams warns; of all calls, however they ended")
    minimum_calls: int = setting(
        20,
        "count",
        "a share of fewer calls than this, per window, never pages; it still warns: the first overload is seen",
    )
    minimum_failures: int = setting(3, "count", "fewer failures than this never page, but for ClaudeBilling")
    critical_hold: str = setting("15s", "duration", "for how long the condition for a page has to hold")

    stall_seconds: float = setting(
        10.24,
        "boundary",
        "a stream whose longest gap is above this, in s, has stalled; a bucket boundary of the histogram",
    )
    stalled_warning: float = setting(0.05, "share", "ClaudeStreamStalls warns; of all streams")
    minimum_streams: int = setting(10, "count", "a share of fewer streams than this, per window, never warns")
    stuck_hold: str = setting("15m", "duration", "streams that are open all this time while no call ends are stuck")

    refused_warning: float = setting(
        0.34,
        "share",
        "ClaudeRetryStorm warns; of all attempts, those answered with something the SDK retries: 0.34 means about 1.5 "
        "attempts per answer",
    )
    minimum_attempts: int = setting(20, "count", "a share of fewer attempts than this, per window, never warns")
    refused_hold: str = setting("2m", "duration", "for how long ClaudeRetryStorm's condition has to hold")

    refusals_warning: float = setting(0.05, "share", "ClaudeRefusals warns; of the answers of completed calls")
    cut_warning: float = setting(0.10, "share", "ClaudeAnswersCut warns; of the answers of completed calls")
    minimum_answers: int = setting(20, "count", "a share of fewer answers than this, per window, never warns")
    answers_hold: str = setting(
        "2m", "duration", "for how long the conditions on answers and server tools have to hold"
    )
    usable_target: float = setting(0.95, "share", "the share of usable answers that the dashboards show in green")
    tools_warning: float = setting(0.25, "share", "ClaudeServerToolsFail warns; of the results of one server tool")
    minimum_tool_calls: int = setting(10, "count", "a share of fewer results than this, per window, never warns")
    limit_warning: float = setting(0.90, "share", "ClaudeRateLimitNear warns; of a rate limit")
    limit_hold: str = setting("2m", "duration", "for how long ClaudeRateLimitNear's condition has to hold")

    slo_target: float = setting(0.99, "share", "the objective: the share of calls that should complete")
    slo_period: str = setting("30d", "duration", "the period of the objective")
    slo_minimum_calls: int = setting(50, "count", "fewer calls than this in the long window never burn the budget")

    absent_memory: str = setting("6h", "duration", "a job that has reported calls within this time should report some")
    absent_hold: str = setting("15m", "duration", "for how long telemetry has to be absent")

    runbooks: str = setting(
        "https://github.com/after200/after200/blob/main/dashboards/runbooks",
        "url",
        "where the pages of runbooks/ can be read: the start of every runbook_url",
    )
    grafana: str = setting(
        "http://localhost:3000",
        "url",
        "where the dashboards can be seen: the start of every dashboard_url, which leads from an alert to its panel",
    )

    def __post_init__(self) -> None:
        for name, value in values_of(self).items():
            if complaint := COMPLAINTS[KINDS[name]](value):
                raise ValueError(f"{name}={value} {complaint}")
        if seconds(self.fast_window) >= seconds(self.window):
            raise ValueError(f"fast_window={self.fast_window} must be shorter than window={self.window}")

    @property
    def error_budget(self) -> float:
        """The share of calls that may go wrong."""
        return round(1 - self.slo_target, 10)


KINDS: Final[dict[str, Kind]] = {one.name: one.metadata["kind"] for one in fields(Policy)}
"""Every setting → what kind of value it takes."""
COMPLAINTS: Final[dict[Kind, Callable[[Any], str | None]]] = {
    "share": lambda value: None if 0 < value < 1 else "must be a share between 0 and 1",
    "count": lambda value: None if value >= 1 else "must be a whole number, 1 or more",
    "duration": lambda value: (
        None
        if re.fullmatch(r"([1-9][0-9]*(ms|[smhdwy]))+", value)
        else "must be a duration of Prometheus, such as 30s, 5m or 1h30m"
    ),
    "boundary": lambda value: (
        None
        if value in (names.LONGEST_GAP.buckets or ())
        else f"is no bucket boundary of {names.LONGEST_GAP.name}: accepted are {names.LONGEST_GAP.buckets}"
    ),
    "url": lambda value: (
        None if re.match(r"https?://", value) else "must be a URL that begins with http:// or https://"
    ),
}
"""What is wrong with a value of each kind, or None."""


def values_of(policy: Policy) -> dict[str, Any]:
    """Every setting with its value."""
    return {one.name: getattr(policy, one.name) for one in fields(policy)}


def describe_settings() -> str:
    """One line for each setting: its name, its default, and what it says."""
    rows = [(one.name, str(one.default), str(one.metadata["says"])) for one in fields(Policy)]
    widths = [max(len(row[column]) for row in rows if row[2] and len(row[column]) < 40) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {default:<{widths[1]}}  {says}" for name, default, says in rows)


def with_settings(policy: Policy, settings: list[str]) -> Policy:
    """The policy with `name=value` settings applied; a wrong one raises ValueError and says what is accepted."""
    known = {name: type(value) for name, value in values_of(policy).items()}
    changes: dict[str, object] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            raise ValueError(f"cannot set {setting!r}: accepted is name=value with one of {', '.join(known)}")
        try:
            changes[name] = known[name](text)
        except ValueError:
            kind = {int: "a whole number", float: "a number"}[known[name]]
            default = getattr(Policy(), name)
            raise ValueError(f"cannot set {name} to {text!r}; write {kind}, as in {name}={default}") from None
    return replace(policy, **changes)  # type: ignore[arg-type]


# --- selectors -------------------------------------------------------------------------------------------------------

LEVEL: Final = ("job", names.PROVIDER_NAME, names.REQUEST_MODEL)
"""What an alert is about: one model of one provider, as one job uses it."""
ON_LEVEL: Final = f"on ({', '.join(map(label, LEVEL))})"
"""PromQL: joins series of this level."""

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
