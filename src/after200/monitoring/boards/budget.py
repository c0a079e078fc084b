# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Error budget*: the objective, how fast it is used up, what is left. Built on the recording rules."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring import recording as r
from after200.monitoring.boards.expressions import legend
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.naming import label
from after200.monitoring.policy import BURN_WINDOWS, LEVEL, Policy, seconds
from after200.monitoring.promql import braces, matches, max_by, sum_by
from after200.monitoring.properties import below
from after200.monitoring.selection import CHOSEN

RECORDED = "Needs the recording rules of dashboards/prometheus."
SELECTED = braces(
    [*(matcher for matcher in CHOSEN if matcher.attribute != "instance"), matches(names.REQUEST_MODEL, ".+")]
)
NO_RULES = "no rules loaded"


def dashboard(policy: Policy) -> Board:
    return Board(
        places.BUDGET,
        "Claude: Error budget",
        f"How fast calls use up what an objective of {policy.slo_target:.4g} over {policy.slo_period} allows.",
        [
            Row("Objective", numbers(policy)),
            Row("By model", models(policy)),
            Row("Burn rates, as the alert ClaudeErrorBudgetBurn sees them", rates(policy)),
        ],
        instances=False,
    )


def spent(policy: Policy, by: tuple[str, ...] = ()) -> str:
    """The share of the period's budget that is gone, over everything selected."""
    bad, valid = (
        sum_by(by, f"sum_over_time({name}{SELECTED}[{policy.slo_period}])")
        for name in (f"{r.BAD}:increase{policy.window}", f"{r.VALID}{policy.window}")
    )
    return f"({bad} or 0 * {valid}) / ({valid} > 0) / {policy.error_budget:g}"


def numbers(policy: Policy) -> list[Any]:
    w = policy.window
    bad, valid = (sum_by((), f"{name}{SELECTED}") for name in (f"{r.BAD}:increase{w}", f"{r.VALID}{w}"))
    fast = ((0, colors.GREEN), (1, colors.ORANGE), (BURN_WINDOWS[0].factor, colors.RED))
    return [
        p.number(
            "Objective",
            "Share of calls that should complete. Not judged: calls that the application left by itself, and failures "
            "that are the caller's own (invalid_request, denied, billing).",
            "percentunit",
            p.Query(f"vector({policy.slo_target:g})"),
            span=6,
        ),
        p.number(
            "Budget left",
            f"Of the last {policy.slo_period}; exhausted: the objective is missed. {RECORDED}",
            "percentunit",
            p.Query(f"1 - {spent(policy)}"),
            steps=((0, colors.RED), (0.001, colors.ORANGE), (0.25, colors.GREEN)),
            mappings=[below(0, "exhausted", colors.RED)],
            decimals=1,
            span=6,
            nothing=NO_RULES,
        ),
        p.number(
            "Burn rate now",
            f"How many times too fast the budget goes, over the last {w}: 1× uses it up exactly in "
            f"{policy.slo_period}. {RECORDED}",
            "suffix:×",
            p.Query(f"({bad} or 0 * {valid}) / ({valid} > 0) / {policy.error_budget:g}"),
            steps=fast,
            decimals=1,
            span=6,
            nothing=NO_RULES,
        ),
        p.count(
            "Bad calls now",
            f"Failed or truncated in the last {w}. {RECORDED}",
            p.Query(f"{bad} or 0 * {valid}"),
            span=6,
        ).no_value(NO_RULES),
    ]


def rates(policy: Policy) -> list[Any]:
    panels = []
    for burn in BURN_WINDOWS:
        verb = "pages" if burn.severity == "critical" else "warns"
        long, short = (f"{r.BAD}:ratio{window}{SELECTED}" for window in (burn.long, burn.short))
        lower = max_by((label(names.REQUEST_MODEL),), f"({long} < {short}) or {short}")
        panels.append(
            p.graph(
                f"Burn rate over {burn.long} and {burn.short}",
                f"The lower of the two, since both have to be above {burn.factor:g}× for {burn.hold}: then the alert "
                f"{verb}. {RECORDED}",
                "suffix:×",
                p.Query(f"{lower} / {policy.error_budget:g}", legend(names.REQUEST_MODEL)),
                p.Query(f"vector({burn.factor:g})", verb),
                axis="burn rate",
                sets=names.REQUEST_MODEL,
                limits=(verb,),
            )
        )
    return panels


def models(policy: Policy) -> list[Any]:
    columns = (tables.JOB, tables.Column("Provider"), tables.MODEL)
    return [
        tables.listing(
            "Budget spent",
            f"Share of the budget of the last {policy.slo_period} that is gone, by model. {RECORDED}",
            spent(policy, LEVEL),
            dict(zip(LEVEL, columns, strict=True)),
            unit="percentunit",
            value="Budget spent",
        ),
        p.graph(
            "Calls that count",
            f"Calls judged, by model, from the last {policy.window}. {RECORDED}",
            "short",
            p.Query(
                f"{sum_by((label(names.REQUEST_MODEL),), f'{r.VALID}{policy.window}{SELECTED}')} "
                f"/ {seconds(policy.window) / 60:g}",
                legend(names.REQUEST_MODEL),
            ),
            stacked=True,
            axis="calls per minute",
            sets=names.REQUEST_MODEL,
        ),
    ]
