# SPDX-License-Identifier: Apache-2.0
"""Panels with our defaults set: titles, texts and queries come in, builders of the Grafana Foundation SDK go out.

Every query is narrowed down to what the variables at the top of the dashboard say. No metric is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import prometheus, stat, table, tempo, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import prometheus as pm

from after200 import names
from after200.monitoring import colors
from after200.monitoring.naming import Part, label
from after200.monitoring.promql import Matcher, matches, select, select_gauge
from after200.names import Metric

METRICS_SOURCE: Final = cm.DataSourceRef(type_val="prometheus", uid="${datasource}")
TRACES_SOURCE: Final = cm.DataSourceRef(type_val="tempo", uid="${traces}")
TAG: Final = "after200"
RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"
RATE_MINUTES: Final = f"scalar((time() - last_over_time(vector(time())[1s:1s] offset {RATE})) / 60)"
"""The window of a graph's queries in minutes: the time now less the time one window ago."""
THIS_BOARD: Final = "<this dashboard>"
"""Stands for the uid of the dashboard that a panel is laid out on."""
NO_CALLS: Final = "no calls"
"""What a number says where its query finds nothing: nothing is connected, or nothing was called."""

CHOSEN: Final = (
    matches("job", "$job"),
    matches("instance", "$instance"),
    matches(names.PROVIDER_NAME, "$provider"),
    matches(names.REQUEST_MODEL, "$model"),
)
"""What the variables select. Recorded series have no instance: they are found as long as none is chosen."""

Panel = Any
"""A panel builder: the SDK gives each kind a class of its own and no common name for what they share."""
Builder = Any
"""Any other builder. Their methods return `typing.Self`, which type checkers do not know for Python 3.10."""
Steps = tuple[tuple[float, str], ...]
"""Colours of a number, each from a value upwards; the first from 0 on."""


@dataclass(frozen=True)
class Query:
    """One PromQL query of a panel and the legend of what it returns."""

    expr: str
    legend: str = ""
    exemplar: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its width in pixels (None: what is left), and the variable that a click "
    "sets."""

    heading: str
    width: int | None = None
    sets: str | None = None


MODEL: Final = Column("Model", sets="model")
JOB: Final = Column("Job", sets="job")


def chosen(metric: Metric, *matchers: Matcher, part: Part = "") -> str:
    """The metric's series that the variables select, as far as it has their labels, narrowed down further."""
    general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
    return select(metric, *general, *matchers, part=part)


def chosen_gauge(metric: Metric, *matchers: Matcher) -> str:
    """The same of a gauge of the unit `1`, whatever name it has on its way to Prometheus."""
    general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
    return select_gauge(metric, *general, *matchers)


def number(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    steps: Steps = (),
    span: int = 4,
    decimals: int | None = None,
    mappings: list[Any] | None = None,
    nothing: str = NO_CALLS,
) -> Panel:
    """One big number for each query; without a value it is grey and says `nothing`."""
    panel = (
        stat.Panel()
        .reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(cm.BigValueGraphMode.NONE)
        .color_mode(cm.BigValueColorMode.VALUE)
        .orientation(cm.VizOrientation.HORIZONTAL)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else cm.BigValueTextMode.VALUE)
        .thresholds(thresholds(*(steps or ((0, colors.NEUTRAL),))))
        .no_value(nothing)
        .height(5)
    )
    if len(queries) > 1:
        panel = panel.text(c.VizTextDisplayOptions().title_size(13).value_size(24))
    for ref_id, query in zip("ABC", queries, strict=False):
        panel = panel.with_target(target(query, ref_id).instant())
    if decimals is not None:
        panel = panel.decimals(decimals)
    if mappings:
        panel = panel.mappings(mappings)
    return described(panel, title, description, unit, span)


def count(title: str, description: str, *queries: Query, steps: Steps = (), span: int = 4) -> Panel:
    """A big number of things that are counted: whole numbers."""
    return number(title, description, "locale", *queries, steps=steps, span=span, decimals=0)


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    span: int = 12,
    height: int = 8,
    axis: str = "",
    stacked: bool = False,
    colored: dict[str, str] | None = None,
    limits: tuple[str, ...] = (),
    floor: float | None = 0,
    maximum: float | None = None,
    decimals: int | None = None,
    sets: str = "",
) -> Panel:
    """Lines over time; stacked areas where the series add up to something.

    `axis` says what the axis counts. `colored` are the colours of series by their names. `limits` are series that
    others are to stay below or above. `floor` is a value that the axis reaches down to at least. `sets` is an
    attribute of the series by which a click narrows the dashboard down.
    """
    panel = (
        timeseries.Panel()
        .line_width(1 if stacked else 2)
        .fill_opacity(45 if stacked else 0)
        .show_points(cm.VisibilityMode.AUTO)
        .height(height)
        .legend(
            c.VizLegendOptions()
            .display_mode(cm.LegendDisplayMode.LIST)
            .placement(cm.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(c.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI).sort(cm.SortOrder.DESCENDING))
    )
    if axis:
        panel = panel.axis_label(axis)
    if floor is not None:
        panel = panel.axis_soft_min(floor)
    if stacked:
        panel = panel.stacking(c.StackingConfig().mode(cm.StackingMode.NORMAL)).axis_soft_max(1)
    if maximum is not None:
        panel = panel.max(maximum)
    if decimals is not None:
        panel = panel.decimals(decimals)
    for ref_id, query in zip("ABCDEFGH", queries, strict=False):
        panel = panel.with_target(target(query, ref_id))
    for series, color in (colored or {}).items():
        panel = panel.override_by_name(series, [fixed_color(color)])
    if sets:
        name = variable_of(sets)
        panel = panel.override_by_field_type("number", [links(narrow(name, f"${{__field.labels.{label(sets)}}}"))])
    if sets == names.REQUEST_MODEL:
        for pattern, color in colors.model_colors().items():
            panel = panel.override_by_regexp(f"/{pattern}/", [fixed_color(color)])
    for series in limits:
        dashed = dm.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 6]})
        panel = panel.override_by_name(series, [fixed_color(colors.TARGET), dashed, property_of("custom.lineWidth", 1)])
    return described(panel, title, description, unit, span)


