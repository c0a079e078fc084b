# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report (SVG): the calls of each step by what they came to, and failed calls by `error.type`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from after200.cli.report.incident import Incident
from after200.cli.report.window import STEP_LENGTHS
from after200.cli.report.wording import clock, short_clock

TICKS: Final = 7
"""How many times of the clock stand below a picture, at the most."""

WIDTH, LEFT, RIGHT, TOP, BOTTOM, STRIP = 900, 48, 8, 26, 28, 8

COLORS: Final = {
    "completed": "#4c9a63",
    "left": "#c9a227",
    "failed where HTTP shows it": "#8a8f98",
    "failed after 200": "#c4332b",
}
"""What the bars of all calls consist of, from below, with its colour. They differ in lightness too."""

SHADES: Final = ("#8f1d17", "#e0853b", "#4b6ea9", "#e9c46a", "#7b5ea7")
"""The colours of the most frequent error types. They differ in lightness too."""

OTHERS: Final = "others"
ALERT: Final = "an alert of severity critical fires"
ALERT_COLOR, OTHERS_COLOR, LINE_COLOR = "#1b1f24", "#b6bbc2", "#8a8f98"

Bars = Sequence[Mapping[str, int]]
"""What each step's bar consists of."""


def pictures(incident: Incident) -> Iterator[str]:
    """Yields the picture of all calls, and where calls failed the picture of those."""
    ended = [each.ended for each in incident.steps]
    words = ("completed", "left", "failed", "hidden")
    bars = [dict(zip(COLORS, (getattr(each, word) for word in words), strict=True)) for each in ended]
    yield picture("All calls", incident, bars, COLORS, 200)
    types: Counter[str] = Counter()
    for each in incident.steps:
        types.update(each.failures)
    if types:
        most = [name for name, _ in sorted(types.items(), key=lambda item: (-item[1], item[0]))[: len(SHADES)]]
        colors = dict(zip(most, SHADES, strict=False))
        if len(types) > len(most):
            colors[OTHERS] = OTHERS_COLOR
        yield picture("Failed calls", incident, [_by(each.failures, most) for each in incident.steps], colors, 120)


def _by(failures: Mapping[str, int], most: Sequence[str]) -> dict[str, int]:
    others = sum(number for name, number in failures.items() if name not in most)
    return {**{name: failures.get(name, 0) for name in most}, OTHERS: others}


def picture(title: str, incident: Incident, bars: Bars, colors: Mapping[str, str], height: int) -> str:
    """Returns bars of the steps, `height` pixels high, each made of parts in the order of `colors`."""
    top = max((sum(each.values()) for each in bars), default=0) or 1
    said = clock(incident.begin), clock(incident.end)
    fires = list(_alerts(incident, TOP + height))
    keys = {**colors, **({ALERT: ALERT_COLOR} if fires else {})}
    words = f"{title}, from {said[0]} to {said[1]}"
    whole = TOP + height + STRIP + BOTTOM
    return (
        f'<svg viewBox="0 0 {WIDTH} {whole}" width="{WIDTH}" role="img" aria-label="{escape(words)}" '
        f'font-family="system-ui, sans-serif" font-size="12">{"".join(_legend(title, keys))}'
        f"{''.join(_bars(incident, bars, colors, height / top, TOP + height))}{''.join(fires)}"
        f"{''.join(_axes(incident, top, height))}</svg>"
    )


def _bars(incident: Incident, bars: Bars, colors: Mapping[str, str], scale: float, floor: float) -> Iterator[str]:
    width = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    for at, (step, each) in enumerate(zip(incident.steps, bars, strict=True)):
        base = floor
        for kind, color in colors.items():
            if number := each.get(kind, 0):
                base -= number * scale
                yield (
                    f'<rect x="{LEFT + at * width:.1f}" y="{base:.1f}" width="{max(width - 1, 1):.1f}" '
                    f'height="{number * scale:.1f}" fill="{color}"><title>{escape(clock(step.time))}: {number} '
                    f"{escape(kind)}</title></rect>"
                )


def _alerts(incident: Incident, y: float) -> Iterator[str]:
    scale = (WIDTH - LEFT - RIGHT) / (incident.end - incident.begin)
    for each in incident.alerts:
        if each.severity == "critical":
            begin, end = each.begin - incident.begin, (each.end or incident.end) - incident.begin
            yield (
                f'<rect class="alert" x="{LEFT + begin * scale:.1f}" y="{y + 2}" '
                f'width="{max((end - begin) * scale, 2):.1f}" height="{STRIP - 3}" fill="{ALERT_COLOR}">'
                f"<title>{escape(each.name)}</title></rect>"
            )


def _axes(incident: Incident, top: int, height: int) -> Iterator[str]:
    floor, end = TOP + height, WIDTH - RIGHT
    said = short_clock(incident.begin, incident.end)
    yield f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{top}</text>'
    yield f'<text x="{LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
    yield f'<line x1="{LEFT}" y1="{floor}" x2="{end}" y2="{floor}" stroke="{LINE_COLOR}"/>'
    yield f'<text x="{LEFT - 6}" y="{floor + STRIP + 18}" text-anchor="end">UTC</text>'
    length = incident.end - incident.begin
    apart = next((each for each in STEP_LENGTHS if length / each <= TICKS), length)
    for number in range(math.ceil(incident.begin / apart), math.floor(incident.end / apart) + 1):
        x = LEFT + (end - LEFT) * (number * apart - incident.begin) / length
        yield f'<line x1="{x:.1f}" y1="{floor}" x2="{x:.1f}" y2="{floor + STRIP}" stroke="{LINE_COLOR}"/>'
        anchor = "start" if x < LEFT + 24 else "end" if x > end - 24 else "middle"
        text = said(number * apart)
        yield f'<text x="{x:.0f}" y="{floor + STRIP + 18}" text-anchor="{anchor}">{escape(text)}</text>'


def _legend(title: str, colors: Mapping[str, str]) -> Iterator[str]:
    """The title, and what each colour means, in a row that ends where there is no room."""
    yield f'<text x="{LEFT}" y="14" font-weight="bold">{escape(title)}</text>'
    x = LEFT + 100.0
    for kind, color in colors.items():
        name = kind if len(kind) <= 36 else f"{kind[:35]}…"
        class_ = ' class="alert"' if kind == ALERT else ""
        yield f'<rect{class_} x="{x:.0f}" y="4" width="12" height="12" fill="{color}"/>'
        yield f'<text x="{x + 17:.0f}" y="14">{escape(name)}</text>'
        x += 17 + 7.0 * len(name) + 14
