# SPDX-License-Identifier: Apache-2.0
"""What a reader of a dashboard would stumble over: what can be seen comes in, findings go out, each a sentence.

What can be seen is described in `page/seen.ts`. The rules are functions of one panel that return what is wrong, or
nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from after200 import names
from after200.monitoring import colors
from after200.names.prometheus import label
from tests.support.monitoring.programs import DASHBOARDS

Panel = dict[str, Any]
NEUTRALS = ("rgb(204, 204, 220)", "#ccccdc", "text")
"""The colour of Grafana's text in the dark theme, as Grafana writes it."""
HARMLESS = "ResizeObserver loop completed with undelivered notifications"
"""What Chromium says when a page is laid out again while it is being laid out."""
LIMITS = ("warns", "pages")
"""Series that others are to stay below."""
MOST_MARKS = 12
MOST_SERIES = 12
LEAST_DIFFERENCE = 20
"""How far apart two colours of a stack have to be, in the units of CIE L*a*b*, in which 2 can just be told apart."""
FLATTEST = 0.03
"""A graph whose lines take up less of its axis than this hides what they do."""
TALLEST = 1800
"""How high a dashboard may be before anything is unfolded, in px at a width of 1600."""
BOARDS = {path.stem for path in (DASHBOARDS / "grafana").glob("*.json")}
VALUE_COLORS = {label(attribute): table for attribute, table in colors.OF.items()}


@dataclass(frozen=True)
class State:
    """The situation that is drawn, as far as it decides what may be seen."""

    name: str
    empty: bool = False
    """There is no data at all."""
    calm: bool = False
    """Nothing is wrong, so nothing may be red."""
    whole: bool = False
    """Everything has happened, so no panel may be empty."""
    folded: bool = False
    """Rows are as they are when the dashboard is opened."""
    crowd: bool = False
    """There are more models than a graph can show."""
    trickle: bool = False
    """Calls come so seldom that each can be seen."""
    young: bool = False
    """There is an hour of data."""
    old: bool = False
    """There are data of more than three days, with a call every four minutes."""


def check(seen: dict[str, Any], state: State) -> list[str]:
    """Everything that is wrong with a drawn dashboard."""
    place = f"{seen['name']} ({seen['width']} px)"
    said = (*seen.get("console", ()), *seen.get("problems", ()))
    found = [f"{place}: {problem}" for problem in said if HARMLESS not in problem]
    for asked in seen.get("asked", ()):
        if left := re.search(r"\$[a-zA-Z_]\w*|\$\{\w+", asked["expr"]):
            found.append(f"{place}: asks with a variable that is none: {left[0]}")
    if state.folded and seen["width"] == 1600 and seen["height"] > TALLEST:
        found.append(f"{place}: is {seen['height']} px high before anything is unfolded")
    for panel in seen.get("panels", ()):
        if panel["drawn"]:
            found += [f"{place}: {panel['title']}: {text}" for text in findings(panel, state, seen.get("tooltips"))]
    if not seen.get("panels"):
        found.append(f"{place}: has no panels")
    return found


def findings(panel: Panel, state: State, tooltips: dict[str, list[str]] | None) -> Iterator[str]:
    for rule in RULES:
        if text := rule(panel, state):
            yield text
    if tooltips is not None and panel["type"] == "timeseries" and lines(panel):
        yield from tooltip(panel, tooltips.get(panel["key"], []))


# --- a panel's fields ------------------------------------------------------------------------------------------------


def fields(panel: Panel) -> list[dict[str, Any]]:
    return [field for frame in panel["frames"] for field in frame["fields"]]


def lines(panel: Panel) -> list[dict[str, Any]]:
    """The series of a graph that have values, without limits."""
    numbers = [field for field in fields(panel) if field["type"] == "number" and field["rows"]]
    return [field for field in numbers if field["name"] not in LIMITS] if panel["type"] == "timeseries" else []


def plain(html: str | None) -> str:
    return re.sub(r"<[^>]+>", "", html or "")


