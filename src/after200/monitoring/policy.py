# SPDX-License-Identifier: Apache-2.0
"""What is worth waking somebody for: every threshold, target, window and selector of the rules and dashboards, once.

Change a number here, or with `python -m after200.monitoring --set name=value`; nothing else repeats it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Final

from after200 import names
from after200.monitoring.windows import SHORTEST_LONG, BurnWindow, burn_windows, canonical, distinct, seconds
from after200.names import baggage, errors
from after200.names.prometheus import label


def setting(kind: str, default: Any, says: str) -> Any:
    """A field of the policy: what values it accepts (see `ACCEPTED`), its default, and what it says."""
    return field(default=default, metadata={"kind": kind, "says": says})


share, count, number, duration, boundary, url, severity, severity_or_off, entry = (
    partial(setting, kind)
    for kind in ("share", "count", "number", "duration", "boundary", "url", "severity", "severity_or_off", "entry")
)
hold = partial(setting, "hold")


@dataclass(frozen=True)
class Policy:
    """The numbers. A share is of the calls that were judged, unless it says otherwise."""

    window: str = duration("5m", "how far back the symptom alerts look; shorter than 1h")
    middle_window: str = duration(
        "2m",
        "a second look between fast_window and window, for what is too rare for the first; longer than fast_window",
    )
    fast_window: str = duration(
        "1m",
        "how far back an alert looks to page soon after a storm begins, and to resolve soon after it ends; at least "
        "one scrape interval, and shorter than middle_window",
    )
    memory: str = duration(
        "1h", "how long series may have been away (a Prometheus restart, a lost scrape) and still not count as new"
    )
    recorded_from: int = count(
        20_000,
        "from so many series of calls on, the dashboards read what the rules have recorded instead of the series",
    )

    evidence: float = number(
        2.0,
        "what luck is taken for: of f failures, f - evidence * sqrt(f) must be above the share for a page; more pages "
        "less often, and later",
    )
    hidden_warning: float = share(0.01, "the share of judged calls above which ClaudeHiddenFailures warns")
    hidden_critical: float = share(0.05, "the share of judged calls above which ClaudeHiddenFailures pages")
    overloaded_warning: float = share(0.01, "the share of judged calls above which ClaudeOverloaded warns")
    overloaded_critical: float = share(0.05, "the share of judged calls above which ClaudeOverloaded pages")
    rate_limited_warning: float = share(0.01, "the share of judged calls above which ClaudeRateLimited warns")
    rate_limited_critical: float = share(0.05, "the share of judged calls above which ClaudeRateLimited pages")
    truncated_warning: float = share(0.01, "the share of judged calls above which ClaudeTruncatedStreams warns")
    truncated_critical: float = share(0.05, "the share of judged calls above which ClaudeTruncatedStreams pages")
    server_errors_warning: float = share(0.01, "the share of judged calls above which ClaudeServerErrors warns")
    server_errors_critical: float = share(0.05, "the share of judged calls above which ClaudeServerErrors pages")
    rejected_warning: float = share(0.01, "the share of judged calls above which ClaudeCallsRejected warns")
    rejected_critical: float = share(0.05, "the share of judged calls above which ClaudeCallsRejected pages")
    abandoned_warning: float = share(0.01, "the share of all calls above which ClaudeAbandonedStreams warns")
    warning_failures: int = count(1, "fewer failures than this, per window, never warn")
    critical_hold: str = hold("0s", "for how long the condition for a page has to hold; evidence needs no second look")
    critical_keep: str = duration("2m", "for how long a page goes on after its condition, so that a storm is one page")
    end_calls: int = count(20, "so many calls in fast_window, few of which fail, show that a storm is over")

    down_critical: float = share(0.50, "the share of failed calls, whatever the reason, above which ClaudeDown pages")
    down_failures: int = count(
        5, "ClaudeDown also pages from so many failures in three windows on, when two windows had no success at all"
    )

    stall_seconds: float = boundary(
        10.24, "a stream whose longest gap is above this, in s, has stalled; a bucket boundary of the histogram"
    )
    stalled_warning: float = share(0.05, "the share of all streams above which ClaudeStreamStalls warns")
    minimum_streams: int = count(10, "a share of fewer streams than this, per window, never warns")
    stuck_hold: str = duration("15m", "streams that are open all this time while no call ends are stuck")

    refused_warning: float = share(
        0.34,
        "the share of all attempts, answered with something the SDK retries, above which ClaudeRetryStorm warns: 0.34 "
        "means about 1.5 attempts per answer",
    )
    minimum_attempts: int = count(20, "a share of fewer attempts than this, per window, never warns")
    refused_hold: str = duration("2m", "for how long ClaudeRetryStorm's condition has to hold")

    refusals_warning: float = share(0.05, "the share of the answers that came above which ClaudeRefusals warns")
    cut_warning: float = share(0.10, "the share of the answers that came above which ClaudeAnswersCut warns")
    minimum_answers: int = count(20, "a share of fewer answers than this, per window, never warns")
    answers_hold: str = duration("2m", "for how long the conditions on answers and server tools have to hold")
    usable_target: float = share(0.95, "the share of usable answers that the dashboards show in green")
    tools_warning: float = share(0.25, "the share of a server tool's results above which ClaudeServerToolsFail warns")
    minimum_tool_calls: int = count(10, "a share of fewer results than this, per window, never warns")
    limit_warning: float = share(0.90, "the share of a rate limit above which ClaudeRateLimitNear warns")
    limit_hold: str = duration("2m", "for how long ClaudeRateLimitNear's condition has to hold")

    slo_target: float = share(0.99, "the objective: the share of calls that should complete")
    slo_period: str = duration("30d", "the period of the objective")
    slo_minimum_calls: int = count(50, "fewer calls than this in the long window never burn the budget")

    absent_memory: str = duration("6h", "a job that has reported calls within this time should report some")
    absent_hold: str = duration("15m", "for how long telemetry has to be absent")
    absent_severity: str = severity("warning", "the severity of ClaudeTelemetryAbsent: warning or critical")
    no_traffic_severity: str = severity_or_off("off", "the severity of ClaudeNoTraffic: off, warning or critical")
    no_traffic_calls: int = count(60, "ClaudeNoTraffic is about jobs with at least so many calls in the hour before")
    no_traffic_hold: str = duration("15m", "for how long such a job has to make no call")

    by: str = entry(
        "", "an entry of metric_baggage, such as tenant.id: After the 200 then has a variable and tables by it"
    )
    runbooks: str = url(
        "https://github.com/after200/after200/blob/main/dashboards/runbooks",
        "where the pages of runbooks/ can be read: the start of every runbook_url",
    )
    grafana: str = url(
        "http://localhost:3000",
        "where the dashboards can be seen: the start of every dashboard_url, which leads from an alert to its panel",
    )

    def __post_init__(self) -> None:
        for name, value in values_of(self).items():
            accepts, complaint = ACCEPTED[KINDS[name]]
            if not accepts(value):
                raise ValueError(f"{name}={value} {complaint}")
        for name in WINDOWS:
            object.__setattr__(self, name, canonical(getattr(self, name)))
        for shorter, longer in itertools.pairwise(WINDOWS):
            short, long = getattr(self, shorter), getattr(self, longer)
            if seconds(short) >= seconds(long):
                raise ValueError(f"{shorter}={short} must be shorter than {longer}={long}")
        if seconds(self.window) >= seconds(SHORTEST_LONG):
            raise ValueError(
                f"window={self.window} must be shorter than {SHORTEST_LONG}, as the error budget judges it"
            )

    @property
    def windows(self) -> tuple[str, str, str]:
        """The windows in which symptoms are counted, the shortest first."""
        return self.fast_window, self.middle_window, self.window

    @property
    def burns(self) -> tuple[BurnWindow, ...]:
        """The windows of the error budget's alerts."""
        return burn_windows(self.window)

    @property
    def longer_windows(self) -> list[str]:
        """Every window of the error budget beside `window` itself, each once."""
        every = distinct(window for burn in self.burns for window in (burn.long, burn.short))
        return [window for window in every if window != self.window]

    @property
    def error_budget(self) -> float:
        """The share of calls that may go wrong."""
        return round(1 - self.slo_target, 10)


