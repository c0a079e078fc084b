# SPDX-License-Identifier: Apache-2.0
"""Panels with our defaults set: titles, texts and queries come in, builders of the Grafana Foundation SDK go out.

No metric is chosen here. Colours, legends and links follow from the attributes that the series of a panel differ in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from after200 import names
from after200.monitoring import colors
from after200.names.prometheus import label

METRICS_SOURCE: Final = cm.DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG: Final = "after200"
THIS_BOARD: Final = "<this dashboard>"
"""Stands for the uid of the dashboard that a panel is laid out on."""
NO_CALLS: Final = "no calls"
"""What a panel says where its query finds nothing: nothing is connected, or nothing was called."""
FINEST: Final = "1m"
"""The smallest step of a graph: one call in a minute is one call per minute, and metrics are exported once a minute."""

Builder = Any
"""Any builder but a panel's. Their methods return `typing.Self`, which type checkers do not know for Python 3.10."""
Panel = Any
"""A panel builder: the SDK gives each kind a class of its own and no common name for what they share."""
Steps = tuple[tuple[float, str], ...]
"""Colours of a number, each from a value upwards; what is below the first, or no number, has no judgement."""
UNJUDGED: Final[Steps] = ((0, colors.NEUTRAL),)


@dataclass(frozen=True)
class Query:
    """One PromQL query of a panel and the legend of what it returns."""

    expr: str
    legend: str = ""
    exemplar: bool = False


def bad_from(warning: float, critical: float) -> Steps:
    """The colours of a number that should be 0."""
    return (0, colors.GREEN), (warning, colors.ORANGE), (critical, colors.RED)


def good_from(fair: float, good: float) -> Steps:
    """The colours of a number that should be high."""
    return (0, colors.RED), (fair, colors.ORANGE), (good, colors.GREEN)


def number(
    title: str,
    description: str,
    unit: str,
    *queries: Query | str,
    steps: Steps = UNJUDGED,
    span: int = 4,
    decimals: int | None = None,
    nothing: str = NO_CALLS,
) -> Panel:
    """One big number for each query; without a value it is grey and says `nothing`."""
    levels = [dm.Threshold(value=at, color=color) for at, color in ((None, colors.NEUTRAL), *steps)]
    panel = (
        stat.Panel()
        .reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(cm.BigValueGraphMode.NONE)
        .color_mode(cm.BigValueColorMode.VALUE)
        .orientation(cm.VizOrientation.HORIZONTAL)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else cm.BigValueTextMode.VALUE)
        .thresholds(d.ThresholdsConfig().mode(dm.ThresholdsMode.ABSOLUTE).steps(levels))
        .no_value(nothing)
        .height(4)
    )
    if len(queries) > 1:
        panel = panel.text(c.VizTextDisplayOptions().title_size(13).value_size(24))
    for ref_id, query in zip("ABC", queries, strict=False):
        panel = panel.with_target(target(query, ref_id).instant())
    if decimals is not None:
        panel = panel.decimals(decimals)
    return described(panel, title, description, unit, span)


