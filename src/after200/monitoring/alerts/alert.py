# SPDX-License-Identifier: Apache-2.0
"""One alert: its condition, its words, and the rules that Prometheus reads and that Grafana manages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from after200 import names
from after200.monitoring import places
from after200.monitoring import policy as p
from after200.monitoring.windows import duration_of, seconds
from after200.names.prometheus import label

MODEL, PROVIDER = label(names.REQUEST_MODEL), label(names.PROVIDER_NAME)
WHERE = f"{{{{ $labels.job }}}}, model {{{{ $labels.{MODEL} }}}} at {{{{ $labels.{PROVIDER} }}}}"
SHARE = "{{ $value | humanizePercentage }}"
URL_OF_JOB = "&var-job={{ $labels.job | urlquery }}"
URL_OF_MODEL = f"{URL_OF_JOB}&var-model={{{{ $labels.{MODEL} | urlquery }}}}"

DATASOURCE: Final = "prometheus"
"""The uid of the Prometheus data source, as `stack/grafana/provisioning` gives it."""
LOOKBACK_SECONDS: Final = 600
MANAGED_INTERVAL: Final = "30s"
"""How often Grafana evaluates the alerts that it manages; no hold can be shorter, but none at all."""


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
    keep: str = ""
    """Prometheus' `keep_firing_for`, so that one storm with gaps is one alert; empty for none."""
    reach: float = 3600
    """How far back its dashboard is opened, in seconds before the last evaluation at which the alert fired."""
    more: str = ""
    """What Prometheus adds to the description: a template that asks queries, which Grafana's templates cannot."""
    managed_more: str = ""
    """What Grafana adds in its place."""

    def rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        uid, title = places.ALERTS[self.name]
        began = f'{{{{ query "1000 * (time() - {self.reach:g})" | first | value | printf "%.0f" }}}}'
        since = f"from={began}&to=now"
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.hold} if self.hold != "0s" else {}),
            **({"keep_firing_for": self.keep} if self.keep else {}),
            "labels": {"severity": self.severity, **dict(self.labels)},
            "annotations": {
                "summary": self.summary,
                "description": self.description + self.more,
                "runbook_url": f"{policy.runbooks}/{self.name}.md",
                "dashboard_url": f"{policy.grafana}/d/{uid}?viewPanel={places.panel_id(title)}{self.variables}&{since}",
            },
        }

    def managed_rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Grafana provisions it: query A, and the condition that A is above 0."""
        rule = self.rule(policy)
        uid, panel = places.ALERTS[self.name]
        title = " ".join((self.name, self.severity, *dict(self.labels).values()))
        annotations = rule["annotations"] | {"description": self.description + self.managed_more}
        # Grafana's templates ask no queries, so the dashboard is opened on the time before it is looked at.
        ago = f"from=now-{duration_of(self.reach)}"
        annotations["dashboard_url"] = re.sub(r"from={{.*?}}", ago, annotations["dashboard_url"])
        # Grafana's `$value` is a sentence about all queries; the number that Prometheus means is `$values.A.Value`.
        texts = {key: text.replace("$value ", "$values.A.Value ") for key, text in annotations.items()}
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
            "for": max(self.hold, MANAGED_INTERVAL, key=seconds) if seconds(self.hold) else "0s",
            **({"keepFiringFor": self.keep} if self.keep else {}),
            "noDataState": "OK",
            "execErrState": "Error",
            "labels": rule["labels"],
            "annotations": texts | {"__dashboardUid__": uid, "__panelId__": str(places.panel_id(panel))},
        }
