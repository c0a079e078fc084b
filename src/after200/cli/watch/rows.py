# SPDX-License-Identifier: Apache-2.0
"""The two tables of `watch` that have a row for each model and for each failed call, in the order that was chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from after200.cli.endings import Totals, added
from after200.cli.fitting import Field, fit
from after200.cli.tables import table
from after200.cli.watch.summary import Model, Only, Summary

SORTS: Final[dict[str, Callable[[Model], Any]]] = {
    "failed after 200": lambda each: (-each.ended.hidden, -each.ended.failed, -each.ended.calls),
    "failed": lambda each: (-each.ended.failed - each.ended.hidden, -each.ended.calls),
    "calls": lambda each: -each.ended.calls,
    "open": lambda each: -each.open,
    "name": lambda each: (each.service, each.model),
}
"""What the rows can be sorted by, in the order in which the key goes through them. Equals are sorted by name."""

LEAST_NAME = 14
"""The characters that are left of the longest names on the smallest screen."""

MARGIN = 2
"""The blanks around a table."""

SDK = "the SDK"
"""What made a call that no HTTP library is named for."""

SORT, DOWN, UP, ALL, LEAVE = "s", ("j", "\x1b[B", "\x1bOB"), ("k", "\x1b[A", "\x1bOA"), ("a", "\x1b"), "q"
"""The keys."""

COUNTS: Final[tuple[tuple[str, int, Callable[[Totals], int]], ...]] = (
    ("calls", 2, lambda ended: ended.calls),
    ("HTTP\nsays ok", 3, lambda ended: ended.http_ok),
    ("completed", 5, lambda ended: ended.completed),
    ("failed\nafter 200", 1, lambda ended: ended.hidden),
    ("failed", 6, lambda ended: ended.failed),
    ("left", 7, lambda ended: ended.left),
)
"""The numbers of a row: the head of the column, its rank (`fitting.Field`), and what is in it."""


@dataclass
class Choice:
    """What somebody has chosen by keys: the order of the models, and one of them to look at."""

    sort: str = next(iter(SORTS))
    only: Only | None = None

    def press(self, key: str, models: Sequence[Model]) -> None:
        """Changes the choice as `key` says; `models` are those there are."""
        if key == SORT:
            order = list(SORTS)
            self.sort = order[(order.index(self.sort) + 1) % len(order)]
        elif key in ALL:
            self.only = None
        elif key in (*DOWN, *UP) and models:
            rows = [Only(each.service, each.model) for each in self.ordered(models)]
            step = 1 if key in DOWN else -1
            at = rows.index(self.only) + step if self.only in rows else (0 if step == 1 else -1)
            self.only = rows[at % len(rows)]

    def ordered(self, models: Sequence[Model]) -> list[Model]:
        """Returns the models in the chosen order, the worst first."""
        return sorted(models, key=lambda each: (SORTS[self.sort](each), each.service, each.model))


def models_table(summary: Summary, width: int, most: int, choice: Choice) -> RenderableType:
    """The calls by model, and by service where there is more than one: `most` rows, a row for the rest, one for all."""
    ordered = choice.ordered(summary.models)
    at = next((i for i, each in enumerate(ordered) if (each.service, each.model) == choice.only), 0)
    first = max(0, min(at - most // 2, len(ordered) - most))
    shown, rest = ordered[first : first + most], ordered[:first] + ordered[first + most :]
    rows = list(shown)
    if rest:
        rows.append(_added(f"and {len(rest)} more", rest))
    if len(ordered) > 1:
        rows.append(_added(f"all {len(ordered)}", ordered))
    names = [each.model for each in rows]
    fields = [Field("model", names, 1, LEAST_NAME, others=tuple({each.model for each in rest}))]
    if len(summary.services) > 1:
        fields.insert(0, Field("service", [each.service for each in rows], 1, LEAST_NAME - 4))
    for head, rank, number in COUNTS:
        fields.append(Field(head, [f"{number(each.ended)}" for each in rows], rank, right=True))
    fields.append(Field("open", [str(each.open) for each in rows], 8, right=True))
    styles = ["bold red" if each.ended.hidden else "" for each in shown] + ["dim"] * bool(rest) + ["bold"]
    for row, each in enumerate(shown):
        if (each.service, each.model) == choice.only:
            styles[row] = f"{styles[row]} reverse".strip()
    return _drawn("What HTTP says, and what is true", fields, width, styles)


def _added(name: str, models: Sequence[Model]) -> Model:
    """Returns a row with the sums of `models`."""
    return Model("", name, added(each.ended for each in models), sum(each.open for each in models))


def failures_table(summary: Summary, width: int, most: int) -> RenderableType:
    """The last failed calls, with what support asks for; nothing when there are none.

    The service and the model of a call are shown where there are several.
    """
    shown = summary.failures[: max(most, 0)]
    if not shown:
        return ""
    clock = [time.strftime("%H:%M:%S", time.localtime(each.time)) for each in shown]
    fields = [Field("time", clock, 1)]
    if len(summary.services) > 1:
        fields.append(Field("service", [each.service for each in shown], 5, LEAST_NAME - 4))
    if len({model.model for model in summary.models}) > 1:
        fields.append(Field("model", [each.model for each in shown], 4, LEAST_NAME))
    if any(each.client for each in shown):
        fields.append(Field("client", [each.client or SDK for each in shown], 5))
    fields += [
        Field("error.type", [each.ending.error_type or "" for each in shown], 1),
        Field("HTTP", [str(each.ending.wire_status or "-") for each in shown], 7),
        Field("status", [str(each.ending.status or "-") for each in shown], 6),
        Field("request id", [each.request_id for each in shown], 2),
    ]
    return _drawn("Last failures", fields, width, ["bold red" if each.ending.is_hidden else "" for each in shown])


def _drawn(title: str, fields: Sequence[Field], width: int, styles: Sequence[str]) -> RenderableType:
    kept, left_out = fit(fields, width - MARGIN)
    columns = [Column(each.head, justify="right" if each.right else "left", no_wrap=True) for each in kept]
    found: Table = table(title, *columns)
    found.collapse_padding = True
    for row, style in zip(range(len(kept[0].cells)), styles, strict=False):
        found.add_row(*(Text(each.cells[row]) for each in kept), style=style)
    if not left_out:
        return found
    return Group(found, Text(f" A wider screen also shows: {', '.join(left_out)}", style="dim"))
