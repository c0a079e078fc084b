# SPDX-License-Identifier: Apache-2.0
"""Tables of single failed calls with their request ids: from log records in Loki, and from spans in Tempo.

Both ask for what the variables at the top of a dashboard select, and both name the same things in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grafana_foundation_sdk.builders import loki, table, tempo
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import tempo as tm

from after200 import names
from after200.monitoring.panels import ABSENT, Panel, described, narrow, property_of
from after200.monitoring.tables import organized, transformation
from after200.names.prometheus import label

LOGS_SOURCE: Final = cm.DataSourceRef(type_val="loki", uid="${logs}")
TRACES_SOURCE: Final = cm.DataSourceRef(type_val="tempo", uid="${traces}")
SERVICE_NAME, SERVICE_INSTANCE = "service.name", "service.instance.id"
HEADINGS: Final[dict[str, str]] = {
    SERVICE_NAME: "Job",
    names.REQUEST_MODEL: "Model",
    names.FAILURE: "Failure",
    names.WIRE_STATUS: "Wire",
    names.HTTP_STATUS: "Corrected",
    names.ANTHROPIC_REQUEST_ID: "Request id",
}
"""Attribute → the heading of its column, in the order of the columns."""
WIDTHS: Final[dict[str, int]] = {
    "Time": 122,
    "Job": 116,
    "Failure": 116,
    "Wire": 52,
    "Corrected": 82,
    "Request id": 258,
    "Span ID": 146,
}
CHOSEN: Final[dict[str, str]] = {names.PROVIDER_NAME: "${provider:pipe}", names.REQUEST_MODEL: "${model:pipe}"}
"""Attribute of a span or a log record → the values that are chosen, as a regular expression."""
LINES: Final = 50


def from_logs(title: str, description: str) -> Panel:
    """The latest log records of failed calls. Loki has `_` where attributes have dots."""
    chosen = {SERVICE_INSTANCE: "${instance:pipe}", **CHOSEN}
    filters = [f'{label(names.FAILURE)} != ""', *(f'{label(name)} =~ "{values}"' for name, values in chosen.items())]
    query = f'{{{label(SERVICE_NAME)}=~"${{service:pipe}}"}} | {" | ".join(filters)}'
    columns = {label(name): heading for name, heading in HEADINGS.items()}
    target = loki.Dataquery().datasource(LOGS_SOURCE).expr(query).query_type("range").max_lines(LINES).ref_id("A")
    panel = (
        table.Panel()
        .with_target(target)
        .with_transformation(
            transformation("extractFields", {"source": "labels", "format": "json", "replace": True, "keepTime": True})
        )
        .with_transformation(transformation("filterFieldsByName", {"include": {"names": ["Time", *columns]}}))
        .with_transformation(organized({}, ["Time", *columns], columns))
    )
    nothing = "no log record of a failed call in Loki: none failed, or the stack has no logs"
    panel = finished(panel, nothing, ["Time", *columns.values()])
    return described(panel, title, description, "string", span=24, source=LOGS_SOURCE)


def from_spans(title: str, description: str, condition: str, nothing: str, *without: str) -> Panel:
    """The latest spans that a TraceQL condition finds, with what is chosen, as `resource.` and `span.` have it.

    `without` are attributes of which the table has no column.
    """
    conditions = [condition, f'resource.{SERVICE_NAME} =~ "${{service:pipe}}"']
    conditions += [f'span.{name} =~ "{values}"' for name, values in CHOSEN.items()]
    attributes = [name for name in HEADINGS if name not in (SERVICE_NAME, *without)]
    selected = ", ".join(f"span.{name}" for name in attributes)
    query = f"{{ {' && '.join(conditions)} }} | select({selected})"
    target = tempo.TempoQuery().datasource(TRACES_SOURCE).query_type("traceql").query(query).ref_id("A")
    columns = {"Start time": "Time", "Trace Service": "Job"} | {name: HEADINGS[name] for name in attributes}
    order = ["Start time", "Trace Service", *attributes, "Span ID"]
    panel = (
        table.Panel()
        .with_target(target.limit(LINES).table_type(tm.SearchTableType.SPANS))
        .with_transformation(organized({"Trace Name": True, "Name": True, "Duration": True}, order, columns))
    )
    panel = finished(panel, nothing, ["Span ID", *columns.values()])
    return described(panel, title, description, "none", span=24, source=TRACES_SOURCE)


def finished(panel: Panel, nothing: str, headings: Iterable[str]) -> Panel:
    """The panel with the widths of its columns; a click on a model narrows the dashboard down to it."""
    for heading, width in ((heading, WIDTHS[heading]) for heading in headings if heading in WIDTHS):
        panel = panel.override_by_name(heading, [property_of("custom.width", width)])
    panel = panel.override_by_name("Time", [property_of("unit", "time:MM-DD HH:mm:ss")])
    wrap = property_of("custom.cellOptions", {"type": "auto", "wrapText": True})
    only_this = narrow("model", "${__value.raw:percentencode}")
    return (
        panel.override_by_name("Model", [wrap, only_this])
        .no_value(nothing)
        .override_by_field_type("string", [ABSENT])
        .height(7)
    )
