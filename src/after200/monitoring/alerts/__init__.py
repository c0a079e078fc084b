# SPDX-License-Identifier: Apache-2.0
"""The alerts: a policy comes in, alert groups as plain data go out, for Prometheus and for Grafana.

An alert's value is always above 0 when it fires, so that Grafana can test it with one threshold. Streams that the
application closed or cancelled never fire anything.
"""

from __future__ import annotations

from typing import Any, Final

from after200.monitoring import policy as p
from after200.monitoring.alerts import failures, telemetry, warning_only
from after200.monitoring.alerts.alert import MANAGED_INTERVAL, Alert

GROUPS: Final = (
    failures.symptoms,
    warning_only.answers,
    warning_only.streams,
    warning_only.retries,
    warning_only.limits,
    failures.budget,
    telemetry.telemetry,
)
"""Each group of alerts, named after its function."""


def alert_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All alert groups, in Prometheus' form."""
    return [
        {"name": f"after200.alerts.{group.__name__}", "rules": [alert.rule(policy) for alert in group(policy)]}
        for group in GROUPS
    ]


def provisioning(policy: p.Policy) -> dict[str, Any]:
    """The same alerts, managed by Grafana: the file for `provisioning/alerting/`.

    Grafana asks Prometheus for each alert's expression. The recording rules that the expressions use still have to be
    loaded where the metrics are: Prometheus, Mimir, or any ruler that reads such files.
    """
    rules = [alert.managed_rule(policy) for alert in all_alerts(policy)]
    group = {"orgId": 1, "name": "after200", "folder": "after200", "interval": MANAGED_INTERVAL, "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


def all_alerts(policy: p.Policy) -> list[Alert]:
    return [alert for group in GROUPS for alert in group(policy)]
