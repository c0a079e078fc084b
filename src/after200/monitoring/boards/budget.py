# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Error budget*: the objective, how fast it is used up, what is left. Built on the recording rules."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring import recording as r
from after200.monitoring.boards.common import legend
from after200.monitoring.boards.frame import board
from after200.monitoring.naming import label
from after200.monitoring.policy import BURN_WINDOWS, LEVEL, Policy
from after200.monitoring.promql import braces, sum_by

RECORDED = "Needs the recording rules of dashboards/prometheus."
CHOSEN = braces(p.CHOSEN_RECORDED)


def dashboard(policy: Policy) -> p.Builder:
    return board(
        "after200-budget",
        "Claude: Error budget",
        f"How fast calls use up what an objective of {policy.slo_target:.4g} over {policy.slo_period} allows.",
        [("Objective", numbers(policy)), ("Burn rate", rates(policy)), ("By model", models(policy))],
    )


def spent(policy: Policy, by: tuple[str, ...] = ()) -> str:
    """The share of the period's budget that is gone, over everything selected."""
    bad, valid = (
        sum_by(by, f"sum_over_time({name}{CHOSEN}[{policy.slo_period}])")
        for name in (f"{r.BAD}:increase{policy.window}", f"{r.VALID}{policy.window}")
    )
    return f"({bad} or 0 * {valid}) / ({valid} > 0) / {policy.error_budget:g}"


def numbers(policy: Policy) -> list[Any]:
    w = policy.window
    bad, valid = (sum_by((), f"{name}{CHOSEN}") for name in (f"{r.BAD}:increase{w}", f"{r.VALID}{w}"))
    fast = ((0, p.GREEN), (1, p.ORANGE), (BURN_WINDOWS[0].factor, p.RED))
    return [
        p.number(
            "Objective",
            "Share of calls that should complete. Not judged: calls that the application left by itself, and failures "
            "that "
            "are the caller's own (invalid_request, denied).",
            "percentunit",
            f"vector({policy.slo_target:g})",
            span=6,
        ),
        p.number(
            "Budget left",
            f"Of the last {policy.slo_period}; below 0 the objective is missed. {RECORDED}",
            "percentunit",
            f"1 - {spent(policy)}",
            (0, p.RED),
            (0.001, p.ORANGE),
            (0.25, p.GREEN),
            span=6,
        ),
        p.number(
            "Burn rate now",
            f"How many times too fast the budget goes, over the last {w}: 1 uses it up exactly in "
            f"{policy.slo_period}. {RECORDED}",
            "none",
            f"({bad} or 0 * {valid}) / ({valid} > 0) / {policy.error_budget:g}",
            *fast,
            span=6,
        ),
        p.number(
            "Bad calls now",
            f"Failed or truncated in the last {w}. {RECORDED}",
            "short",
            bad,
            (0, p.GREEN),
            (1, p.ORANGE),
            span=6,
        ),
    ]


def rates(policy: Policy) -> list[Any]:
    panels = []
    for burn in BURN_WINDOWS:
        queries = [
            p.Query(
                f"max by ({', '.join(LEVEL)}) ({r.BAD}:ratio{window}{CHOSEN}) / {policy.error_budget:g}",
                f"{window} · {legend(names.REQUEST_MODEL)}",
            )
            for window in (burn.long, burn.short)
        ]
        limit = p.Query(f"vector({burn.factor:g})", burn.severity)
        panels.append(
            p.graph(
                f"Burn rate over {burn.long} and {burn.short}",
                f"ClaudeErrorBudgetBurn ({burn.severity}) fires when both are above {burn.factor:g} for {burn.hold}. "
                f"{RECORDED}",
                "none",
                *queries,
                limit,
                colors={burn.severity: p.RED if burn.severity == "critical" else p.ORANGE},
            )
        )
    return panels


def models(policy: Policy) -> list[Any]:
    return [
        p.listing(
            "Budget spent",
            f"Share of the budget of the last {policy.slo_period} that is gone, by model. {RECORDED}",
            spent(policy, LEVEL),
            dict(zip(LEVEL, ("Job", "Provider", "Model"), strict=True)),
            unit="percentunit",
            value="Budget spent",
        ),
        p.graph(
            "Calls that count",
            f"Calls judged in the last {policy.window}, by model. {RECORDED}",
            "short",
            p.Query(
                sum_by((label(names.REQUEST_MODEL),), f"{r.VALID}{policy.window}{CHOSEN}"), legend(names.REQUEST_MODEL)
            ),
            stacked=True,
        ),
    ]
