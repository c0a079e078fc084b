# SPDX-License-Identifier: Apache-2.0
"""A report as a page of HTML that needs nothing else: style and picture (SVG) are in it. Everything is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from after200.cli.report.contents import Section, contents
from after200.cli.report.incident import Incident
from after200.cli.report.wording import clock

WIDTH, HEIGHT, LEFT, BOTTOM = 900, 240, 48, 28
COLORS = (("completed", "#4c9a63"), ("left", "#c9a227"), ("failed", "#8a8f98"), ("hidden", "#c4332b"))
"""What a bar consists of, from below, with its colour. They differ in lightness too."""

WORDS = {"hidden": "failed after 200", "failed": "failed where HTTP shows it", "left": "left", "completed": "completed"}

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #d5d9de; text-align: left; white-space: nowrap; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7eb; } th, td { border-color: #3a4048; }
svg text { fill: #e4e7eb; } }
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
    if section.chart:
        yield chart(incident)
    if section.rows:
        yield f"<table><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in section.head)}</tr></thead><tbody>"
        for cells in section.rows:
            yield f"<tr>{''.join(_cell(each) for each in cells)}</tr>"
        yield "</tbody></table>"


def _cell(value: str) -> str:
    is_number = value.replace(",", "").rstrip("%").replace(".", "").isdigit()
    return f"<td{' class=n' * is_number}>{escape(value)}</td>"


def chart(incident: Incident) -> str:
    """Returns the picture: a bar for each step, of what its calls came to."""
    steps = incident.steps
    top = max((each.ended.calls for each in steps), default=0) or 1
    width = (WIDTH - LEFT) / max(len(steps), 1)
    height = HEIGHT - BOTTOM - 24
    bars = []
    for at, each in enumerate(steps):
        base = 24.0 + height
        for kind, color in COLORS:
            number = getattr(each.ended, kind)
            if number:
                tall = number / top * height
                base -= tall
                bars.append(
                    f'<rect x="{LEFT + at * width:.1f}" y="{base:.1f}" width="{max(width - 1, 1):.1f}" '
                    f'height="{tall:.1f}" fill="{color}"><title>{escape(clock(each.time))}: {number} '
                    f"{escape(WORDS[kind])}</title></rect>"
                )
    legend = "".join(
        f'<rect x="{LEFT + at * 200}" y="4" width="12" height="12" fill="{color}"/>'
        f'<text x="{LEFT + at * 200 + 18}" y="14">{escape(WORDS[kind])}</text>'
        for at, (kind, color) in enumerate(COLORS)
    )
    axis = (
        f'<text x="{LEFT - 6}" y="34" text-anchor="end">{top}</text>'
        f'<text x="{LEFT - 6}" y="{24 + height}" text-anchor="end">0</text>'
        f'<line x1="{LEFT}" y1="{24 + height}" x2="{WIDTH}" y2="{24 + height}" stroke="#8a8f98"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(clock(incident.begin))}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 8}" text-anchor="end">{escape(clock(incident.end))}</text>'
    )
    words = f"Calls by what they came to, from {clock(incident.begin)} to {clock(incident.end)}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="{escape(words)}" '
        f'font-family="system-ui, sans-serif" font-size="12">{legend}{"".join(bars)}{axis}</svg>'
    )
