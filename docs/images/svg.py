# SPDX-License-Identifier: Apache-2.0
"""Shapes for `draw_dashboard.py`: numbers and series come in, one HTML page of SVG goes out. Nothing is invented here:
every mark on the page stands for a number that Prometheus gave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

GREEN, ORANGE, RED, GREY, BLUE, PURPLE, YELLOW = (
    "#73bf69", "#ff9830", "#f2495c", "#9fa7b3", "#5794f2", "#b877d9", "#fade2a",
)  # fmt: skip
TEXT, FAINT, GRID, PANEL, EDGE, GROUND = "#d8d9e0", "#8e93a1", "#2a2d34", "#181b20", "#25282f", "#0f1115"
COLORS = {
    "overloaded_error": ORANGE,
    "stream_truncated": PURPLE,
    "api_error": RED,
    "rate_limit_error": YELLOW,
    "connection_error": BLUE,
}
STYLE = f"""
* {{ box-sizing: border-box; margin: 0 }}
body {{ background: {GROUND}; color: {TEXT}; font: 13px Inter, "DejaVu Sans", sans-serif; padding: 26px 28px 0 }}
h1 {{ font-size: 21px; font-weight: 600; letter-spacing: -.01em }}
header {{ display: flex; align-items: baseline; gap: 16px; margin-bottom: 18px }}
header p {{ color: {FAINT} }}
.grid {{ display: grid; grid-template-columns: repeat(12, 1fr); gap: 10px }}
.panel {{ background: {PANEL}; border: 1px solid {EDGE}; border-radius: 6px; padding: 13px 16px; overflow: hidden }}
.panel h2 {{ font-size: 13px; font-weight: 500; color: #c7c9d3; margin-bottom: 6px }}
.number {{ font-size: 38px; font-weight: 600; letter-spacing: -.02em; line-height: 1.25;
  font-variant-numeric: tabular-nums }}
.hint {{ color: {FAINT}; font-size: 12px }}
.legend {{ display: flex; flex-wrap: wrap; gap: 4px 16px; color: {FAINT}; font-size: 12px; margin-top: 6px }}
.legend i {{ display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px;
  vertical-align: middle }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
td, th {{ padding: 7px 10px; text-align: right; font-weight: 400 }}
th {{ color: {FAINT}; font-size: 12px }}
td {{ border-top: 1px solid {GRID} }}
svg text {{ fill: {FAINT}; font: 11px Inter, "DejaVu Sans", sans-serif }}
footer {{ color: {FAINT}; font-size: 12px; margin-top: 14px; text-align: center }}
"""


@dataclass(frozen=True)
class Series:
    """One line: its legend and its points as (time, value)."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A coordinate system: times and values come in, places on the page go out."""

    start: float
    end: float
    lowest: float
    highest: float
    width: int
    height: int
    left: int = 46
    right: int = 8
    top: int = 10
    bottom: int = 22

    def x(self, at: float) -> float:
        return self.left + (at - self.start) / (self.end - self.start) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(at):.1f},{self.y(value):.1f}" for at, value in points)

    def axes(self, ticks: Sequence[float], say: Callable[[float], str]) -> str:
        """Lines and words for the values, and for every half minute since the start."""
        marks = []
        for tick in ticks:
            y = self.y(tick)
            ends = f'x1="{self.left}" x2="{self.width - self.right}" y1="{y:.1f}" y2="{y:.1f}"'
            marks.append(f'<line {ends} stroke="{GRID}"/>')
            marks.append(f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{say(tick)}</text>')
        for second in range(0, int(self.end - self.start) + 1, 30):
            label = f"{second // 60}:{second % 60:02}"
            x = self.x(self.start + second)
            marks.append(f'<text x="{x:.1f}" y="{self.height - 4}" text-anchor="middle">{label}</text>')
        return "".join(marks)

    def svg(self, content: str) -> str:
        return f'<svg width="100%" viewBox="0 0 {self.width} {self.height}">{content}</svg>'


def page(answers: Any, width: int, height: int) -> str:
    """The whole page."""
    seconds = answers.end - answers.start
    return f"""<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body>
<header><h1>Claude: After the 200</h1>
<p>{answers.numbers["Calls"]:,.0f} calls in {seconds:.0f} seconds, three models, one storm of faults</p></header>
<div class="grid">{numbers(answers)}{rates(answers)}{stacked(answers)}{matrix(answers)}</div>
<footer>Drawn from the answers of a real Prometheus to the dashboard's own queries, after a run against a fault server;
not a screenshot of Grafana.</footer></body>"""


def panel(span: int, title: str, content: str) -> str:
    return f'<section class="panel" style="grid-column: span {span}"><h2>{escape(title)}</h2>{content}</section>'


def numbers(answers: Any) -> str:
    def share(value: float) -> str:
        return f"{value * 100:.2f} %"

    table: tuple[tuple[str, Callable[[float], str], str, str], ...] = (
        ("Success rate HTTP claims", share, GREY, "status below 400"),
        ("True success rate", share, RED, "calls that completed"),
        ("The gap", share, RED, "failed after the 200"),
        ("Calls", "{:,.0f}".format, TEXT, "judged"),
        ("Hidden failures", "{:,.0f}".format, ORANGE, "HTTP said 200"),
        ("Truncated streams", "{:,.0f}".format, ORANGE, "and nobody raised anything"),
    )
    return "".join(
        panel(
            2,
            title,
            f'<div class="number" style="color: {color}">{say(answers.numbers[title])}</div>'
            f'<div class="hint">{hint}</div>',
        )
        for title, say, color, hint in table
    )


def rates(answers: Any) -> str:
    """What HTTP claims, what is true, and the area between."""
    series = {one.name: one.points for one in answers.graphs["Success rate: claimed and true"]}
    claimed, true = series["HTTP claims"], series["true"]
    lowest = min(value for _, value in true)
    floor = max(0.0, int(lowest * 10 - 0.3) / 10)
    plot = Plot(answers.start, answers.end, floor, 1.0, 1300, 270)
    ticks = [tenth / 10 for tenth in range(round(floor * 10), 11)]
    shapes = [plot.axes(ticks, lambda tick: f"{tick * 100:.0f} %")]
    shapes.append(f'<polygon points="{plot.line(claimed)} {plot.line(true[::-1])}" fill="{RED}" opacity=".20"/>')
    for points, color in ((claimed, GREY), (true, GREEN)):
        shapes.append(f'<polyline points="{plot.line(points)}" fill="none" stroke="{color}" stroke-width="2"/>')
    fired = answers.alerts.get("ClaudeOverloaded")
    if fired:
        x, y = plot.x(fired), plot.y(floor)
        ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{plot.top}" y2="{y:.1f}"'
        words = f'x="{x - 8:.1f}" y="{y - 10:.1f}" text-anchor="end" style="fill: {RED}"'
        shapes.append(
            f'<line {ends} stroke="{RED}" stroke-dasharray="4 4"/><text {words}>ClaudeOverloaded fires</text>'
        )
    keys = legend((("HTTP claims", GREY), ("true", GREEN), ("what HTTP does not see", "rgba(242,73,92,.45)")))
    return panel(12, "Success rate: claimed and true", plot.svg("".join(shapes)) + keys)


def stacked(answers: Any) -> str:
    """Hidden failures by error type, one area on top of the other."""
    series = sorted(answers.graphs["By error type"], key=lambda one: -sum(value for _, value in one.points))
    series = [one for one in series if any(value for _, value in one.points)]
    times = sorted({at for one in series for at, _ in one.points})
    base = dict.fromkeys(times, 0.0)
    layers = []
    for one in series:
        values = dict(one.points)
        top = {at: base[at] + values.get(at, 0.0) for at in times}
        layers.append((one.name, list(top.items()), list(base.items())))
        base = top
    highest = max(base.values()) * 1.08
    plot = Plot(answers.start, answers.end, 0.0, highest, 760, 345)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200) if highest / step <= 5)
    shapes = [plot.axes([float(tick) for tick in range(0, int(highest) + 1, step)], "{:.0f}".format)]
    for name, top, bottom in layers:
        color = COLORS.get(name, GREY)
        shapes.append(f'<polygon points="{plot.line(top)} {plot.line(bottom[::-1])}" fill="{color}" opacity=".55"/>')
        shapes.append(f'<polyline points="{plot.line(top)}" fill="none" stroke="{color}" stroke-width="1.2"/>')
    keys = legend([(name, COLORS.get(name, GREY)) for name, _, _ in layers])
    return panel(7, "Hidden failures by error type, in windows of 5 s", plot.svg("".join(shapes)) + keys)


def matrix(answers: Any) -> str:
    """Wire status against corrected status; what is hidden stands in colour."""
    cells = {
        (labels["after200_wire_status_code"], labels["http_response_status_code"]): value
        for labels, value in answers.tables["Wire status × corrected status"]
    }
    rows, columns = (sorted({key[side] for key in cells}) for side in (0, 1))

    def cell(row: str, column: str) -> str:
        value = cells.get((row, column))
        if value is None:
            return f'<td style="color: {GRID}">·</td>'
        hidden = row == "200" and column != "200"
        style = f"color: {ORANGE}; font-weight: 600" if hidden else f"color: {GREEN if row == '200' else GREY}"
        return f'<td style="{style}">{value:,.0f}</td>'

    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr><th>wire {row}</th>{''.join(cell(row, column) for column in columns)}</tr>" for row in rows)
    table = f"<table><tr><th></th>{head}</tr>{body}</table>"
    hint = (
        '<p class="hint" style="margin-top: 10px">Columns: the status that the provider documents for the failure.</p>'
    )
    return panel(5, "Wire status × corrected status", table + hint + alerts(answers))


def alerts(answers: Any) -> str:
    """Which alerts fired, and when."""
    lines = "".join(
        f'<tr><td style="text-align: left; color: {RED}">● {escape(name)}</td><td>{int(at - answers.start) // 60}:'
        f"{int(at - answers.start) % 60:02}</td></tr>"
        for name, at in sorted(answers.alerts.items(), key=lambda alert: alert[1])
    )
    head = '<tr><th style="text-align: left">alerts</th><th>fired at</th></tr>'
    return f'<table style="margin-top: 12px">{head}{lines}</table>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    keys = "".join(f'<span><i style="background: {color}"></i>{escape(name)}</span>' for name, color in entries)
    return f'<div class="legend">{keys}</div>'