# --- the rules -------------------------------------------------------------------------------------------------------


def fails(panel: Panel, state: State) -> str | None:
    return f"failed: {'; '.join(panel['errors'])}" if panel["errors"] else None


def is_empty(panel: Panel, state: State) -> str | None:
    if not state.whole or any(field["rows"] for field in fields(panel) if field["name"] not in LIMITS):
        return None
    unjudged = re.search("days of data|half of the window has no data", panel.get("empty") or "")
    if unjudged and (not state.old or panel["title"].startswith("Burn rate over 1h")):
        return None  # a verdict on a month takes days, one on an hour takes more calls than there are then
    return "shows nothing"


def misses(panel: Panel, state: State) -> str | None:
    rare = re.compile("renameByName|override byName")  # of columns that only some failures have
    unmet = panel["unmet"] if state.whole else [text for text in panel["unmet"] if not rare.search(text)]
    return f"names what its data does not have: {'; '.join(unmet)}" if unmet else None


def nameless(panel: Panel, state: State) -> str | None:
    bad = [
        line["name"] for line in lines(panel) if line["name"] == "Value" or re.search(r"(^|·)\s*($|·)", line["name"])
    ]
    return f"has a series without a name: {' | '.join(bad)}" if bad else None


def named_by_a_query(panel: Panel, state: State) -> str | None:
    bad = [line["name"] for line in lines(panel) if re.search(r"[({].*[)}]", line["name"])]
    return f"has a query for a name: {bad[0][:80]}" if bad else None


def raw_heads(panel: Panel, state: State) -> str | None:
    bad = [field["name"] for field in fields(panel) if panel["type"] == "table" and "_" in field["name"]]
    return f"has raw names as column heads: {' | '.join(bad)}" if bad else None


def hides_columns(panel: Panel, state: State) -> str | None:
    return f"hides {panel['overflow']} px of its columns on the right" if panel["overflow"] > 0 else None


def cuts(panel: Panel, state: State) -> str | None:
    cut = ["its title"] if panel["cutTitle"] else []
    cut += panel["cutTexts"]
    return f"cuts {' | '.join(cut[:5])}" if cut else None


def leaves_variables(panel: Panel, state: State) -> str | None:
    left = re.search(r"\$\w+|\$\{\w+", plain(f"{panel['title']} {panel['description']}"))
    return f"has a variable left in a text: {left[0]}" if left else None


def silent_annotations(panel: Panel, state: State) -> str | None:
    bad = [one for one in panel["annotations"] if not one.get("title") and not one.get("text")]
    return f"has {len(bad)} annotations without a text" if bad and panel["type"] == "timeseries" else None


def drowns(panel: Panel, state: State) -> str | None:
    """A region is drawn over what the graph shows."""
    marks = panel["annotations"] if panel["type"] == "timeseries" else []
    regions = [one for one in marks if one.get("timeEnd") and one["timeEnd"] > one["time"]]
    if regions:
        return f"has {len(regions)} regions of alerts over its lines"
    return f"has {len(marks)} marks of alerts over its lines" if len(marks) > MOST_MARKS else None


def outlines_nothing(panel: Panel, state: State) -> str | None:
    """A series of value 0 on top of a stack draws its outline along the whole edge of the stack."""
    custom = panel["custom"]
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    flat = [line["name"] for line in lines(panel) if line.get("most") == 0]
    return (
        f"outlines series that are 0: {' | '.join(flat)}" if stacked and custom.get("lineWidth", 1) and flat else None
    )


def looks_alike(panel: Panel, state: State) -> str | None:
    shown = [(line["name"], line["color"]) for line in lines(panel) if not line["byName"]]
    for place, (name, color) in enumerate(shown):
        for other, another in shown[place + 1 :]:
            if (distance := difference(color, another)) < LEAST_DIFFERENCE:
                return f"draws {name} and {other} in colours that are hard to tell apart ({distance:.0f})"
    return None


