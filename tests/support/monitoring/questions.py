# SPDX-License-Identifier: Apache-2.0
"""Questions to promtool: traffic and PromQL come in, what the committed rules make of it comes out, by job.

All jobs go through one run of promtool, since a run costs more than a job.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .arrivals import STEP, Traffic
from .programs import DASHBOARDS, program, run

RULE_FILES = (DASHBOARDS / "prometheus/after200.rules.yml", DASHBOARDS / "prometheus/after200.alerts.yml")
PAGES = 'ALERTS{alertstate="firing",severity="critical"}'
WARNINGS = 'ALERTS{alertstate="firing",severity="warning"}'
BY_NAME = "job, alertname"
SAMPLE = re.compile(r"\{([^}]*)\} ([-+.0-9eE]+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def beginnings(alerts: str, over: str) -> str:
    """When alerts began, as timestamps, at each evaluation of the stretch of time before."""
    return f"(timestamp({alerts}) unless timestamp({alerts} offset {STEP}s))[{over}:{STEP}s]"


def first(alerts: str, over: str, by: str = "job") -> str:
    """When the first of the alerts began in the stretch of time before, in s."""
    return f"min by ({by}) (min_over_time({beginnings(alerts, over)}))"


def last(alerts: str, over: str, by: str = "job") -> str:
    """When the last of them began."""
    return f"max by ({by}) (max_over_time({beginnings(alerts, over)}))"


def last_seen(alerts: str, over: str, by: str = "job") -> str:
    """When any of them fired for the last time."""
    return f"max by ({by}) (max_over_time(timestamp({alerts})[{over}:{STEP}s]))"


def how_often(alerts: str, over: str, by: str = "job") -> str:
    """How many of them began."""
    return f"sum by ({by}) (count_over_time({beginnings(alerts, over)}))"


def episodes(alerts: str, over: str) -> str:
    """How many stretches of time a job had in which anything fired: what a person is woken for."""
    any_of_them = f"count by (job) ({alerts})"
    before = f"count by (job) ({alerts} offset {STEP}s)"
    return f"count_over_time(({any_of_them} unless {before})[{over}:{STEP}s])"


def ask(
    series: Mapping[str, str],
    questions: Iterable[tuple[int, str]],
    folder: Path,
    rule_files: Iterable[Path] = RULE_FILES,
) -> list[dict[tuple[str, ...], float]]:
    """The answer to each question (a time in s, and PromQL): the values by the labels' values, in the labels' order."""
    # promtool prints what it got where that differs from what was expected: nothing is, and one sample always comes.
    asked = [(time, f'({expr}) or label_replace(vector(0), "asked", "yes", "", "")') for time, expr in questions]
    files = list(rule_files)
    groups = [group["name"] for path in files for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    test: dict[str, Any] = {
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": f"{time}s"} for time, expr in asked],
    }
    document = {
        "rule_files": [str(path) for path in files],
        "evaluation_interval": f"{STEP}s",
        "group_eval_order": groups,
        "tests": [test],
    }
    path = folder / "questions.yml"
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML, and is written in a tenth of the time
    finished = run(program("promtool"), "test", "rules", path)
    lines = [line for line in finished.stdout.split("  FAILED:")[-1].splitlines() if line.strip().startswith("got:")]
    if len(lines) != len(asked):
        raise RuntimeError(f"promtool did not answer {len(asked)} questions:\n{finished.stdout[:3000]}")
    return [answers(line) for line in lines]


def answers(line: str) -> dict[tuple[str, ...], float]:
    samples = ((dict(LABEL.findall(labels)), float(value)) for labels, value in SAMPLE.findall(line))
    return {tuple(labels[name] for name in sorted(labels)): value for labels, value in samples if "asked" not in labels}


def together(traffic: Iterable[Traffic]) -> dict[str, str]:
    """The counters of several jobs."""
    return {name: values for one in traffic for name, values in one.series().items()}
