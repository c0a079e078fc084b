# SPDX-License-Identifier: Apache-2.0
"""A report as a page of HTML that needs nothing else: style and pictures (SVG) are in it. Everything is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from after200.cli.report.contents import contents
from after200.cli.report.incident import Incident
from after200.cli.report.picture import pictures
from after200.cli.report.sections import Section

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #d5d9de; text-align: left; white-space: nowrap; }
th { vertical-align: bottom; white-space: normal; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; min-width: 44rem; height: auto; display: block; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7eb; } th, td { border-color: #3a4048; }
svg text { fill: #e4e7eb; } .alert { fill: #e4e7eb; } }
@media (max-width: 40rem) { body { margin: 1rem auto; } td, th { padding: .2rem .4rem; font-size: 14px; } }
"""


def write(incident: Incident) -> str:
    """Returns the page."""
    parts = list(contents(incident))
    body = "\n".join(line for level, section in enumerate(parts) for line in _section(incident, section, level))
    title = escape(parts[0].heading)
    policy = "default-src 'none'; style-src 'unsafe-inline'"  # nothing is loaded, and nothing runs
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _section(incident: Incident, section: Section, level: int) -> Iterator[str]:
    yield f"<h{1 + bool(level)}>{escape(section.heading)}</h{1 + bool(level)}>"
    yield from (f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    if section.pictures:
        yield from (f'<div class="wide">{each}</div>' for each in pictures(incident))
    if section.rows:
        kinds = [" class=n" * each for each in section.numeric]
        heads = (f"<th{kind}>{escape(head)}</th>" for head, kind in zip(section.head, kinds, strict=True))
        yield f'<div class="wide"><table><thead><tr>{"".join(heads)}</tr></thead><tbody>'
        for cells in section.rows:
            each_cell = (f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(cells, kinds, strict=True))
            yield f"<tr>{''.join(each_cell)}</tr>"
        yield "</tbody></table></div>"
