# SPDX-License-Identifier: Apache-2.0
"""Any policy gives rules that work: promtool accepts them, and whatever is read is recorded exactly once."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from after200.monitoring.alerts import alert_groups
from after200.monitoring.policy import BOUNDARIES, KINDS, Policy, values_of
from after200.monitoring.recording import recording_groups

from ..support.monitoring.programs import program, renders, run
from ..support.monitoring.queries import panels_of, selectors, substituted

HOW_MANY = 60
WRITTEN = 3
"""How many of them are written whole, with dashboards and runbooks."""
DURATIONS = [
    "15s",
    "30s",
    "60s",
    "90s",
    "1m30s",
    "2m",
    "120s",
    "3m",
    "300s",
    "5m",
    "10m",
    "30m",
    "59m",
    "1h",
    "6h",
    "1d",
    "2w",
]
VALUES: dict[str, Any] = {
    "share": [0.001, 0.01, 0.05, 0.1, 0.333, 0.5, 0.999],
    "count": [1, 2, 5, 20, 1000],
    "number": [0.0, 1.0, 2.0, 2.5, 10.0],
    "duration": DURATIONS,
    "hold": ["0s", *DURATIONS],
    "boundary": list(BOUNDARIES),
    "entry": ["", "tenant.id"],
    "url": ["https://wiki.example/a?b=c", "http://localhost:3000"],
    "severity": ["warning", "critical"],
    "severity_or_off": ["off", "warning", "critical"],
}


def random_policy(seed: int) -> Policy:
    """A policy that the settings allow, in which half of the settings are not the default."""
    chance = random.Random(seed)
    while True:
        changes = {name: chance.choice(VALUES[kind]) for name, kind in KINDS.items() if chance.random() < 0.5}
        try:
            return replace(Policy(), **changes)
        except ValueError:  # windows out of order: refused, with a sentence that says so
            continue


POLICIES = [Policy(), *(random_policy(seed) for seed in range(HOW_MANY))]


def rules_of(policy: Policy) -> list[dict[str, Any]]:
    groups = [*recording_groups(policy), *alert_groups(policy)]
    return [rule for group in groups for rule in group["rules"]]


def recorded_names(expr: str) -> Iterator[str]:
    """The recorded series that an expression reads."""
    for selector in selectors(promql_parser.parse(substituted(expr))):
        if ":" in (selector.name or ""):
            yield selector.name


def test_promtool_accepts_the_rules_of_any_policy(tmp_path: Path) -> None:
    for number, policy in enumerate(POLICIES):
        document = {"groups": [*recording_groups(policy), *alert_groups(policy)]}
        (tmp_path / f"{number}.yml").write_text(json.dumps(document), encoding="utf-8")
    finished = run(program("promtool"), "check", "rules", *sorted(tmp_path.glob("*.yml")))
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.count("SUCCESS") == len(POLICIES)


def test_every_series_that_a_rule_of_any_policy_reads_is_recorded_exactly_once() -> None:
    for policy in POLICIES:
        rules = rules_of(policy)
        recorded = Counter(rule["record"] for rule in rules if "record" in rule)
        read = {name for rule in rules for name in recorded_names(rule["expr"])}
        assert {} == {name: recorded[name] for name in read if recorded[name] != 1}, values_of(policy)
        assert {} == {name: times for name, times in recorded.items() if times != 1}, values_of(policy)


def test_no_two_rules_of_any_policy_have_one_name_and_labels_and_no_group_is_too_long_for_mimir() -> None:
    for policy in POLICIES:
        alerts = Counter(
            (rule["alert"], *sorted(rule["labels"].items())) for rule in rules_of(policy) if "alert" in rule
        )
        assert {} == {alert: times for alert, times in alerts.items() if times > 1}, values_of(policy)
        assert max(len(group["rules"]) for group in recording_groups(policy)) <= 20


@renders
@pytest.mark.parametrize("policy", POLICIES[1 : 1 + WRITTEN], ids=lambda policy: f"window {policy.window}")
def test_every_series_that_a_dashboard_or_a_runbook_of_any_policy_reads_is_recorded(policy: Policy) -> None:
    from after200.monitoring.files import render

    files = render(policy)
    rules = [
        rule
        for name in ("rules", "alerts")
        for group in yaml.safe_load(files[f"prometheus/after200.{name}.yml"])["groups"]
        for rule in group["rules"]
    ]
    boards = [
        json.loads(text) for name, text in files.items() if name.startswith("grafana/") and name.endswith(".json")
    ]
    queries = [
        target["expr"]
        for board in boards
        for panel in panels_of(board)
        for target in panel["targets"]
        if "expr" in target and target.get("datasource", {}).get("uid") in (None, "${datasource}")
    ]
    pages = (text for name, text in files.items() if name.startswith("runbooks/"))
    queries += [block for text in pages for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL)]
    read = {name for expr in queries for name in recorded_names(expr)}
    assert read
    assert set() == read - {rule.get("record") for rule in rules}
