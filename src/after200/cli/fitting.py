# SPDX-License-Identifier: Apache-2.0
"""Tables that fit a terminal: long names are shortened in the middle, and whole columns are left out, never cut.

Columns with all their cells and a width go in; columns that fit come out, and the names of those that do not. Two
different names stay different however short they get.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from rich.cells import cell_len

ELLIPSIS = "…"
BETWEEN_WORDS = "-./_@ "
GAP = 2
"""The blanks between two columns."""


@dataclass(frozen=True)
class Field:
    """A column: its head (lines separated by newlines), its cells, and what may happen to it where room is short.

    `rank` 1 stays; the column with the highest rank is left out first. `least` is the width down to which the cells may
    be shortened, None for cells that may not. A shortened cell also differs from all `others`, which are not shown.
    """

    head: str
    cells: list[str]
    rank: int = 1
    least: int | None = None
    right: bool = False
    others: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The cells of a terminal that the column takes."""
        return max(map(cell_len, [*self.head.split("\n"), *self.cells]), default=0)


def fit(fields: Sequence[Field], width: int) -> tuple[list[Field], list[str]]:
    """Returns the columns that fit into `width`, shortened where they may be, and the heads of those left out."""
    kept = list(fields)
    left_out: list[str] = []
    while kept and _least(kept) > width and max(each.rank for each in kept) > 1:
        last = max(kept, key=lambda each: each.rank)
        kept.remove(last)
        left_out.insert(0, last.head.replace("\n", " "))
    return _shortened(kept, width), left_out


def _least(fields: Sequence[Field]) -> int:
    widths = (each.width if each.least is None else min(each.width, max(each.least, _head(each))) for each in fields)
    return sum(widths) + GAP * (len(fields) - 1)


def _head(each: Field) -> int:
    return max(map(cell_len, each.head.split("\n")))


def _shortened(fields: list[Field], width: int) -> list[Field]:
    """The widest of the columns that may be shortened is, until all fit."""
    over = sum(each.width for each in fields) + GAP * (len(fields) - 1) - width
    while over > 0:
        can = [each for each in fields if each.least is not None and each.width > max(each.least, _head(each))]
        if not can:
            break
        widest = max(can, key=lambda each: each.width)
        to = max(widest.width - over, max(widest.least or 0, _head(widest)))
        others = [each.width for each in can if each is not widest]
        if others and max(others) < widest.width:
            to = max(to, max(others))
        elif others:
            to = max(to, widest.width - max(over // len(can), 1))
        fields[fields.index(widest)] = replace(
            widest, cells=shorten([*widest.cells, *widest.others], to)[: len(widest.cells)]
        )
        now = sum(each.width for each in fields) + GAP * (len(fields) - 1) - width
        if now >= over:
            break
        over = now
    return fields


def shorten(texts: Sequence[str], width: int) -> list[str]:
    """Returns `texts` in at most `width` characters each, those that are too long with a `…` in the place of a part.

    Which part is left out is the same in all of them, and chosen so that different texts stay different.
    """
    different = set(texts)
    best = _without_what_is_common(different, width)
    if len(set(best.values())) == len(different):
        return [best[text] for text in texts]
    for head, end in _cuts(max(map(len, different), default=0), width):
        found = {text: _cut(text, width, head, end) for text in different}
        if len(set(found.values())) > len(set(best.values())):
            best = found
        if len(set(best.values())) == len(different):
            break
    _number(best, width)
    return [best.get(text, text) for text in texts]


def _without_what_is_common(different: set[str], width: int) -> dict[str, str]:
    """Leaves out words that all of the long texts begin or end with, as few as will do; nothing where none will."""
    long = [text for text in different if cell_len(text) > width]
    if len(long) < 2:
        return {}
    start = _common(long)
    end = min(_common([text[::-1] for text in long]), min(map(len, long)) - start)
    starts = [0, *(at + 1 for at in range(start) if long[0][at] in BETWEEN_WORDS)]
    ends = [0, *(at for at in range(1, end + 1) if long[0][-at] in BETWEEN_WORDS)]
    for head, tail in sorted(product(starts, ends), key=sum):
        found = {
            text: f"{ELLIPSIS * (head > 0)}{text[head : len(text) - tail]}{ELLIPSIS * (tail > 0)}" for text in long
        }
        if all(cell_len(short) <= width for short in found.values()):
            return {text: found.get(text, text) for text in different}
    return {}


def _common(texts: Sequence[str]) -> int:
    """Returns how many characters all texts begin with."""
    first, last = min(texts), max(texts)
    return next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))


def _cuts(longest: int, width: int) -> Iterator[tuple[int, int]]:
    """Yields how many characters of the beginning are shown, and how many before the end are not, the best first.

    The end of a name says more than its middle, because versions stand there: the larger half is the end's.
    """
    yield from ((head, 0) for head in sorted(range(width), key=lambda head: abs(head - width // 3)))
    yield from ((head, end) for head in range(min(4, width)) for end in range(1, longest))


def _cut(text: str, width: int, head: int, end: int) -> str:
    if cell_len(text) <= width:
        return text
    marks = 1 + (end > 0)
    stop = max(len(text) - end, head)
    shown = max(width - head - marks, 0)
    if stop - shown <= head:  # The two parts touch.
        return text[: width - 1] + ELLIPSIS
    return text[:head] + ELLIPSIS + text[stop - shown : stop] + ELLIPSIS * (end > 0)


def _number(best: dict[str, str], width: int) -> None:
    """Texts that no cut tells apart get a number at their end."""
    seen: dict[str, list[str]] = {}
    for text in sorted(best):
        seen.setdefault(best[text], []).append(text)
    for short, alike in seen.items():
        for number, text in enumerate(alike[1:], 2):
            mark = f"{ELLIPSIS}{number}"
            best[text] = short[: width - len(mark)] + mark
