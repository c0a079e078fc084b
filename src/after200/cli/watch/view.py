# SPDX-License-Identifier: Apache-2.0
"""A `Summary` as tables for a terminal, and as values for JSON."""

from __future__ import annotations

import time
from itertools import chain
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from after200.cli.endings import totals
from after200.cli.tables import answered_tables, calls_table, numbers, table
from after200.cli.watch.summary import Summary

AT_THE_END = 10
"""How many of the last failures stay in the terminal."""

FRAME = 5
"""The lines of a table that are no rows: its title, its head, the lines around it."""

REQUEST_ID = 28
"""The length of a request id, which must be legible on every screen."""

LEAST_FAILURES = 3
"""How many of the last failures are worth more than another table, where the screen is small."""

WAITING = (
    "No metrics of after200 have come yet. A service exports them every OTEL_METRIC_EXPORT_INTERVAL milliseconds "
    "(60000 by default). The service must run under opentelemetry-instrument, or set OpenTelemetry up itself, and "
    "needs OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf. after200 verify, run with the settings of the service, says why "
    "nothing comes."
)
"""What stands in place of the tables until something has come."""


def live(summary: Summary, console: Console, header: str) -> RenderableType:
    """Returns what fits on the screen under a `header`: the calls by model, other tables, and the last failures."""
    below = tables(summary)
    title = Text(header, style="bold", no_wrap=True, overflow="ellipsis")
    while True:
        above = Group(title, models_table(summary), Columns(below, padding=(0, 3)))
        room = console.height - len(console.render_lines(above)) - FRAME
        if not summary.failures or room >= LEAST_FAILURES:
            return Group(above, failures_table(summary, max(room, 0)))
        if not below:
            return above
        below.pop()


def closing(summary: Summary) -> RenderableType:
    """Returns what stays in the terminal at the end."""
    below = Columns(tables(summary), padding=(0, 3))
    last = Text(totals(summary.calls).sentence() if summary.models else "", style="bold")
    return Group(models_table(summary), below, failures_table(summary, AT_THE_END), last)


def tables(summary: Summary) -> list[RenderableType]:
    """Returns the other tables that have rows, the most important first."""
    drawn: list[RenderableType] = [calls_table("How calls ended", summary.calls)] if summary.calls else []
    return [*drawn, *answered_tables(summary.answered)]


def models_table(summary: Summary) -> Table | str:
    """The calls by model, and by service where there is more than one."""
    if not summary.models:
        return WAITING
    several = len(summary.services) > 1
    words = [Column(name, overflow="fold", min_width=12) for name in ["service"] * several + ["model"]]
    counts = ("calls", "HTTP\nsays ok", "completed", "failed\nafter 200", "failed", "left", "open")
    found = table("What HTTP says, and what is true", *words, *map(numbers, counts))
    for service, model, ended, open_streams in summary.models:
        cells = ([service] * several + [model], map(str, ended), [str(open_streams)])
        found.add_row(*chain(*cells), style="bold red" if ended.hidden else "")
    return found


def failures_table(summary: Summary, most: int) -> Table | str:
    """The last failed calls, with what support asks for; nothing when there are none.

    The service and the model of a call are shown where there are several: 80 columns have no room for more.
    """
    if not summary.failures:
        return ""
    request_id = Column("request id", no_wrap=True, min_width=REQUEST_ID)
    services, models = len(summary.services) > 1, len({model.model for model in summary.models}) > 1
    words = ["service"] * services + ["model"] * models
    found = table("Last failures", "time", *words, "error.type", "HTTP", "status", request_id)
    for each in summary.failures[:most]:
        clock = time.strftime("%H:%M:%S", time.localtime(each.time))
        statuses = (str(status or "-") for status in (each.ending.wire_status, each.ending.status))
        told = [each.service] * services + [each.model] * models
        cells = (clock, *told, each.ending.error_type, *statuses, each.request_id)
        found.add_row(*cells, style="bold red" if each.ending.is_hidden else "")
    return found


def as_json(summary: Summary, seconds: float) -> dict[str, Any]:
    """Returns the whole summary, in values that JSON has."""
    return {
        "seconds": round(seconds, 3),
        "services": summary.services,
        **totals(summary.calls)._asdict(),
        "models": [
            {"service": each.service, "model": each.model, **each.ended._asdict(), "open": each.open}
            for each in summary.models
        ],
        "endings": [{**ending._asdict(), "calls": number} for ending, number in summary.calls.most_common()],
        "attempts": dict(summary.attempts),
        **summary.answered.as_json(),
        "last_failures": [{**each._asdict(), "ending": each.ending._asdict()} for each in summary.failures],
    }
