# SPDX-License-Identifier: Apache-2.0
"""Panels that are tables: counts by label values, one label against another, and traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import table, tempo
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import prometheus as pm

from after200 import names
from after200.monitoring.naming import label
from after200.monitoring.panels import Panel, described, narrow, property_of, target
from after200.monitoring.selection import or_none

TRACES_SOURCE: Final = cm.DataSourceRef(type_val="tempo", uid="${traces}")


@dataclass(frozen=True)
class Column:
    """The values of an attribute as a column of a table.

    Without a width (in pixels), the column takes what the others leave. `sets` is the variable that a click sets.
    `absent` stands where a series lacks the attribute.
    """

    attribute: str
    heading: str
    width: int | None = None
    sets: str = ""
    absent: str = ""


MODEL: Final = Column(names.REQUEST_MODEL, "Model", sets="model")
JOB: Final = Column("job", "Job", sets="job")
OUTCOME: Final = Column(names.OUTCOME, "Outcome", 110)


def listing(
    title: str,
    description: str,
    expr: str,
    columns: Sequence[Column],
    *,
    value: str,
    unit: str = "locale",
    decimals: int = 0,
    span: int = 12,
) -> Panel:
    """A table of label values and a number, whose heading is `value`; highest number first.

    A click on a value of a column that sets a variable narrows the dashboard down to it.
    """
    headings = {label(column.attribute): column.heading for column in columns}
    for column in columns:
        if column.absent:
            expr = or_none(expr, column.attribute, text=column.absent)
    panel = (
        instant_table(expr)
        .with_transformation(organized({"Time": True}, ["Value", *headings], headings | {"Value": value}))
        .with_transformation(transformation("sortBy", {"sort": [{"field": value, "desc": True}]}))
        .decimals(decimals)
        .override_by_name(value, [property_of("custom.width", 110)])
    )
    for column in columns:
        properties = [] if column.width is None else [property_of("custom.width", column.width)]
        if column.sets:
            properties.append(narrow(column.sets, "${__value.raw:percentencode}"))
        if properties:
            panel = panel.override_by_name(column.heading, properties)
    return described(panel, title, description, unit, span)


def matrix(title: str, description: str, expr: str, row: str, column: str, order: Sequence[str], heading: str) -> Panel:
    """A table of one attribute against another; `heading` names both, `order` is the order of the columns."""
    fields = {"rowField": label(row), "columnField": label(column), "valueField": "Value", "emptyValue": "empty"}
    corner = f"{label(row)}\\{label(column)}"
    panel = (
        instant_table(expr)
        .with_transformation(transformation("groupingToMatrix", fields))
        .with_transformation(organized({}, [corner, *order], {corner: heading}))
        .decimals(0)
        .width(75)
        .override_by_name(heading, [property_of("custom.width", 170)])
    )
    return described(panel, title, description, "locale", span=24)


def traces(title: str, description: str, query: str) -> Panel:
    """A table of traces that a TraceQL query finds."""
    panel = (
        table.Panel()
        .with_target(
            tempo.TempoQuery().datasource(TRACES_SOURCE).query_type("traceql").query(query).limit(50).ref_id("A")
        )
        .override_by_name("Trace ID", [property_of("custom.width", 290)])
        .height(9)
    )
    return described(panel, title, description, "none", span=24, source=TRACES_SOURCE)


def instant_table(expr: str) -> Panel:
    return table.Panel().with_target(target(expr, "A").instant().format(pm.PromQueryFormat.TABLE)).height(8)


def organized(left_out: dict[str, bool], order: Sequence[str], headings: dict[str, str]) -> dm.DataTransformerConfig:
    """The order of the columns, and their headings."""
    places = {name: place for place, name in enumerate(order)}
    return transformation("organize", {"excludeByName": left_out, "indexByName": places, "renameByName": headings})


def transformation(name: str, options: dict[str, Any]) -> dm.DataTransformerConfig:
    return dm.DataTransformerConfig(id_val=name, options=options)
