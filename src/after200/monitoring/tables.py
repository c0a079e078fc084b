# SPDX-License-Identifier: Apache-2.0
"""Panels that are tables: counts by label values, one label against another, and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import table, tempo
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import prometheus as pm

from after200.monitoring.panels import TRACES_SOURCE, Panel, Query, described, target
from after200.monitoring.properties import links, narrow, property_of


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its width in pixels, and the variable that a click sets.

    Without a width, the column takes what the others leave.
    """

    heading: str
    width: int | None = None
    sets: str | None = None


MODEL: Final = Column("Model", sets="model")
JOB: Final = Column("Job", sets="job")


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
