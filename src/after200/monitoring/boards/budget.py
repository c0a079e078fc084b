# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Error budget*: the objective, how fast it is used up, what is left. Built on the recording rules."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring import recording as r
from after200.monitoring.alerts.failures import judged
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import LEVEL, Policy
from after200.monitoring.promql import braces, max_by, share, sum_by
from after200.monitoring.selection import AT_END, CHOSEN, OF_A_MODEL, RANGE, apart_from_worst, worst, worst_and_others
from after200.monitoring.tables import Column
from after200.monitoring.windows import distinct, duration_of, seconds

RECORDED = "Needs the recording rules of dashboards/prometheus."
SELECTED = braces([*(matcher for matcher in CHOSEN if matcher.attribute != "instance"), OF_A_MODEL])
MODELS = (names.REQUEST_MODEL,)
NO_RULES = "no rules loaded"
TOO_EARLY = -1_000_000
"""The value that stands for a budget of which nothing can be said yet."""
WORDS = [
    {
        "type": "value",
        "options": {str(TOO_EARLY): {"text": "too early", "color": colors.NEUTRAL, "index": 0}},
    },
    {
        "type": "range",
        "options": {"from": None, "to": 0, "result": {"text": "exhausted", "color": colors.RED, "index": 1}},
    },
]
"""What stands in place of a budget below 0, and of one that cannot be judged."""
DAY_S = 86400


def dashboard(policy: Policy) -> Board:
    return Board(
        places.BUDGET,
        "Claude: Error budget",
        f"How fast calls use up what an objective of {policy.slo_target:.4g} over {policy.slo_period} allows.",
        [
            Row("Objective", numbers(policy)),
            Row("By model", models(policy)),
            Row("Burn rates that page, as the alert ClaudeErrorBudgetBurn sees them", rates(policy, "critical")),
            Row("Burn rates that warn", rates(policy, "warning"), collapsed=True),
        ],
        instances=False,
    )


def bad_and_valid(policy: Policy, by: tuple[str, ...] = (), over: str = "") -> list[str]:
    """Calls that burn the budget and calls that count, over everything selected: now, or all of a longer window."""
    recorded = [f"{name}{SELECTED}" for name in (f"{r.BAD}:increase{policy.window}", f"{r.VALID}{policy.window}")]
    return [sum_by(by, f"sum_over_time({series}[{over}])" if over else series) for series in recorded]


def spent(policy: Policy, by: tuple[str, ...] = ()) -> str:
    """The share of the period's budget that is gone."""
    return f"{share(*bad_and_valid(policy, by, policy.slo_period))} / {policy.error_budget:g}"


def days(policy: Policy) -> str:
    """For how many days of the period there are data; 0 in the first hour, nothing without the rules."""
    _, valid = bad_and_valid(policy)
    step = duration_of(seconds(policy.slo_period) / 720)  # an hour of 30 days
    return f"((time() - min_over_time(timestamp({valid})[{policy.slo_period}:{step}])) / {DAY_S} or 0 * {valid})"


def days_needed(policy: Policy) -> float:
    """So many days of data, a tenth of the period, before anything is said of the period's budget.

    A share of the calls that were made says little of the calls that will have been made: half an hour of failures in
    the first hour of an installation is not half of a month.
    """
    return seconds(policy.slo_period) / DAY_S / 10


