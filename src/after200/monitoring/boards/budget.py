# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Error budget*: the objective, how fast it is used up, what is left. Built on the recording rules."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring import recording as r
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import LEVEL, Policy
from after200.monitoring.promql import braces, max_by, share, sum_by
from after200.monitoring.selection import CHOSEN, OF_A_MODEL
from after200.monitoring.tables import Column
from after200.monitoring.windows import seconds

RECORDED = "Needs the recording rules of dashboards/prometheus."
SELECTED = braces([*(matcher for matcher in CHOSEN if matcher.attribute != "instance"), OF_A_MODEL])
MODELS = (names.REQUEST_MODEL,)
NO_RULES = "no rules loaded"
EXHAUSTED = {
    "type": "range",
    "options": {"from": None, "to": 0, "result": {"text": "exhausted", "color": colors.RED, "index": 0}},
}
"""What stands in place of a budget below 0."""


def dashboard(policy: Policy) -> Board:
    return Board(
        places.BUDGET,
        "Claude: Error budget",
        f"How fast calls use up what an objective of {policy.slo_target:.4g} over {policy.slo_period} allows.",
        [
            Row("Objective", numbers(policy), span=6),
            Row("By model", models(policy)),
            Row("Burn rates, as the alert ClaudeErrorBudgetBurn sees them", rates(policy)),
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


def numbers(policy: Policy) -> list[p.Panel]:
    w = policy.window
    bad, valid = bad_and_valid(policy)
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
            f"Of the last {policy.slo_period}; exhausted: the objective is missed. {RECORDED}",
            "percentunit",
            f"1 - {spent(policy)}",
            steps=p.good_from(fair=0.001, good=0.25),
            decimals=1,
            nothing=NO_RULES,
        ).mappings([EXHAUSTED]),
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
    ]


def rates(policy: Policy) -> list[p.Panel]:
    panels = []
    for burn in policy.burns:
        verb = "pages" if burn.severity == "critical" else "warns"
        long, short = (f"{r.BAD}:ratio{window}{SELECTED}" for window in (burn.long, burn.short))
        lower = max_by(MODELS, f"({long} < {short}) or {short}")
        panels.append(
            p.graph(
                f"Burn rate over {burn.long} and {burn.short}",
                f"The lower of the two, since both have to be above {burn.factor:g}× for {burn.hold}: then the alert "
                f"{verb}. {RECORDED}",
                "suffix:×",
                f"{lower} / {policy.error_budget:g}",
                by=MODELS,
                axis="burn rate",
                limit=p.line(burn.factor, verb),
            )
        )
    return panels


def models(policy: Policy) -> list[p.Panel]:
    valid = sum_by(MODELS, f"{r.VALID}{policy.window}{SELECTED}")
    return [
        tables.listing(
            "Budget spent",
            f"Share of the budget of the last {policy.slo_period} that is gone, by model. {RECORDED}",
            spent(policy, LEVEL),
            (tables.JOB, Column(names.PROVIDER_NAME, "Provider"), tables.MODEL),
            value="Budget spent",
            unit="percentunit",
        ),
        p.graph(
            "Calls that count",
            f"Calls judged, by model, from the last {policy.window}. {RECORDED}",
            "short",
            f"{valid} / {seconds(policy.window) / 60:g}",
            by=MODELS,
            stacked=True,
            axis="calls per minute",
        ),
    ]
