# SPDX-License-Identifier: Apache-2.0
"""The pages of the documentation as the tests read them: their code blocks, tables and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REPOSITORY = "https://github.com/after200/after200/"


class Block(NamedTuple):
    """A code block of a page."""

    page: str
    language: str
    text: str


def pages() -> list[Path]:
    """Every page; `matrix.md` is a part of one."""
    return sorted(page for page in DOCS.glob("*.md") if page.name != "matrix.md")


def blocks(*languages: str) -> list[Block]:
    """The code blocks in these languages, of all pages."""
    found = []
    for page in pages():
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
            if language in languages:
                found.append(Block(page.name, language, text))
    return found


def tables(page: str) -> Iterator[list[dict[str, str]]]:
    """The tables of a page, each row by the heads of its columns, without the marks of code and links."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.M):
        head, _, *rows = ([_plain(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines())
        yield [dict(zip(head, row, strict=True)) for row in rows]


def table(page: str, *columns: str) -> list[dict[str, str]]:
    """The rows of every table of a page that has these columns."""
    return [row for rows in tables(page) if rows and set(columns) <= rows[0].keys() for row in rows]


def _plain(cell: str) -> str:
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell).replace("`", "").strip()
