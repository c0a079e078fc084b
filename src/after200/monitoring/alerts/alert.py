# SPDX-License-Identifier: Apache-2.0
"""One alert: its condition, its words, and the rules that Prometheus reads and that Grafana manages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from after200 import names
from after200.monitoring import places
from after200.monitoring import policy as p
from after200.monitoring.naming import label

MODEL, PROVIDER = label(names.REQUEST_MODEL), label(names.PROVIDER_NAME)
WHERE = f"{{{{ $labels.job }}}}, model {{{{ $labels.{MODEL} }}}} at {{{{ $labels.{PROVIDER} }}}}"
SHARE = "{{ $value | humanizePercentage }}"
URL_OF_JOB = "&var-job={{ $labels.job }}"
URL_OF_MODEL = f"{URL_OF_JOB}&var-model={{{{ $labels.{MODEL} }}}}"

DATASOURCE: Final = "prometheus"
"""The uid of the Prometheus data source, as `stack/grafana/provisioning` gives it."""
LOOKBACK_SECONDS: Final = 600


@dataclass(frozen=True)
class Alert:
    """One alert rule. `hold` is Prometheus' `for`; every one has a page named after it under `runbooks/`."""

    name: str
    expr: str
    summary: str
    description: str
    hold: str = "0s"
    severity: str = "warning"
    labels: tuple[tuple[str, str], ...] = ()
    """What tells two rules of one name and severity apart."""

    variables: str = URL_OF_MODEL
    """What its dashboard's variables are set to, from the labels of the alert: a part of a query string."""

    def rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        uid, title = places.ALERTS[self.name]
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.hold} if self.hold != "0s" else {}),
            "labels": {"severity": self.severity, **dict(self.labels)},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{policy.runbooks}/{self.name}.md",
                "dashboard_url": f"{policy.grafana}/d/{uid}?viewPanel={places.panel_id(title)}{self.variables}",
            },
        }

    def managed_rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Grafana provisions it: query A, and the condition that A is above 0."""
        rule = self.rule(policy)
        uid, panel = places.ALERTS[self.name]
        title = " ".join((self.name, self.severity, *dict(self.labels).values()))
        # Grafana's `$value` is a sentence about all queries; the number that Prometheus means is `$values.A.Value`.
        texts = {key: text.replace("$value ", "$values.A.Value ") for key, text in rule["annotations"].items()}
        return {
            "uid": re.sub(r"[^a-z0-9]+", "-", title.lower()),
            "title": title,
            "condition": "C",
            "data": [
                {
                    "refId": "A",
                    "relativeTimeRange": {"from": LOOKBACK_SECONDS, "to": 0},
                    "datasourceUid": DATASOURCE,
                    "model": {"refId": "A", "expr": self.expr, "instant": True, "range": False},
                },
                {
                    "refId": "C",
                    "relativeTimeRange": {"from": 0, "to": 0},
                    "datasourceUid": "__expr__",
                    "model": {
                        "refId": "C",
                        "type": "threshold",
                        "expression": "A",
                        "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
                    },
                },
            ],
            "for": self.hold,
            "noDataState": "OK",
            "execErrState": "Error",
            "labels": rule["labels"],
            "annotations": texts | {"__dashboardUid__": uid, "__panelId__": str(places.panel_id(panel))},
        }
