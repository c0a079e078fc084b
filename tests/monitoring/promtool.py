# SPDX-License-Identifier: Apache-2.0
"""One unit test of the committed rules: series and expected alerts come in, promtool's verdict goes out.

Whatever is not expected must not fire: each time that is looked at, it is looked at for every alert there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from after200.monitoring import places
from after200.monitoring.windows import seconds

from ..support.monitoring.programs import program, run
from ..support.monitoring.questions import RULE_FILES

GRAFANA = "http://localhost:3000"
RUNBOOKS = "https://github.com/after200/after200/blob/main/dashboards/runbooks"


@dataclass(frozen=True)
class Firing:
    """An alert that must fire, whole: every label and every annotation."""

    alert: str
    labels: dict[str, str]
    summary: str
    description: str

    reach: int = 3600
    """How far back the dashboard is opened, in s."""
    last_true: str = ""
    """When its condition held for the last time, where it is kept firing since."""

    def expected(self, time: str) -> dict[str, Any]:
        annotations = {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{RUNBOOKS}/{self.alert}.md",
            "dashboard_url": self.dashboard_url(int(seconds(self.last_true or time))),
        }
        return {"exp_labels": self.labels, "exp_annotations": annotations}

    def dashboard_url(self, time: int) -> str:
        """Leads to the panel that explains the alert, for the job and the model of the alert, and to the time of it."""
        uid, title = places.ALERTS[self.alert]
        variables = [("job", self.labels.get("job")), ("model", self.labels.get("gen_ai_request_model"))]
        chosen = "".join(f"&var-{name}={quote(value, safe='')}" for name, value in variables if value)
        since = f"from={1000 * (time - self.reach)}&to=now"
        return f"{GRAFANA}/d/{uid}?viewPanel={places.panel_id(title)}{chosen}&{since}"


@dataclass(frozen=True)
class Case:
    """Series as promtool writes them, and what fires when. A time without alerts is a time of silence."""

    name: str
    series: dict[str, str]
    firing: dict[str, tuple[Firing, ...]]
    interval: str = "15s"


def alert_names() -> list[str]:
    rules = [rule for group in read_groups(RULE_FILES[1]) for rule in group["rules"]]
    return list(dict.fromkeys(rule["alert"] for rule in rules))


def read_groups(path: Path) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return groups


def judge(case: Case, folder: Path) -> str:
    """Empty when promtool finds the case to hold, else what it says."""
    checks = [
        {
            "eval_time": time,
            "alertname": name,
            "exp_alerts": [alert.expected(time) for alert in alerts if alert.alert == name],
        }
        for time, alerts in case.firing.items()
        for name in alert_names()
    ]
    test = {
        "interval": case.interval,
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": checks,
    }
    document = {
        "rule_files": [str(path) for path in RULE_FILES],
        "evaluation_interval": case.interval,
        "group_eval_order": [group["name"] for path in RULE_FILES for group in read_groups(path)],
        "tests": [test],
    }
    path = folder / f"{re.sub('[^a-z0-9]+', '_', case.name.lower())}.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=10_000), encoding="utf-8")
    finished = run(program("promtool"), "test", "rules", path)
    return "" if finished.returncode == 0 else finished.stdout
