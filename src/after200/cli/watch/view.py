# SPDX-License-Identifier: Apache-2.0
"""A `Summary` on a screen, as text for a file or a pipe, and as values for JSON."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from after200.cli.endings import totals
from after200.cli.tables import answered_tables, calls_table, numbers, table
from after200.cli.watch.rows import SDK, Choice, failures_table, models_table
from after200.cli.watch.summary import Summary

AT_THE_END = 10
"""How many of the last failures stay in the terminal."""

FRAME = 5
"""The lines of a table that are no rows: its title, its head, the lines around it."""

LEAST_FAILURES = 3
"""How many of the last failures are worth more than another table, where the screen is small."""

LEAST_MODELS = 3
"""How many models are shown on the smallest screen."""

MOST_ROWS = 8
"""How many rows each of the other tables has on a screen."""

UNLIMITED = 10_000
"""The columns of what is no terminal: no name is shortened there."""

WAITING = (
    "No metrics of after200 have come yet. A service exports them every OTEL_METRIC_EXPORT_INTERVAL milliseconds "
    "(60000 by default). The service must run under opentelemetry-instrument, or set OpenTelemetry up itself, and "
    "needs OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf. after200 verify, run with the settings of the service, says why "
    "nothing comes."
)
"""What stands in place of the tables until something has come."""


def live(summary: Summary, console: Console, header: str, choice: Choice | None = None) -> RenderableType:
    """Returns what fits on the screen under a `header`: the calls by model, other tables, and the last failures."""
    choice = choice or Choice()
    title = Text(header, style="bold", no_wrap=True, overflow="ellipsis")
    top = [title, *refusals(summary)]
    if not summary.models:
        return Group(*top, WAITING)
    below = tables(summary, console.width, MOST_ROWS, choice)
    most = len(summary.models)
    while True:
        above = Group(*top, models_table(summary, console.width, most, choice), Columns(below, padding=(0, 3)))
        room = console.height - len(console.render_lines(above, pad=False)) - FRAME
        needed = LEAST_FAILURES if summary.failures else -FRAME
        if room >= needed:
            return _filled(above, summary, console, room)
        share = max(console.height // 2 - 2 * FRAME, LEAST_MODELS)
        if most > share:
            most = max(most + room - needed, share)
        elif below:
            below.pop()
        else:
            return above


def _filled(above: RenderableType, summary: Summary, console: Console, room: int) -> RenderableType:
    """Returns what is above with as many of the last failures below as there is room for, in lines."""
    while True:
        found = Group(above, failures_table(summary, console.width, room))
        over = len(console.render_lines(found, pad=False)) - console.height
        if over <= 0 or room <= 0:
            return found
        room -= over


def refusals(summary: Summary) -> list[Text]:
    """Returns a line for each reason for which requests are being refused: the three most frequent."""
    return [
        Text(f"refused{f' {times} times' if times > 1 else ''}: {refusal}", style="bold red", overflow="fold")
        for refusal, times in summary.refused_now.most_common(3)
    ]


def closing(summary: Summary, width: int = UNLIMITED) -> RenderableType:
    """Returns what stays in the terminal at the end."""
    last = Text(totals(summary.calls).sentence() if summary.models else "", style="bold")
    models = models_table(summary, width, len(summary.models), Choice()) if summary.models else WAITING
    # Side by side on a screen only: in a file, each line belongs to one table.
    other: list[RenderableType] = list(tables(summary, width))
    below = other if width == UNLIMITED else [Columns(other, padding=(0, 3))]
    return Group(models, *below, failures_table(summary, width, AT_THE_END), last)


def as_text(summary: Summary) -> str:
    """Returns the same for a file or a pipe: every name whole, a line for each row, no blanks at its end."""
    console = Console(file=io.StringIO(), width=UNLIMITED, color_system=None)
    with console.capture() as captured:
        console.print(closing(summary), soft_wrap=False)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def tables(summary: Summary, width: int, most: int | None = None, choice: Choice | None = None) -> list[Table]:
    """Returns the other tables that have rows, the most important first, each with at most `most` rows."""
    only = "" if choice is None or choice.only is None else f": {choice.only.model}"
    drawn = [calls_table(f"How calls ended{only}", summary.calls, most)] if summary.calls else []
    if any(summary.clients):
        drawn.append(clients_table(summary))
    return [*drawn, *answered_tables(summary.answered, most, width)]


def clients_table(summary: Summary) -> Table:
    """Returns the calls by what made them: the SDK, or an HTTP library."""
    heads = ("calls", "completed", "failed after 200", "failed", "left")
    found = table("Made with", "client", *map(numbers, heads))
    for client, ended in summary.clients.items():
        cells = (ended.calls, ended.completed, ended.hidden, ended.failed, ended.left)
        found.add_row(client or SDK, *map(str, cells), style="bold red" if ended.hidden else "")
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
        "clients": {client or "sdk": ended._asdict() for client, ended in summary.clients.items()},
        "endings": [{**ending._asdict(), "calls": number} for ending, number in summary.calls.most_common()],
        "attempts": dict(summary.attempts),
        **summary.answered.as_json(),
        "last_failures": [{**each._asdict(), "ending": each.ending._asdict()} for each in summary.failures],
        "refused": [{**refusal._asdict(), "times": times} for refusal, times in _counted(summary)],
    }


def _counted(summary: Summary) -> Iterable[tuple[Any, int]]:
    return summary.refused.most_common()