def variable_of(attribute: str) -> str:
    """The variable that chooses among the values of an attribute."""
    return {names.REQUEST_MODEL: "model", names.PROVIDER_NAME: "provider", "job": "job"}[attribute]


def listing(
    title: str,
    description: str,
    expr: str,
    columns: dict[str, Column],
    *,
    unit: str = "locale",
    value: str = "Calls",
    decimals: int = 0,
    span: int = 12,
    height: int = 8,
) -> Panel:
    """A table of a number and label values, highest first; `columns` maps labels to columns, in order.

    A click on a value of a column that sets a variable narrows the dashboard down to it.
    """
    order = {name: place for place, name in enumerate(("Value", *columns))}
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": {**{name: column.heading for name, column in columns.items()}, "Value": value},
    }
    panel = (
        table.Panel()
        .with_target(target(Query(expr), "A").instant().format(pm.PromQueryFormat.TABLE))
        .with_transformation(dm.DataTransformerConfig(id_val="organize", options=organize))
        .with_transformation(
            dm.DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": value, "desc": True}]})
        )
        .decimals(decimals)
        .override_by_name(value, [property_of("custom.width", 110)])
        .height(height)
    )
    for column in columns.values():
        properties = [] if column.width is None else [property_of("custom.width", column.width)]
        if column.sets:
            properties.append(links(narrow(column.sets, "${__value.raw:percentencode}")))
        if properties:
            panel = panel.override_by_name(column.heading, properties)
    return described(panel, title, description, unit, span)


def matrix(
    title: str,
    description: str,
    expr: str,
    row: str,
    column: str,
    order: tuple[str, ...],
    heading: str,
    *,
    span: int = 12,
    height: int = 8,
) -> Panel:
    """A table of one label against another; `heading` names both, `order` is the order of the columns."""
    options = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "empty"}
    corner = f"{row}\\{column}"
    organize = {
        "excludeByName": {},
        "indexByName": {name: place for place, name in enumerate((corner, *order))},
        "renameByName": {corner: heading},
    }
    panel = (
        table.Panel()
        .with_target(target(Query(expr), "A").instant().format(pm.PromQueryFormat.TABLE))
        .with_transformation(dm.DataTransformerConfig(id_val="groupingToMatrix", options=options))
        .with_transformation(dm.DataTransformerConfig(id_val="organize", options=organize))
        .decimals(0)
        .width(75)
        .override_by_name(heading, [property_of("custom.width", 170)])
        .height(height)
    )
    return described(panel, title, description, "locale", span)


def traces(title: str, description: str, query: str, *, span: int = 24, height: int = 9) -> Panel:
    """A table of traces that a TraceQL query finds."""
    panel = (
        table.Panel()
        .with_target(
            tempo.TempoQuery().datasource(TRACES_SOURCE).query_type("traceql").query(query).limit(50).ref_id("A")
        )
        .override_by_name("Trace ID", [property_of("custom.width", 290)])
        .height(height)
    )
    return described(panel, title, description, "none", span, source=TRACES_SOURCE)


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
    """What is no number, and what is below the first step, has no judgement."""
    levels = [
        dm.Threshold(value=None, color=colors.NEUTRAL),
        *(dm.Threshold(value=at, color=color) for at, color in steps),
    ]
    return d.ThresholdsConfig().mode(dm.ThresholdsMode.ABSOLUTE).steps(levels)


def property_of(name: str, value: Any) -> dm.DynamicConfigValue:
    return dm.DynamicConfigValue(id_val=name, value=value)


def fixed_color(color: str) -> dm.DynamicConfigValue:
    return property_of("color", {"mode": "fixed", "fixedColor": color})


def links(*urls: dict[str, Any]) -> dm.DynamicConfigValue:
    return property_of("links", list(urls))


def narrow(variable: str, value: str) -> dict[str, Any]:
    """A link to the same dashboard, at the same time, that keeps the other variables and sets this one."""
    kept = "".join(
        f"&${{{name}:queryparam}}" for name in ("datasource", "job", "provider", "model") if name != variable
    )
    return {
        "title": f"Show only this {variable}",
        "url": f"/d/{THIS_BOARD}?${{__url_time_range}}{kept}&var-{variable}={value}",
        "targetBlank": False,
    }


def below(limit: float, text: str, color: str) -> dict[str, Any]:
    """A mapping: a word in place of every value below the limit."""
    return {
        "type": "range",
        "options": {"from": None, "to": limit, "result": {"text": text, "color": color, "index": 0}},
    }
