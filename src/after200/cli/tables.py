# SPDX-License-Identifier: Apache-2.0
"""The tables that the commands print: calls by how they ended, and facts by their names. `rich` tables come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table
from rich.text import Text

from after200.cli.endings import Ending

STYLES = {"completed": "green", "failed": "bold red", "truncated": "bold red"}
"""The style of each outcome; every other outcome is yellow."""


def table(title: str, *columns: str | Column) -> Table:
    """Returns an empty table in the style of the commands."""
    return Table(*columns, title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def numbers(header: str) -> Column:
    """Returns a column for numbers."""
    return Column(header, justify="right", no_wrap=True)


def calls_table(title: str, calls: Mapping[Ending, int]) -> Table:
    """Calls by how they ended: first those that did not fail, then the most frequent failures."""
    found = table(title, "HTTP", "status", "outcome", "error.type", numbers("calls"))
    for ending, count in sorted(calls.items(), key=lambda item: (item[0].is_error, -item[1], str(item[0]))):
        statuses = (str(status or "-") for status in (ending.wire_status, ending.status))
        style = STYLES.get(ending.outcome, "yellow")
        found.add_row(*statuses, ending.outcome, ending.error_type or "", str(count), style=style)
    return found


def facts_table(facts: Iterable[tuple[str, object]]) -> Table:
    """Names and what they stand for, one a line."""
    found = Table.grid(padding=(0, 2))
    for name, value in facts:
        # An interval in seconds needs no twelve places.
        found.add_row(Text(name, style="cyan"), Text(f"{value:.4g}" if isinstance(value, float) else str(value)))
    return found
