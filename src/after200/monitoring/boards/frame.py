# SPDX-License-Identifier: Apache-2.0
"""What every dashboard has around its panels: rows of panels come in, a dashboard with variables and links goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.models import dashboard as dm

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.naming import label, metric_name


def board(
    uid: str, title: str, description: str, rows: Sequence[tuple[str, Sequence[p.Panel]]], *, with_traces: bool = False
) -> p.Builder:
    """A dashboard of titled rows, with the variables, the links and the alerts that all of ours share."""
    dashboard = (
        d.Dashboard(title)
        .uid(uid)
        .description(description)
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
        .annotation(
            d.AnnotationQuery()
            .name("Alerts")
            .datasource(p.METRICS_SOURCE)
            .enable(True)
            .hide(False)
            .icon_color(p.RED)
            .expr('ALERTS{alertname=~"Claude.*",alertstate="firing"}')
        )
    )
    for variable in variables(with_traces):
        dashboard = dashboard.with_variable(variable)
    for heading, panels in rows:
        dashboard = dashboard.with_row(d.Row(heading))
        for panel in panels:
            dashboard = dashboard.with_panel(panel)
    return dashboard


def variables(with_traces: bool) -> list[Any]:
    calls = metric_name(names.CALLS)
    sources = [d.DatasourceVariable("datasource").label("Data source").type("prometheus")]
    if with_traces:
        sources.append(d.DatasourceVariable("traces").label("Traces").type("tempo"))
    # A way to Prometheus without `service.instance.id` has no instance: `.*` finds its series all the same.
    return [
        *sources,
        choice("job", "Job", f"label_values({calls}, job)", ".+"),
        choice("instance", "Instance", f'label_values({calls}{{job=~"$job"}}, instance)', ".*"),
        choice("provider", "Provider", f'label_values({calls}{{job=~"$job"}}, {label(names.PROVIDER_NAME)})', ".*"),
        choice("model", "Model", f'label_values({calls}{{job=~"$job"}}, {label(names.REQUEST_MODEL)})', ".*"),
    ]


def choice(name: str, title: str, query: str, all_value: str) -> p.Builder:
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