def difference(one: str, other: str) -> float:
    """The distance of two colours in CIE L*a*b*."""
    return math.dist(lab(one), lab(other))


def lab(color: str) -> tuple[float, float, float]:
    """A colour as L*, a*, b*, from `#RRGGBB` in sRGB, as seen in the light D65."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def draws_zeros(panel: Panel, state: State) -> str | None:
    """Bars that are all 0 are an empty graph, and say less than the panel does without data."""
    if not counts_in_a_minute(panel) or not lines(panel):
        return None
    return "draws nothing but zeros" if all(line.get("most") == 0 for line in lines(panel)) else None


def widens(panel: Panel, state: State) -> str | None:
    """A bar is as wide as the time to the next point: what was counted once must not look like a quarter of an hour."""
    if not counts_in_a_minute(panel):
        return None
    sparse = [frame for frame in panel["frames"] if frame["shortest"] > frame["interval"]]
    bad = [field["name"] for frame in sparse for field in frame["fields"] if field["type"] == "number"]
    return f"has bars that are wider than a point of the graph: {' | '.join(bad)}" if bad else None


def joins(panel: Panel, state: State) -> str | None:
    """Where there were no calls a share has a gap: a point without a number. Without the point, the line goes on."""
    if panel["unit"] != "percentunit" or panel["type"] != "timeseries":
        return None
    gaps = [frame for frame in panel["frames"] if frame["longest"] > frame["interval"]]
    bad = [field["name"] for frame in gaps for field in frame["fields"] if field["type"] == "number"]
    return f"draws lines through times without calls: {' | '.join(bad)}" if bad else None


def counts_in_a_minute(panel: Panel) -> bool:
    return panel["custom"].get("drawStyle") == "bars" and (panel["axis"] or "").endswith("per minute")


def hides_the_worst(panel: Panel, state: State) -> str | None:
    """The legend of a share that should be high says how low it was."""
    if panel["type"] != "timeseries" or "max" not in panel["calcs"]:
        return None
    high = panel["unit"] == "percentunit" and (panel["custom"].get("axisSoftMin") or 0) > 0
    return "says in its legend how high a share was that should be high" if high else None


def stands_apart(panel: Panel, state: State) -> str | None:
    """Of several numbers in a panel each stands beside its name."""
    apart = panel["apart"] if panel["type"] == "stat" else []
    return f"has a name above its number, for want of room: {' | '.join(apart)}" if apart else None


def counts_too_few(panel: Panel, state: State) -> str | None:
    """A call takes one attempt at least."""
    bad = [value["text"] for value in panel["values"] if re.fullmatch(r"0\.\d+", value["text"])]
    return f"says that a call takes {bad[0]} attempts" if panel["title"] == "Attempts per call" and bad else None


def pages_too_early(panel: Panel, state: State) -> str | None:
    """A line that nothing is compared with is not drawn beside the one that pages: the alert waits for data."""
    long = re.match(r"Burn rate over (\d)d ", panel["title"])
    days = [line["name"] for line in lines(panel)]
    return f"judges {long[1]} days of which there are not half: {days[0]}" if state.young and long and days else None


def names_nothing(panel: Panel, state: State) -> str | None:
    """A series that has no number at any time is in the legend all the same, without a line."""
    bad = [line["name"] for line in lines(panel) if line.get("most") is None]
    return f"has series in its legend that are drawn nowhere: {' | '.join(bad)}" if bad else None


def hides_single_failures(panel: Panel, state: State) -> str | None:
    """A value between two gaps is a line without length, and Grafana gives not each of them a dot unless it must."""
    failures = {label(name) for name in (names.ERROR_TYPE, names.HTTP_STATUS, names.OUTCOME)}
    if panel["type"] != "timeseries" or panel["custom"].get("showPoints", "auto") != "auto":
        return None
    bad = [line["name"] for line in lines(panel) if line["lone"] and failures & set(line["labels"] or {})]
    return f"leaves single values without a dot: {' | '.join(bad)}" if bad else None


def crowds(panel: Panel, state: State) -> str | None:
    many = len(lines(panel))
    return f"draws {many} series" if many > MOST_SERIES else None


def hides_its_legend(panel: Panel, state: State) -> str | None:
    return f"hides {panel['hiddenLegend']} px of its legend" if panel["hiddenLegend"] else None


def needs_a_mouse(panel: Panel, state: State) -> str | None:
    """The numbers of a graph can be read on a printed picture."""
    without = panel["type"] == "timeseries" and not panel["calcs"] and panel["axis"] != "alerts"
    return "has no numbers in its legend" if without else None


def invents_calls(panel: Panel, state: State) -> str | None:
    """Where calls can be told apart, a graph that counts in a minute shows whole numbers."""
    if not state.trickle or panel["type"] != "timeseries" or not (panel["axis"] or "").endswith("per minute"):
        return None
    bad = [f"{line['name']} up to {line['most']:.2f}" for line in lines(panel) if not line["whole"]]
    return f"draws fractions of calls: {' | '.join(bad[:3])}" if bad else None


def judges_too_early(panel: Panel, state: State) -> str | None:
    """What is left of a budget of 30 days cannot be said after an hour."""
    if not state.young or not panel["title"].startswith("Budget"):
        return None
    judged = [value["text"] for value in panel["values"] if value["color"].lower() not in NEUTRALS]
    judged += [text for field in fields(panel) if panel["type"] == "table" for text in field["texts"]]
    return f"judges the budget after an hour: {' | '.join(judged[:3])}" if judged else None


def says_no_reason(panel: Panel, state: State) -> str | None:
    """An empty panel says why it is empty."""
    if panel.get("empty") in ("", "No data"):
        return "says nothing but that there is no data"
    alone = panel["type"] == "timeseries" and not lines(panel) and any(field["rows"] for field in fields(panel))
    return "shows a limit, and of nothing else why it is not there" if alone else None


def praises_nothing(panel: Panel, state: State) -> str | None:
    """Where there are no data, nothing is said of all of them: nobody knows."""
    said = panel.get("empty") or ""
    return f"says {said!r} where there is no data" if state.empty and re.match("every |all ", said) else None


def same_colors(panel: Panel, state: State) -> str | None:
    """Two names may meet on one colour of Grafana's palette by name; colours that are chosen may not."""
    shown = [line["color"] for line in lines(panel) if not line["byName"]]
    twice = sorted({color for color in shown if shown.count(color) > 1})
    return f"has two series of one colour: {', '.join(map(str, twice))}" if twice else None


