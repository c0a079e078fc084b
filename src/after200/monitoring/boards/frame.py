# SPDX-License-Identifier: Apache-2.0
"""What every dashboard has around its panels: rows of panels come in, a dashboard with variables and links goes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as dm

from after200 import names
from after200.monitoring import colors, places
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import SOURCE_PATTERN, choice_of_source
from after200.monitoring.panels import THIS_BOARD, Builder
from after200.monitoring.policy import Policy
from after200.monitoring.promql import braces, equals, matches
from after200.monitoring.selection import CHOSEN, STEP
from after200.names.prometheus import label, metric_name

WIDTH: Final = 24
"""The columns of Grafana's grid."""
FIRING: Final = "ALERTS" + braces(
    [
        matches("alertname", "Claude.*"),
        equals("alertstate", "firing"),
        equals("severity", "critical"),
        *(matcher for matcher in CHOSEN if matcher.attribute != "instance"),
    ]
)
"""The alerts that page, of what is chosen. They are per job and model, and have no instance."""
SERVICE_PATTERN: Final = r"/([^\/]+)$/"
"""Finds `service.name` in a job, which is `service.namespace/service.name` where there is a namespace."""


@dataclass(frozen=True)
class Row:
    """A heading and the panels under it, left to right; a collapsed one shows them on a click.

    `span` is the width of every panel in columns of the grid; without it, each panel has the width of its own.
    """

    title: str
    panels: Sequence[p.Panel]
    collapsed: bool = False
    span: int | None = None


