# SPDX-License-Identifier: Apache-2.0
"""Panels that are tables: counts by label values, one label against another, and traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import prometheus as pm

from after200 import names
from after200.monitoring.panels import ABSENT, NO_CALLS, Panel, described, narrow, property_of, target
from after200.monitoring.promql import sum_by
from after200.monitoring.selection import or_none
from after200.names.prometheus import label


@dataclass(frozen=True)
class Column:
    """The values of an attribute as a column of a table.

    Without a width (in pixels), the column takes what the others leave. `sets` is the variable that a click sets.
    `absent` stands where a series lacks the attribute. `wraps`: a long value takes a second line.
    `joined` is an attribute whose value, where there is one, stands behind the attribute's.
    """

    attribute: str
    heading: str
    width: int | None = None
    sets: str = ""
    absent: str = ""
    wraps: bool = False
    joined: str = ""


MODEL: Final = Column(names.REQUEST_MODEL, "Model", sets="model", wraps=True)
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
    nothing: str = NO_CALLS,
) -> Panel:
    """A table of label values and a number, whose heading is `value`; highest number first.

    A click on a value of a column that sets a variable narrows the dashboard down to it. A long value takes a second
    line. `nothing` is what the panel says without data.
    """
    headings = {label(column.attribute): column.heading for column in columns}
    for column in columns:
        if column.absent:
            expr = or_none(expr, column.attribute, text=column.absent)
        if column.joined:
            expr = joined(expr, [one.attribute for one in columns], column.attribute, column.joined)
    panel = (
        instant_table(expr)
        .with_transformation(organized({"Time": True}, ["Value", *headings], headings | {"Value": value}))
        .with_transformation(transformation("sortBy", {"sort": [{"field": value, "desc": True}]}))
        .decimals(decimals)
        .no_value(nothing)
        .override_by_field_type("string", [ABSENT])
        .override_by_name(value, [property_of("custom.width", max(95, 10 * len(value)))])  # Grafana cuts a longer head
    )
    for column in columns:
        properties = [] if column.width is None else [property_of("custom.width", column.width)]
        if column.wraps:
            properties.append(property_of("custom.cellOptions", {"type": "auto", "wrapText": True}))
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
        .with_transformation(transformation("sortBy", {"sort": [{"field": heading, "desc": False}]}))
        .decimals(0)
        .width(64)
        .override_by_name(heading, [property_of("custom.width", 150)])
    )
    return described(
        panel.no_value(NO_CALLS).override_by_field_type("number", [ABSENT]), title, description, "locale", span=12
    )


def joined(expr: str, by: Sequence[str], first: str, second: str) -> str:
    """The expression by these attributes, of which `first` has the value of `second` behind its own."""
    name = label(first)
    both = f'label_join({expr}, "{name}", " · ", "{name}", "{label(second)}")'
    return sum_by(by, f'label_replace({both}, "{name}", "$1", "{name}", "(.*) · ")')


def instant_table(expr: str) -> Panel:
    return table.Panel().with_target(target(expr, "A").instant().format(pm.PromQueryFormat.TABLE)).height(8)


def organized(left_out: dict[str, bool], order: Sequence[str], headings: dict[str, str]) -> dm.DataTransformerConfig:
    """The order of the columns, and their headings."""
    places = {name: place for place, name in enumerate(order)}
    return transformation("organize", {"excludeByName": left_out, "indexByName": places, "renameByName": headings})


def transformation(name: str, options: dict[str, Any]) -> dm.DataTransformerConfig:
    return dm.DataTransformerConfig(id_val=name, options=options)
