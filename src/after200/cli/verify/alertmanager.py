# SPDX-License-Identifier: Apache-2.0
"""Waits for an alert about this check's model, and where none comes, asks the Prometheus how far it got.

In come URLs and the model; out go the names of the alerts, or a `Missing`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from after200.cli.verify.prometheus import MODEL, POLL_S, Missing, Prometheus
from after200.cli.verify.web import WebError, get_json


class Alertmanager:
    """One Alertmanager."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        self._headers = headers

    def wait_for(self, model: str, prometheus: Prometheus | None, seconds: float) -> tuple[list[str], Missing | None]:
        """Wait for any alert that carries the model; its names."""
        deadline = time.monotonic() + seconds
        while True:
            wrong: WebError | None = None
            try:
                if alerts := self.alerts(model):
                    return alerts, None
            except WebError as error:
                wrong = error
                if error.reached:
                    return [], Missing("not_alertmanager", str(error))
            if time.monotonic() >= deadline:
                return [], Missing("unreachable", str(wrong)) if wrong else _explain(model, prometheus)
            time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))

    def alerts(self, model: str) -> list[str]:
        """The names of the alerts that carry the model."""
        found = get_json(f"{self.url}/api/v2/alerts", {}, self._headers)
        try:
            return sorted({alert["labels"]["alertname"] for alert in found if alert["labels"].get(MODEL) == model})
        except (KeyError, TypeError, AttributeError):
            raise WebError(f"{self.url} answers, but not as an Alertmanager does", reached=True) from None


def _explain(model: str, prometheus: Prometheus | None) -> Missing:
    if prometheus is None:
        return Missing("no_alert", "give --prometheus as well, and this says how far it got")
    try:
        rules = [
            rule["name"] for group in prometheus.get("rules", {"type": "alert"})["groups"] for rule in group["rules"]
        ]
        alerts = [alert for alert in prometheus.get("alerts", {})["alerts"] if alert["labels"].get(MODEL) == model]
        receivers = [entry["url"] for entry in prometheus.get("alertmanagers", {})["activeAlertmanagers"]]
    except (WebError, KeyError, TypeError) as error:
        return Missing("no_alert", f"and Prometheus does not say more ({error})")
    if not any(name.startswith("Claude") for name in rules):
        return Missing("no_rules", f"{len(rules)} alerting rules are loaded, none of them named Claude...")
    if not alerts:
        return Missing("not_firing", "the rules are loaded, none of them fires for this model")
    if not receivers:
        return Missing("not_connected", "an alert fires in Prometheus, which knows no Alertmanager")
    states = ", ".join(f"{alert['labels']['alertname']} {alert['state']}" for alert in alerts)
    return Missing("not_arrived", f"in Prometheus: {states}; it sends to {', '.join(receivers)}")