WINDOWS: Final = ("fast_window", "middle_window", "window")
"""The settings that name recorded series: each shorter than the next."""
KINDS: Final[dict[str, str]] = {one.name: one.metadata["kind"] for one in fields(Policy)}
"""Every setting → what kind of value it takes."""
BOUNDARIES: Final = names.LONGEST_GAP.buckets or ()
DURATION: Final = r"([1-9][0-9]*(ms|[smhdwy]))+"
ACCEPTED: Final[dict[str, tuple[Callable[[Any], object], str]]] = {
    "share": (lambda value: 0 < value < 1, "must be a share between 0 and 1"),
    "count": (lambda value: value >= 1, "must be a whole number, 1 or more"),
    "number": (lambda value: 0 <= value <= 10, "must be a number from 0 to 10"),
    "severity": (("warning", "critical").__contains__, "must be warning or critical"),
    "severity_or_off": (("off", "warning", "critical").__contains__, "must be off, warning or critical"),
    "duration": (
        re.compile(DURATION).fullmatch,
        "must be a duration of Prometheus, such as 30s, 5m or 1h30m",
    ),
    "hold": (re.compile(rf"0s|{DURATION}").fullmatch, "must be a duration of Prometheus, such as 15s, or 0s for none"),
    "boundary": (
        BOUNDARIES.__contains__,
        f"is no bucket boundary of {names.LONGEST_GAP.name}: accepted are {BOUNDARIES}",
    ),
    "entry": (
        re.compile(f"({baggage.ENTRY})?").fullmatch,
        "must be the name of a baggage entry, such as tenant.id",
    ),
    "url": (re.compile(r"https?://").match, "must be a URL that begins with http:// or https://"),
}
"""Every kind of value → whether one is accepted, and what to say of one that is not."""


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

ERRORS: Final = names.ERROR_OUTCOMES
LEFT_BY_THE_APPLICATION: Final = ("closed", "cancelled", "abandoned")

CALLER_FAULTS: Final = errors.CALLER_FAULTS
"""They do not burn the error budget."""

USABLE_ANSWERS: Final = ("complete", "paused")
"""Answers that the application can use, or can ask to be continued."""

BELOW_400: Final = "[123].."
RETRIED_STATUSES: Final = "408|409|429|5..|"
"""What the SDK sends again; the empty end stands for an attempt without any response."""
