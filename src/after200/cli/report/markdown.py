# SPDX-License-Identifier: Apache-2.0
"""A report as a page of Markdown. What a server or a caller chose is escaped: it can neither format nor link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from after200.cli.report.contents import contents
from after200.cli.report.incident import Incident

_NAME = re.compile(r"([A-Za-z0-9_.:/@+-]*_[A-Za-z0-9_.:/@+-]*?)([.,:?]*)", re.ASCII)
"""A plain name with an underscore, and what ends the sentence after it."""

_SPECIAL = re.compile(r"&#\d+;|[\\`*_{}\[\]#!|]")
_ENTITIES = re.compile(r"[<>&$^~@=]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def write(incident: Incident) -> str:
    """Returns the page."""
    return "\n".join(_lines(incident)) + "\n"


def _lines(incident: Incident) -> Iterator[str]:
    for level, section in enumerate(contents(incident)):
        if level:
            yield ""
        yield f"{'##' if level else '#'} {section.heading}"
        for sentence in section.sentences:
            yield ""
            yield text(sentence)
        if section.rows:
            yield ""
            yield row(section.head)
            yield row(["---:" if each else "---" for each in section.numeric], raw=True)
            yield from (row(cells) for cells in section.rows)


def row(cells: Sequence[str], *, raw: bool = False) -> str:
    """Returns a row of a table."""
    return f"| {' | '.join(cells if raw else map(text, cells))} |"


def text(value: str) -> str:
    """Returns `value` so that Markdown shows it as it is: plain names with an underscore as code, the rest escaped."""
    line = one_line(value)
    return line if _SENTENCE_WITH_LINK.fullmatch(line) else " ".join(map(_word, line.split(" ")))


def _word(word: str) -> str:
    """A backslash does for what every Markdown escapes, an entity for the rest and for what would become a link."""
    if name := _NAME.fullmatch(word):
        return f"`{name[1]}`{name[2]}"
    escaped = _ENTITIES.sub(lambda found: f"&#{ord(found[0])};", word)
    return _SPECIAL.sub(lambda found: found[0] if found[0].startswith("&#") else f"\\{found[0]}", escaped)


_SENTENCE_WITH_LINK = re.compile(r"What the provider says about it: (?:https://[a-z./]+(?:, )?)+\.")


def one_line(value: str) -> str:
    """Returns `value` in one line, without controls."""
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())
