# SPDX-License-Identifier: Apache-2.0
"""The same alerts, managed by Grafana: alerts come in, a provisioning file as plain data goes out.

Grafana asks Prometheus for the alert's expression and fires for each series above 0. The recording rules that the
expressions use still have to be loaded where the metrics are: Prometheus, Mimir, or any ruler that reads such files.
"""

from __future__ import annotations

import re
from typing import Any, Final

from after200.monitoring import places
from after200.monitoring.alerts import Alert, all_alerts
from after200.monitoring.policy import Policy

DATASOURCE: Final = "prometheus"
"""The uid of the Prometheus data source, as `stack/grafana/provisioning` gives it."""

INTERVAL: Final = "1m"
LOOKBACK_SECONDS: Final = 600


def provisioning(policy: Policy) -> dict[str, Any]:
    """The file for `provisioning/alerting/`."""
    group = {
        "orgId": 1,
        "name": "after200",
        "folder": "after200",
        "interval": INTERVAL,
        "rules": [managed_rule(alert, policy) for alert in all_alerts(policy)],
    }
    return {"apiVersion": 1, "groups": [group]}


def managed_rule(alert: Alert, policy: Policy) -> dict[str, Any]:
    """One rule: query A, and the condition that A is above 0."""
    rule = alert.rule(policy)
    uid, panel = places.ALERTS[alert.name]
    title = " ".join((alert.name, alert.severity, *dict(alert.labels).values()))
    return {
        "uid": re.sub(r"[^a-z0-9]+", "-", title.lower()),
        "title": title,
        "condition": "C",
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": {"from": LOOKBACK_SECONDS, "to": 0},
                "datasourceUid": DATASOURCE,
                "model": {"refId": "A", "expr": alert.expr, "instant": True, "range": False},
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
        "for": alert.hold,
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": rule["labels"],
        "annotations": {
            **{key: for_grafana(text) for key, text in rule["annotations"].items()},
            "__dashboardUid__": uid,
            "__panelId__": str(places.panel_id(panel)),
        },
    }


def for_grafana(text: str) -> str:
    """Grafana's `$value` is a sentence about all queries; the number that Prometheus means is `$values.A.Value`."""
    return text.replace("$value ", "$values.A.Value ")
