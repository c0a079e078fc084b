# SPDX-License-Identifier: Apache-2.0
"""Panels with our defaults set: titles, texts and queries come in, builders of the Grafana Foundation SDK go out.

Every query is narrowed down to what the variables at the top of the dashboard say. No metric is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from after200 import names
from after200.monitoring import colors
from after200.monitoring.naming import label
from after200.monitoring.properties import Builder, fixed_color, links, narrow, property_of, thresholds, variable_of

METRICS_SOURCE: Final = cm.DataSourceRef(type_val="prometheus", uid="${datasource}")
TRACES_SOURCE: Final = cm.DataSourceRef(type_val="tempo", uid="${traces}")
TAG: Final = "after200"
NO_CALLS: Final = "no calls"
"""What a number says where its query finds nothing: nothing is connected, or nothing was called."""


Panel = Any
"""A panel builder: the SDK gives each kind a class of its own and no common name for what they share."""
Steps = tuple[tuple[float, str], ...]
"""Colours of a number, each from a value upwards; the first from 0 on."""


@dataclass(frozen=True)
class Query:
    """One PromQL query of a panel and the legend of what it returns."""

    expr: str
    legend: str = ""
    exemplar: bool = False


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
