# SPDX-License-Identifier: Apache-2.0
"""The tables that the commands print: calls by how they ended, what they were answered, and facts by their names.

`rich` tables come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Column, Table
from rich.text import Text

from after200.cli.answered import Answered
from after200.cli.endings import Ending
from after200.cli.fitting import shorten
from after200.cli.wording import seconds_of

STYLES = {"completed": "green", "failed": "bold red", "truncated": "bold red"}
"""The style of each outcome; every other outcome is yellow."""

ANSWER_STYLES = {"complete": "green", "refused": "bold red"}
"""The style of each kind of answer; every other kind is yellow."""

BESIDE_A_MODEL = 50
"""The columns of a terminal that the table of rate limits needs beside the names of the models."""

NEAR = 0.8
"""The share of a rate limit from which it is shown in red."""


def table(title: str, *columns: str | Column) -> Table:
    """Returns an empty table in the style of the commands, at least as wide as its title."""
    found = Table(*columns, title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    found.min_width = cell_len(title)
    return found


def numbers(header: str) -> Column:
    """Returns a column for numbers."""
    return Column(header, justify="right", no_wrap=True)


def add_rest(found: Table, rows: int, most: int | None) -> None:
    """Adds a last row that says how many of `rows` are not shown, where only `most` are."""
    if most is not None and rows > most:
        found.add_row(f"and {rows - most} more", style="dim")


def calls_table(title: str, calls: Mapping[Ending, int], most: int | None = None) -> Table:
    """Calls by how they ended: first those that did not fail, then the most frequent failures; at most `most` rows."""
    found = table(title, "HTTP", "status", "outcome", "error.type", numbers("calls"))
    found.columns[0].no_wrap = True
    rows = sorted(calls.items(), key=lambda item: (item[0].is_error, -item[1], str(item[0])))
    for ending, count in rows[:most]:
        statuses = (str(status or "-") for status in (ending.wire_status, ending.status))
        style = STYLES.get(ending.outcome, "yellow")
        found.add_row(*statuses, ending.outcome, ending.error_type or "", str(count), style=style)
    add_rest(found, len(rows), most)
    return found


def answered_tables(answered: Answered, most: int | None = None, width: int | None = None) -> list[Table]:
    """Returns the tables of what calls were answered that have rows, the most important first.

    Each has at most `most` rows, and the names of models are shortened so that it fits into `width` columns.
    """
    answers = table("Answers", "answer", "reason", numbers("calls"))
    for (answer, reason, fallback), calls in _most_frequent_first(answered.answers)[:most]:
        why = f"{reason}, by another model" if fallback else reason
        answers.add_row(answer, why, str(calls), style=ANSWER_STYLES.get(answer, "yellow"))

    limits = table("Rate limits, last minute", "model", "of", numbers("used"), numbers("limit"))
    nearest = sorted(answered.limits, key=lambda each: -each.used)[:most]
    room = 200 if width is None else max(width - BESIDE_A_MODEL, 14)
    for model, (_, kind, used, limit) in zip(shorten([each.model for each in nearest], room), nearest, strict=True):
        style = "bold red" if used >= NEAR else ""
        limits.add_row(model, kind, f"{used:.0%}", "" if limit is None else f"{limit:,.0f}", style=style)

    tools = table("Server tools", "tool", "error", numbers("results"))
    for (tool, error), results in _most_frequent_first(answered.tools)[:most]:
        tools.add_row(tool, error, str(results), style="yellow" if error else "green")

    waits = table("Waiting before retries", "because of", numbers("time"))
    for failure, waited in sorted(answered.waits.items(), key=lambda item: -item[1]):
        waits.add_row(failure, seconds_of(waited))

    tokens = table("Tokens billed", "type", "detail", numbers("tokens"))
    for (kind, detail), number in sorted(answered.tokens.items()):
        tokens.add_row(kind, detail, f"{number:,}")

    for found, rows in ((answers, answered.answers), (limits, answered.limits), (tools, answered.tools)):
        add_rest(found, len(rows), most)
    return [each for each in (answers, limits, tools, waits, tokens) if each.row_count]


def _most_frequent_first(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def facts_table(facts: Iterable[tuple[str, object]]) -> Table:
    """Names and what they stand for, one a line."""
    found = Table.grid(padding=(0, 2))
    for name, value in facts:
        # An interval in seconds needs no twelve places.
        found.add_row(Text(name, style="cyan"), Text(f"{value:.4g}" if isinstance(value, float) else str(value)))
    return found