def count(title: str, description: str, expr: str, *, span: int = 4, nothing: str = NO_CALLS) -> Panel:
    """A big number of things that are counted: a whole number."""
    return number(title, description, "locale", expr, span=span, decimals=0, nothing=nothing)


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query | str,
    by: tuple[str, ...] = (),
    axis: str,
    span: int = 0,
    stacked: bool = False,
    nothing: str = NO_CALLS,
    colored: dict[str, str] | None = None,
    limit: Query | None = None,
    floor: float = 0,
    maximum: float | None = None,
    worst: Literal["max", "min"] = "max",
    latest: bool = True,
    dots: bool = False,
) -> Panel:
    """Lines over time; stacked bars where the series add up to something, so that a series of value 0 draws nothing.

    `by` are the attributes that the series of a query without a legend differ in: their values are the legend, each
    value of the last one has its colour (Grafana's palette by name gives one to a model), and a click on a model
    narrows the dashboard down to it. `axis` says what the axis counts. `colored` are the colours of other series by
    their names. `limit` is a dashed line that the others are to stay below. `floor` is a value that the axis reaches
    down to at least. `worst` is the end of the values that is bad news, and stands in the legend; beside it the last
    value, if `latest`. `dots`: every value is a dot, since one between two gaps is a line without length. `nothing` is
    what the panel says without data. Names of models are long: their legend is a table at the right of a panel that is
    as wide as the dashboard.
    """
    models = names.REQUEST_MODEL in by
    panel = (
        timeseries.Panel()
        .interval(FINEST)
        .line_width(0 if stacked else 2)
        .fill_opacity(90 if stacked else 0)
        .show_points(cm.VisibilityMode.NEVER if stacked else cm.VisibilityMode.AUTO)
        .no_value(nothing)
        .height(9)
        .legend(
            c.VizLegendOptions()
            .display_mode(cm.LegendDisplayMode.TABLE if models else cm.LegendDisplayMode.LIST)
            .placement(cm.LegendPlacement.RIGHT if models else cm.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", worst] if latest else [worst])
        )
        .tooltip(c.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI).sort(cm.SortOrder.DESCENDING))
        .axis_label(axis)
        .axis_soft_min(floor)
    )
    if stacked:
        panel = (
            panel.stacking(c.StackingConfig().mode(cm.StackingMode.NORMAL))
            .draw_style(cm.GraphDrawStyle.BARS)
            .bar_alignment(cm.BarAlignment.BEFORE)
            .bar_width_factor(0.9)
        )
        if unit == "short":
            panel = panel.axis_soft_max(1)  # one call is not half a call high; seconds have no such unit
    if dots:
        panel = panel.show_points(cm.VisibilityMode.ALWAYS).point_size(4)
    if maximum is not None:
        panel = panel.max(maximum)
    if by and by[-1] not in colors.OF:
        panel = panel.color_scheme(d.FieldColor().mode(dm.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    for ref_id, query in zip("ABCDEFGH", (*queries, *([limit] if limit else [])), strict=False):
        panel = panel.with_target(target(query, ref_id, legend(*by) or "__auto"))
    panel = panel.override_by_field_type("number", [ABSENT])
    for color, series in colors.grouped(colors.OF.get(by[-1], {}) if by else colored or {}).items():
        if len(series) == 1:
            panel = panel.override_by_name(series[0], [fixed_color(color)])
        else:
            panel = panel.override_by_regexp(f"/^({'|'.join(map(re.escape, series))})$/", [fixed_color(color)])
    if models:
        panel = panel.override_by_name(colors.OTHERS, [fixed_color(colors.GREY)])
        only_this = narrow("model", f"${{__field.labels.{label(names.REQUEST_MODEL)}}}")
        panel = panel.override_by_field_type("number", [only_this])
    if limit:
        dashed = property_of("custom.lineStyle", {"fill": "dash", "dash": [10, 6]})
        thin, plain = property_of("custom.lineWidth", 1), property_of("custom.showPoints", "never")
        panel = panel.override_by_name(limit.legend, [fixed_color(colors.TARGET), dashed, thin, plain])
    return described(panel, title, description, unit, span or (24 if models else 12))


def line(at: float, beside: str, name: str = "warns") -> Query:
    """A horizontal line: the value at which an alert begins to do what the name says, where there is `beside` at all.

    Alone it would be a graph of nothing, in place of the words that say why there is none.
    """
    return Query(f"vector({at:g}) and on () ({beside})", name)


def legend(*attributes: str) -> str:
    """A legend of the values of attributes."""
    return " · ".join(f"{{{{{label(attribute)}}}}}" for attribute in attributes)


def described(
    panel: Panel, title: str, description: str, unit: str, span: int, source: cm.DataSourceRef = METRICS_SOURCE
) -> Panel:
    return panel.title(title).description(description).unit(unit).span(span).datasource(source)


def target(query: Query | str, ref_id: str, otherwise: str = "__auto") -> Builder:
    """A query as Grafana has it, of the panel's data source; `otherwise` is the legend of a query without its own."""
    if isinstance(query, str):
        query = Query(query)
    return (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend or otherwise)
        .exemplar(query.exemplar)
        .ref_id(ref_id)
    )


# --- properties of the values of a panel -----------------------------------------------------------------------------


def property_of(name: str, value: Any) -> dm.DynamicConfigValue:
    return dm.DynamicConfigValue(id_val=name, value=value)


ABSENT: Final = property_of("noValue", "–")
"""What stands in place of one value that is not there. Without it, it is what the panel says without any data."""


def fixed_color(color: str) -> dm.DynamicConfigValue:
    return property_of("color", {"mode": "fixed", "fixedColor": color})


def narrow(variable: str, value: str) -> dm.DynamicConfigValue:
    """A link to the same dashboard, at the same time, that keeps the other variables and sets this one."""
    kept = "".join(
        f"&${{{name}:queryparam}}" for name in ("datasource", "job", "provider", "model") if name != variable
    )
    link = {
        "title": f"Show only this {variable}",
        "url": f"/d/{THIS_BOARD}?${{__url_time_range}}{kept}&var-{variable}={value}",
        "targetBlank": False,
    }
    return property_of("links", [link])
