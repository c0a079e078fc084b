# SPDX-License-Identifier: Apache-2.0
"""Every query we ship: committed dashboards, rules and runbooks come in, PromQL texts and syntax trees go out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from after200 import names
from after200.monitoring.policy import LEVEL
from after200.monitoring.windows import BURN_WINDOWS, seconds
from after200.names.prometheus import (
    CLASSIC_PARTS,
    label,
    metric_labels,
    metric_name,
    metric_names,
    name_of_gauge_without_suffix,
)

from .programs import DASHBOARDS

VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$__interval_ms": "60000",
    "$__interval": "1m",
    "$raw": ".+",
}
HISTOGRAMS = [metric for metric in names.METRICS if metric.kind == "histogram"]
RATIOS = [metric for metric in names.METRICS if metric.kind == "gauge" and metric.unit == "1"]
FROM_ELSEWHERE = {
    "up": {"job", "instance"},
    "target_info": {"job", "instance", "telemetry_sdk_language"},
    "ALERTS": {"alertname", "alertstate", "severity", "long", *map(label, LEVEL)},
}
"""Metrics that are not ours, and the labels of theirs that a query may use."""


@dataclass(frozen=True)
class Query:
    """One PromQL expression, and where it stands."""

    place: str
    expr: str

    def tree(self) -> Any:
        return promql_parser.parse(substituted(self.expr))


def substituted(expr: str, variables: dict[str, str] | None = None) -> str:
    """The query with Grafana's variables filled in; a choice of the user becomes everything."""
    for variable, value in (VARIABLES | (variables or {})).items():
        expr = expr.replace(variable, value)
    return re.sub(r"\$(job|instance|provider|model)\b", ".*", expr)


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every panel of every dashboard, with its address."""
    for path in sorted((DASHBOARDS / "grafana").glob("*.json")):
        for panel in panels_of(json.loads(path.read_text(encoding="utf-8"))):
            yield f"{path.stem}: {panel['title']}", panel


def panels_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard, those in collapsed rows too, without the rows."""
    every = [one for panel in board["panels"] for one in (panel, *panel.get("panels", ()))]
    return [panel for panel in every if panel["type"] != "row"]


NEEDS_DAYS = "after200-budget: Budget spent (A)"
"""The one query that has nothing to say in the first days of an installation."""


def judged_after(history_s: float) -> set[str]:
    """The queries of burn rates that say nothing of a history of `history_s`: half of the longer window is needed."""
    too_long = [burn.long for burn in BURN_WINDOWS if seconds(burn.long) / 2 > history_s]
    return {query.place for query in panel_queries() for long in too_long if f"Burn rate over {long} " in query.place}


def panel_queries() -> list[Query]:
    """The PromQL of the panels, with Grafana's variables in it."""
    return [
        Query(f"{place} ({target['refId']})", target["expr"])
        for place, panel in panels()
        for target in panel["targets"]
        if panel["datasource"]["type"] == "prometheus"
    ]


def rules() -> list[dict[str, Any]]:
    files = sorted((DASHBOARDS / "prometheus").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def rule_queries() -> list[Query]:
    return [Query(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()]


def runbook_queries() -> list[Query]:
    return [
        Query(f"runbooks/{path.name}", block)
        for path in sorted((DASHBOARDS / "runbooks").glob("*.md"))
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]


def all_queries() -> list[Query]:
    return panel_queries() + rule_queries() + runbook_queries()


def known_series() -> dict[str, set[str]]:
    """Every series name that a query may use, with the labels that it can have."""
    known = {series: set(metric_labels(metric)) for metric in names.METRICS for series in metric_names(metric)}
    known |= {metric_name(metric, "native"): set(metric_labels(metric)) for metric in HISTOGRAMS}
    known = {series: labels if series.endswith("_bucket") else labels - {"le"} for series, labels in known.items()}
    known |= {name_of_gauge_without_suffix(metric): set(metric_labels(metric)) - {"le"} for metric in RATIOS}
    known |= {name: set(labels) for name, labels in FROM_ELSEWHERE.items()}
    for rule in rules():
        if "record" in rule:
            known[rule["record"]] = result_labels(promql_parser.parse(rule["expr"]), known)
    return known


def selectors(node: Any) -> Iterator[Any]:
    """Every vector selector in a syntax tree."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for child in children(node):
        yield from selectors(child)


def children(node: Any) -> list[Any]:
    found: list[Any] = []
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        value = getattr(node, name, None)
        if isinstance(value, promql_parser.Expr):
            found.append(value)
    return found + list(getattr(node, "args", None) or [])


def result_labels(node: Any, known: dict[str, set[str]]) -> set[str]:
    """The labels that the result of an expression can have."""
    if isinstance(node, promql_parser.VectorSelector):
        return set(known.get(node.name, ()))
    if isinstance(node, promql_parser.AggregateExpr):
        labels = list(node.modifier.labels) if node.modifier else []
        return set(labels)
    if isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
        return result_labels(node.args[0], known) | {node.args[1].val}
    results = [result_labels(child, known) for child in children(node)]
    return set().union(*results)


def grouped_by(node: Any) -> Iterator[tuple[Any, set[str]]]:
    """Every aggregation of a tree with the labels that it keeps."""
    if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
        yield node, set(node.modifier.labels)
    for child in children(node):
        yield from grouped_by(child)


def base_metric(series: str) -> str:
    """The series' name without the part of a histogram."""
    name, _, part = series.rpartition("_")
    return name if part in CLASSIC_PARTS else series