def means_another_color(panel: Panel, state: State) -> str | None:
    """A series that one attribute names has the colour of the attribute's value."""
    for line in lines(panel):
        labels = {name: value for name, value in (line["labels"] or {}).items() if name in VALUE_COLORS}
        if len(labels) != 1:
            continue
        ((attribute, value),) = labels.items()
        expected = VALUE_COLORS[attribute].get(value)
        if expected and line["name"] == value and line["color"].upper() != expected.upper():
            return f"draws {value} in {line['color']}, which is {expected} everywhere"
    return None


def says_green(panel: Panel, state: State) -> str | None:
    """Green is for what went well, in every shade; only models have the colours of Grafana's palette."""
    failures = {label(name) for name in (names.ERROR_TYPE, names.FAILURE, names.PHASE, names.CLIENT)}
    bad = [line["name"] for line in lines(panel) if is_green(line["color"]) and failures & set(line["labels"] or {})]
    return f"draws a failure in green: {' | '.join(bad)}" if bad else None


def is_green(color: str) -> bool:
    """Whether a colour is green to the eye: nearer to green than to yellow, not bluish, and no grey."""
    _, red_or_green, blue_or_yellow = lab(color)
    return red_or_green < -15 and blue_or_yellow > 0 and red_or_green < -blue_or_yellow / 2