def numbers(policy: Policy) -> list[p.Panel]:
    w = policy.window
    bad, valid = bad_and_valid(policy)
    needed = days_needed(policy)
    return [
        p.number(
            "Objective",
            "Share of calls that should complete. Not judged: calls that the application left by itself, and failures "
            "that are the caller's own (invalid_request, denied, billing).",
            "percentunit",
            f"vector({policy.slo_target:g})",
        ),
        p.number(
            "Budget left",
            f"Of the last {policy.slo_period}; exhausted: the objective is missed; too early: there are less than "
            f"{needed:g} days of data. {RECORDED}",
            "percentunit",
            f"1 - {spent(policy)} and {days(policy)} >= {needed:g} or {TOO_EARLY} + 0 * {valid}",
            steps=p.good_from(fair=0.001, good=0.25),
            decimals=1,
            nothing=NO_RULES,
        ).mappings(WORDS),
        p.number(
            "Days of data",
            f"Of {policy.slo_period}. What is said of the budget is said of these days. {RECORDED}",
            "suffix: d",
            days(policy),
            decimals=1,
            nothing=NO_RULES,
        ),
        p.number(
            "Burn rate now",
            f"How many times too fast the budget goes, over the last {w}: 1× uses it up exactly in "
            f"{policy.slo_period}. {RECORDED}",
            "suffix:×",
            f"{share(bad, valid)} / {policy.error_budget:g}",
            steps=p.bad_from(1, policy.burns[0].factor),
            decimals=1,
            nothing=NO_RULES,
        ),
        p.count(
            "Bad calls now",
            f"Failed or truncated in the last {w}. {RECORDED}",
            f"{bad} or 0 * {valid}",
            nothing=NO_RULES,
        ),
        p.count("Calls now", f"Calls judged in the last {w}. {RECORDED}", valid, nothing=NO_RULES),
    ]


def rates(policy: Policy, severity: str) -> list[p.Panel]:
    """Graphs of what the alert compares with its limit: nothing where the alert judges nothing yet."""
    panels = []
    nothing = f"not judged: half of the window has no data, or it has less than {policy.slo_minimum_calls} calls"
    for burn in (burn for burn in policy.burns if burn.severity == severity):
        windows, verb, then = [burn.long, burn.short], "warns", f" for {burn.hold}: then the alert warns"
        if burn.severity == "critical":
            windows, verb = [*windows, policy.window], "pages"
            then = ": then the alert pages, unless another one that names the failure does"
        shortest, *longer = (f"{r.BAD}:ratio{window}{SELECTED}" for window in distinct(windows))
        lowest = shortest
        for ratio in longer:
            lowest = f"(({ratio} < {lowest}) or {lowest})"
        lower = max_by(MODELS, f"{lowest} and {judged(policy, burn, SELECTED)}")
        ranking = max_by(MODELS, f"max_over_time({longer[-1]}[{RANGE}]{AT_END})")
        panels.append(
            p.graph(
                f"Burn rate over {burn.long} and {burn.short}",
                f"Of the models with the highest: the lowest over {', '.join(distinct(windows))}, since each has to "
                f"be above {burn.factor:g}×{then}. {RECORDED}",
                "suffix:×",
                f"{worst(lower, ranking)} / {policy.error_budget:g}",
                by=MODELS,
                axis="burn rate",
                nothing=nothing,
                limit=p.line(burn.factor, lower, verb),
            )
        )
    return panels


def models(policy: Policy) -> list[p.Panel]:
    counted = f"{r.VALID}{policy.window}{SELECTED}"
    valid, ranking = sum_by(MODELS, counted), sum_by(MODELS, f"sum_over_time({counted}[{RANGE}]{AT_END})")
    needed = days_needed(policy)
    return [
        tables.listing(
            "Budget spent",
            f"Share of the budget of the last {policy.slo_period} that is gone, by model; nothing before there are "
            f"{needed:g} days of data. {RECORDED}",
            f"{spent(policy, LEVEL)} and on () {days(policy)} >= {needed:g}",
            (tables.JOB, Column(names.PROVIDER_NAME, "Provider"), tables.MODEL),
            value="Budget spent",
            unit="percentunit",
            span=24,
            nothing=f"less than {needed:g} days of data, or no rules loaded",
        ).height(7),
        p.graph(
            "Calls that count",
            f"Calls judged in the last {policy.window}, by model. {RECORDED}",
            "short",
            worst_and_others(valid, sum_by((), apart_from_worst(valid, ranking)), ranking),
            by=MODELS,
            stacked=True,
            axis=f"calls in {policy.window}",
            nothing=NO_RULES,
        ).decimals(0),
    ]
