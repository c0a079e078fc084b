# SPDX-License-Identifier: Apache-2.0
"""A part of a report: a heading, sentences and a table of plain text. Markdown and HTML are ways to write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_ROWS = 40
"""How many models, kinds of failure or limits a table shows; the last row then says how many there are more."""

_NUMBER = re.compile(r"-|(?:below |above )?[\d,]+(?:\.\d+)?(?:%| s)?")


@dataclass(frozen=True)
class Section:
    """A part of the page. Nothing is escaped here."""

    heading: str
    sentences: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)
    pictures: bool = False
    """Whether the pictures of the calls over time belong here, before the table."""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """For each column of the table, whether it holds numbers only (`-` where there is none)."""
        columns = zip(*self.rows, strict=True)
        return tuple(
            any(any(map(str.isdigit, each)) for each in column) and all(map(_is_number, column)) for column in columns
        )


def _is_number(cell: str) -> bool:
    return not cell or _NUMBER.fullmatch(cell) is not None


def and_more(rows: Sequence[Sequence[str]], sums: Sequence[str] | None = None) -> list[Sequence[str]]:
    """Returns the first `MOST_ROWS` rows, and one that says how many more there are; `sums` are its other cells."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    rest = f"and {len(rows) - MOST_ROWS} more"
    return [*rows[:MOST_ROWS], (rest, *(sums or [""] * (len(rows[0]) - 1)))]