def counts_halves(panel: Panel, state: State) -> str | None:
    if panel["unit"] != "locale":
        return None
    texts = [value["text"] for value in panel["values"]]
    texts += [
        text
        for field in fields(panel)
        if panel["type"] == "table" and field["type"] == "number"
        for text in field["texts"]
    ]
    bad = [text for text in texts if re.fullmatch(r"[\d,]+\.\d+", text)]
    return f"counts fractions of things: {' | '.join(bad[:3])}" if bad else None


def counts_what(panel: Panel, state: State) -> str | None:
    without = panel["type"] == "timeseries" and panel["unit"] in ("short", "none", None) and not panel["axis"]
    return "does not say what its axis counts" if without else None


def judges_nothing(panel: Panel, state: State) -> str | None:
    if not state.empty or panel["type"] != "stat":
        return None
    for value in panel["values"]:
        if value["color"].lower() not in NEUTRALS:
            return f"has a judgement without data: {value['text']!r} in {value['color']}"
        if value["text"] in ("", "No data", "0", "NaN"):
            return f"says {value['text']!r} where there is no data"
    return None


def alarms(panel: Panel, state: State) -> str | None:
    if not state.calm or panel["type"] != "stat":
        return None
    bad = [value for value in panel["values"] if value["color"].upper() in (colors.RED, colors.ORANGE)]
    return f"is red or orange on a calm day: {bad[0]['text']}" if bad else None


def flattens(panel: Panel, state: State) -> str | None:
    shown, scale = lines(panel), panel.get("scale")
    least = min((line["least"] for line in shown if line.get("least") is not None), default=0)
    most = max((line["most"] for line in shown if line.get("most") is not None), default=0)
    if panel["unit"] not in ("percentunit", "s") or not scale or None in scale.values() or not most > least:
        return None
    part = (most - least) / (scale["max"] - scale["min"])
    return f"has lines that take up {part:.1%} of its axis" if part < FLATTEST else None


def leads_nowhere(panel: Panel, state: State) -> str | None:
    for field in fields(panel):
        for link in field["links"]:
            if link["trace"] and not link["href"]:
                continue
            if text := dead(link["href"]):
                return f"has a link that leads nowhere: {link['title']}: {text}"
    return None


def dead(href: str) -> str | None:
    """What is wrong with a link."""
    if re.search(r"\$(?!__all\b)|%24(?!__all\b)|\{|\}|undefined", href or "$"):
        return f"{href} has a variable left"
    board = re.match(r"/d/([^?/]+)", href)
    if board and board[1] not in BOARDS:
        return f"there is no dashboard {board[1]}"
    runbook = re.search(r"/runbooks/(.+)$", href)
    if runbook and not (DASHBOARDS / "runbooks" / runbook[1]).exists():
        return f"there is no runbook {runbook[1]}"
    return None


def tooltip(panel: Panel, texts: list[str]) -> Iterator[str]:
    """The tooltip of a graph names every series and its value."""
    shown = [text.strip() for text in texts if text.strip()]
    if not shown:
        yield "has no tooltip"
    elif not any(line["name"] in shown for line in lines(panel)):
        yield f"has a tooltip that names none of its series: {' | '.join(shown[:6])}"


RULES: tuple[Callable[[Panel, State], str | None], ...] = (
    fails,
    is_empty,
    misses,
    nameless,
    named_by_a_query,
    raw_heads,
    hides_columns,
    cuts,
    leaves_variables,
    silent_annotations,
    drowns,
    outlines_nothing,
    looks_alike,
    draws_zeros,
    widens,
    joins,
    hides_the_worst,
    stands_apart,
    counts_too_few,
    pages_too_early,
    names_nothing,
    hides_single_failures,
    crowds,
    hides_its_legend,
    needs_a_mouse,
    invents_calls,
    judges_too_early,
    says_no_reason,
    praises_nothing,
    same_colors,
    means_another_color,
    says_green,
    counts_halves,
    counts_what,
    judges_nothing,
    alarms,
    flattens,
    leads_nowhere,
)