@dataclass(frozen=True)
class Board:
    """A dashboard before it is written. Without `instances` every query is on recorded series."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    traces: bool = False
    logs: bool = False
    instances: bool = True
    by_caller: bool = False
    """Whether it has tables by the baggage entry that the policy names, and a variable for it."""

    def model(self, policy: Policy) -> dict[str, Any]:
        """The dashboard as Grafana imports it, and as Grafana itself would save it."""
        frame: dict[str, Any] = json.loads(json.dumps(self.frame(policy).build(), cls=JSONEncoder))
        panels = self.layout(policy)
        graph = next(panel["id"] for panel in panels if panel["type"] == "timeseries")
        frame["annotations"] = {"list": [pages(policy, graph)]}
        for variable in frame["templating"]["list"]:
            for name in ("auto", "auto_min", "auto_count"):
                variable.pop(name, None)
            if not variable.get("allValue"):
                variable.pop("allValue", None)  # "All" is then each of the values
            if variable["name"] == "raw":
                variable["skipUrlSync"] = True
        frame["panels"] = panels
        return frame

    def frame(self, policy: Policy) -> Builder:
        dashboard = (
            d.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([p.TAG])
            .readonly()
            .tooltip(dm.DashboardCursorSync.CROSSHAIR)
            .time("now-1h", "now")
            .timezone("browser")
            .refresh("30s")
            .link(
                d.DashboardLink("after200")
                .type(dm.DashboardLinkType.DASHBOARDS)
                .tags([p.TAG])
                .include_vars(True)
                .keep_time(True)
                .icon("external link")
            )
        )
        for variable in self.variables(policy):
            dashboard = dashboard.with_variable(variable)
        return dashboard

    def variables(self, policy: Policy) -> list[Builder]:
        calls = metric_name(names.CALLS)
        of_job = f'label_values({calls}{{job=~"$job"}}, '
        sources = [d.DatasourceVariable("datasource").label("Data source").type("prometheus")]
        if self.traces:
            sources.append(d.DatasourceVariable("traces").label("Traces").type("tempo"))
        if self.logs:
            sources.append(d.DatasourceVariable("logs").label("Logs").type("loki"))
        # A way to Prometheus without `service.instance.id` has no instance: `.*` finds its series all the same.
        chosen = [
            choice("job", "Job", f"label_values({calls}, job)", ".+"),
            choice("instance", "Instance", f"{of_job}instance)", ".*"),
            choice("provider", "Provider", f"{of_job}{label(names.PROVIDER_NAME)})", ".*"),
            choice("model", "Model", f"{of_job}{label(names.REQUEST_MODEL)})", ".*"),
        ]
        if self.by_caller and policy.by:
            chosen.append(choice("by", policy.by, f"{of_job}{label(policy.by)})", ".*"))
        if not self.instances:
            del chosen[1]
        else:
            chosen.append(hidden("raw", choice_of_source(policy), SOURCE_PATTERN))
        if self.traces or self.logs:
            chosen.append(services(f"{of_job}job)"))
        return [*sources, *chosen]

    def layout(self, policy: Policy) -> list[dict[str, Any]]:
        """The panels with their places and ids. An id depends on the title alone, so links to panels hold."""
        laid: list[dict[str, Any]] = []
        y = 0
        for number, row in enumerate(self.rows, start=1):
            panels = [panel.span(row.span) if row.span else panel for panel in row.panels]
            texts = [json.dumps(panel.build(), cls=JSONEncoder) for panel in panels]
            built = [json.loads(text.replace(THIS_BOARD, self.uid)) for text in texts]
            place(built, y + 1)
            for panel in built:
                panel["id"] = places.panel_id(panel["title"])
                here = (self.uid, panel["title"])
                panel["links"] = [runbook(policy, alert) for alert, at in places.ALERTS.items() if at == here]
            heading = {
                "type": "row",
                "id": number,
                "title": row.title,
                "collapsed": row.collapsed,
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
                "panels": built if row.collapsed else [],
            }
            laid.append(heading)
            if row.collapsed:
                y += 1
            else:
                laid += built
                y = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in built)
        return laid


def pages(policy: Policy, graph: int) -> dict[str, Any]:
    """The annotation that marks in one graph when an alert began to page, with a link to its runbook.

    The mark is a line. An alert that fires all the time would give a region, which Grafana draws over the whole height
    of the graph: what the graph shows of a storm would lie under as many of them as there are alerts.
    """
    firing = f"max by (alertname) ({FIRING})"
    return {
        "name": "Pages",
        "datasource": {"type": "prometheus", "uid": p.METRICS_SOURCE.uid},
        "enable": True,
        "iconColor": colors.RED,
        "hide": False,
        "builtIn": 0,
        "filter": {"exclude": False, "ids": [graph]},
        "target": {"refId": "Anno", "expr": f"{firing} unless max by (alertname) ({FIRING} offset {STEP})"},
        "titleFormat": "{{alertname}}",
        "textFormat": f'<a href="{policy.runbooks}/{{{{alertname}}}}.md">Runbook</a>',
    }


def runbook(policy: Policy, alert: str) -> dict[str, Any]:
    """A panel's link to the page of an alert."""
    return {
        "title": f"Runbook: {alert}",
        "type": "link",
        "icon": "doc",
        "tooltip": "",
        "url": f"{policy.runbooks}/{alert}.md",
        "tags": [],
        "asDropdown": False,
        "targetBlank": True,
        "includeVars": False,
        "keepTime": False,
    }


def place(panels: list[dict[str, Any]], top: int) -> None:
    """Lay panels out from left to right, line by line, by the widths and heights that they ask for."""
    x = height = 0
    for panel in panels:
        at = panel["gridPos"]
        if x + at["w"] > WIDTH:
            x, top, height = 0, top + height, 0
        at["x"], at["y"] = x, top
        x, height = x + at["w"], max(height, at["h"])


def choice(name: str, title: str, query: str, all_value: str) -> Builder:
    """A variable that the reader chooses from what there is."""
    return (
        d.QueryVariable(name)
        .label(title)
        .query(query)
        .datasource(p.METRICS_SOURCE)
        .refresh(dm.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dm.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(all_value)
        .current(dm.VariableOption(text="All", value="$__all"))
    )


def services(query: str) -> Builder:
    """A hidden variable: the names that the chosen jobs have in traces and logs."""
    return choice("service", "Service", query, "").regex(SERVICE_PATTERN).hide(dm.VariableHide.HIDE_VARIABLE)


def hidden(name: str, query: str, pattern: str) -> Builder:
    """A variable that Prometheus chooses."""
    return (
        d.QueryVariable(name)
        .query(query)
        .regex(pattern)
        .datasource(p.METRICS_SOURCE)
        .refresh(dm.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .hide(dm.VariableHide.HIDE_VARIABLE)
        .current(dm.VariableOption(text=".+", value=".+"))
    )
