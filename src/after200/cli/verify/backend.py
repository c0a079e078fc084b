# SPDX-License-Identifier: Apache-2.0
"""Follows the check's calls to Prometheus and Alertmanager; where they do not arrive, says how far they came."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlencode

from after200 import names
from after200.cli.endings import counted
from after200.cli.verify.checks import EXPECTED, Seen
from after200.names.prometheus import label, metric_name

Problem = dict[str, str]
"""The code of a finding → what was seen; empty when nothing is wrong."""

CALLS, ANSWERS = metric_name(names.CALLS), metric_name(names.ANSWERS_RECEIVED)
MODEL = label(names.REQUEST_MODEL)
ATTRIBUTES = {label(name): name for name in (*names.CALLS.attributes, *names.ANSWERS_RECEIVED.attributes)}
POLL_S = 0.5
UNUSABLE = (OSError, ValueError, HTTPException, KeyError, TypeError, AttributeError, IndexError)
"""What a server raises here that cannot be reached, or that has another interface."""


class Server(NamedTuple):
    """The HTTP interface of a Prometheus, of anything with its interface, or of an Alertmanager."""

    url: str
    headers: dict[str, str]

    def get(self, path: str, **parameters: str) -> Any:
        """Returns the JSON at a path, without the envelope of Prometheus; raises one of `UNUSABLE`."""
        url = f"{self.url.rstrip('/')}/api/{path}?{urlencode(parameters)}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=self.headers), timeout=5) as answer:
            document = json.loads(answer.read())
        return document["data"] if path.startswith("v1") else document


def wait(
    seconds: float, problem: Callable[[], Problem], is_ready: Callable[[float], bool] = lambda elapsed: True
) -> Problem:
    """Asks until there is no problem; returns the last one when time runs out.

    That there is none counts from when it `is_ready`, which is given the seconds that have passed.
    """
    began = time.monotonic()
    while True:
        ready = is_ready(time.monotonic() - began)
        found = problem()
        if (ready and not found) or time.monotonic() - began >= seconds:
            return found
        time.sleep(min(POLL_S, seconds))


def has_scraped_all(server: Server, elapsed: float) -> bool:
    """Returns whether each target was scraped in the last `elapsed` seconds: two of them may be the same process.

    True where nothing says so: not every store with this interface scrapes.
    """
    try:
        oldest = server.get("v1/query", query="max(time() - timestamp(up))")["result"]
        return not oldest or float(oldest[0]["value"][1]) < elapsed
    except UNUSABLE:
        return True


def prometheus_problem(server: Server, seen: Seen) -> Problem:
    """Counts the check's calls in Prometheus, and says why they are not all there."""
    try:
        series = server.get("v1/query", query=f'{{__name__=~"{CALLS}|{ANSWERS}",{MODEL}="{seen.followed}"}}')["result"]
        seen.exported_job = any("exported_job" in one["metric"] for one in series)
        seen.prometheus = counted(
            ({ATTRIBUTES.get(name, name): value for name, value in one["metric"].items()}, float(one["value"][1]))
            for one in series
        )
        wrong = [item for item in EXPECTED if seen.prometheus[item] != EXPECTED[item]]
        if not wrong:
            return {}
        if +seen.prometheus:
            counts = (f"{item}: {seen.prometheus[item]} instead of {EXPECTED[item]}" for item in wrong)
            return {"prometheus_counts": "; ".join(counts)}
        alike = [name for name in server.get("v1/label/__name__/values") if re.search(r"after200[._]calls", name)]
        if alike and CALLS not in alike:
            return {"prometheus_changed": f"under another name ({', '.join(alike)})"}
        if without := server.get("v1/query", query=f'{CALLS}{{{MODEL}=""}}')["result"]:
            labels = ", ".join(sorted(without[0]["metric"].keys() - {"__name__"}))
            return {"prometheus_changed": f"without the label {MODEL} (it has {labels})"}
        there = "other processes have" if alike else "no process has"
        return {"prometheus_nothing": f"{there} {CALLS} there; {_scraped(server)}"}
    except UNUSABLE as error:
        return {"backend_unreachable": f"No Prometheus answers: {type(error).__name__}: {error}"}


def _scraped(server: Server) -> str:
    try:
        targets = server.get("v1/targets", state="active")["activeTargets"]
    except UNUSABLE:  # not every store with this interface scrapes
        return "it does not say what it scrapes"
    states = (f"{one['scrapeUrl']} ({one['health']}) {one['lastError']}".strip() for one in targets)
    return "it scrapes " + (", ".join(states) or "nothing")


def alert_problem(server: Server, prometheus: Server | None, seen: Seen) -> Problem:
    """Looks for alerts of this check's model, and says how far one came."""
    try:
        alerts = [alert["labels"] for alert in server.get("v2/alerts")]
        seen.alerts = sorted({labels["alertname"] for labels in alerts if labels.get(MODEL) == seen.followed})
        return {} if seen.alerts else {"no_alert": _how_far(prometheus, seen.followed)}
    except UNUSABLE as error:
        return {"backend_unreachable": f"No Alertmanager answers: {type(error).__name__}: {error}"}


def _how_far(prometheus: Server | None, model: str) -> str:
    if prometheus is None:
        return "Give --prometheus as well, and verify says how far it came."
    groups = prometheus.get("v1/rules", type="alert")["groups"]
    alerts = [alert for alert in prometheus.get("v1/alerts")["alerts"] if alert["labels"].get(MODEL) == model]
    receivers = [one["url"] for one in prometheus.get("v1/alertmanagers")["activeAlertmanagers"]]
    if not any(rule["name"].startswith("Claude") for group in groups for rule in group["rules"]):
        return "Prometheus has no rule named Claude...: add dashboards/prometheus/*.yml to its rule_files."
    if not alerts:
        return "The rules are loaded, and none of them fires for this model. A rule needs a few evaluations: --timeout."
    if not receivers:
        return "An alert fires in Prometheus, which knows no Alertmanager: name it under alerting.alertmanagers."
    states = ", ".join(f"{alert['labels']['alertname']} {alert['state']}" for alert in alerts)
    return f"In Prometheus: {states}. It sends to {', '.join(receivers)}: is that the Alertmanager that was asked?"
