# SPDX-License-Identifier: Apache-2.0
"""Panels with our defaults set: titles, texts and queries come in, builders of the Grafana Foundation SDK go out.

Every query is narrowed down to what the variables at the top of the dashboard say. No metric is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, table, tempo, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import heatmap as hm
from grafana_foundation_sdk.models import prometheus as pm

from after200 import names
from after200.monitoring.naming import Part
from after200.monitoring.promql import Matcher, matches, select
from after200.names import Metric

METRICS_SOURCE: Final = cm.DataSourceRef(type_val="prometheus", uid="${datasource}")
TRACES_SOURCE: Final = cm.DataSourceRef(type_val="tempo", uid="${traces}")
TAG: Final = "after200"
RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"

CHOSEN: Final = (
    matches("job", "$job"),
    matches("instance", "$instance"),
    matches(names.PROVIDER_NAME, "$provider"),
    matches(names.REQUEST_MODEL, "$model"),
)
"""What the variables select. Recorded series have no instance."""
CHOSEN_RECORDED: Final = tuple(matcher for matcher in CHOSEN if matcher.attribute != "instance")

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = (
    "#73BF69", "#F2CC0C", "#FF9830", "#F2495C", "#5794F2", "#B877D9", "#8E8E8E",
)  # fmt: skip

Panel = Any
"""A panel builder: the SDK gives each kind a class of its own and no common name for what they share."""
Builder = Any
"""Any other builder. Their methods return `typing.Self`, which type checkers do not know for Python 3.10."""


@dataclass(frozen=True)
class Query:
    """One PromQL query of a panel and the legend of what it returns."""

    expr: str
    legend: str = ""
    exemplar: bool = False


def chosen(metric: Metric, *matchers: Matcher, part: Part = "") -> str:
    """The metric's series that the variables select, as far as it has their labels, narrowed down further."""
    general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
    return select(metric, *general, *matchers, part=part)


def number(title: str, description: str, unit: str, expr: str, *steps: tuple[float, str], span: int = 4) -> Panel:
    """One big number over the whole time range; `steps` colour it from a value upwards."""
    panel = (
        stat.Panel()
        .reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(cm.BigValueGraphMode.NONE)
        .color_mode(cm.BigValueColorMode.VALUE if steps else cm.BigValueColorMode.NONE)
        .with_target(target(Query(expr), "A").instant())
        .height(5)
    )
    if steps:
        panel = panel.thresholds(thresholds(*steps))
    return described(panel, title, description, unit, span)


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    span: int = 12,
    height: int = 8,
    stacked: bool = False,
    colors: dict[str, str] | None = None,
    maximum: float | None = None,
) -> Panel:
    """Lines over time; stacked areas where the series add up to something."""
    panel = (
        timeseries.Panel()
        .line_width(1.5)
        .fill_opacity(45 if stacked else 8)
        .show_points(cm.VisibilityMode.AUTO)
        .axis_soft_min(0)
        .height(height)
        .legend(
            c.VizLegendOptions()
            .display_mode(cm.LegendDisplayMode.LIST)
            .placement(cm.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(c.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI).sort(cm.SortOrder.DESCENDING))
    )
    if stacked:
        panel = panel.stacking(c.StackingConfig().mode(cm.StackingMode.NORMAL))
    if maximum is not None:
        panel = panel.max(maximum)
    for ref_id, query in zip("ABCDEFGH", queries, strict=False):
        panel = panel.with_target(target(query, ref_id))
    for series, color in (colors or {}).items():
        panel = panel.override_by_name(series, [fixed_color(color)])
    return described(panel, title, description, unit, span)


def listing(
    title: str,
    description: str,
    expr: str,
    columns: dict[str, str],
    *,
    unit: str = "short",
    value: str = "Calls",
    span: int = 12,
    height: int = 8,
) -> Panel:
    """A table of label values and a number, highest first; `columns` maps labels to headings, in order."""
    order = {name: place for place, name in enumerate((*columns, "Value"))}
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": {**columns, "Value": value},
    }
    panel = (
        table.Panel()
        .with_target(target(Query(expr), "A").instant().format(pm.PromQueryFormat.TABLE))
        .with_transformation(dm.DataTransformerConfig(id_val="organize", options=organize))
        .with_transformation(
            dm.DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": value, "desc": True}]})
        )
        .height(height)
    )
    return described(panel, title, description, unit, span)


def matrix(title: str, description: str, expr: str, row: str, column: str, *, span: int = 12, height: int = 8) -> Panel:
    """A table of one label against another."""
    options = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "empty"}
    panel = (
        table.Panel()
        .with_target(target(Query(expr), "A").instant().format(pm.PromQueryFormat.TABLE))
        .with_transformation(dm.DataTransformerConfig(id_val="groupingToMatrix", options=options))
        .height(height)
    )
    return described(panel, title, description, "short", span)


def buckets(title: str, description: str, metric: Metric, *, span: int = 12, height: int = 8) -> Panel:
    """A heatmap of a histogram metric."""
    expr = f"sum by (le) (increase({chosen(metric, part='bucket')}[{RATE}]))"
    panel = (
        heatmap.Panel()
        .with_target(target(Query(expr, "{{le}}"), "A").format(pm.PromQueryFormat.HEATMAP))
        .calculate(False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(hm.HeatmapColorMode.SCHEME)
            .scheme("Spectral")
            .steps(64)
            .reverse(False)
            .exponent(0.5)
            .fill("dark-orange")
        )
        .y_axis(heatmap.YAxisConfig().unit(metric_unit(metric)))
        .height(height)
    )
    return described(panel, title, description, metric_unit(metric), span)


def traces(title: str, description: str, query: str, *, span: int = 24, height: int = 9) -> Panel:
    """A table of traces that a TraceQL query finds."""
    panel = (
        table.Panel()
        .with_target(
            tempo.TempoQuery().datasource(TRACES_SOURCE).query_type("traceql").query(query).limit(50).ref_id("A")
        )
        .height(height)
    )
    return described(panel, title, description, "none", span, source=TRACES_SOURCE)


def metric_unit(metric: Metric) -> str:
    return {"s": "s"}.get(metric.unit, "short")


def described(
    panel: Panel, title: str, description: str, unit: str, span: int, source: cm.DataSourceRef = METRICS_SOURCE
) -> Panel:
    return panel.title(title).description(description).unit(unit).span(span).datasource(source)


def target(query: Query, ref_id: str) -> Builder:
    return (
        prometheus.Dataquery()
        .datasource(METRICS_SOURCE)
        .expr(query.expr)
        .legend_format(query.legend or "__auto")
        .exemplar(query.exemplar)
        .ref_id(ref_id)
    )


def thresholds(*steps: tuple[float, str]) -> Builder:
    """The first step holds from minus infinity on."""
    first, *others = steps
    levels = [dm.Threshold(value=None, color=first[1]), *(dm.Threshold(value=at, color=color) for at, color in others)]
    return d.ThresholdsConfig().mode(dm.ThresholdsMode.ABSOLUTE).steps(levels)


def fixed_color(color: str) -> dm.DynamicConfigValue:
    return dm.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})
