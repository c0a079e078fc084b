# SPDX-License-Identifier: Apache-2.0
"""A `Summary` as tables for a terminal, and as values for JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from after200.cli.endings import totals
from after200.cli.tables import calls_table, numbers, table
from after200.cli.watch.summary import Summary

NEAR = 0.8
"""The share of a rate limit from which it is shown in red."""

ANSWER_STYLES = {"complete": "green", "refused": "bold red"}
"""The style of each kind of answer; every other kind is yellow."""

AT_THE_END = 10
"""How many of the last failures stay in the terminal."""

FRAME = 5
"""The lines of a table that are no rows: its title, its head, the lines around it."""

REQUEST_ID = 28
"""The length of a request id, which must be legible on every screen."""

LEAST_FAILURES = 3
"""How many of the last failures are worth more than another table, where the screen is small."""

WAITING = (
    "No metrics of after200 have come yet. A service exports them every OTEL_METRIC_EXPORT_INTERVAL milliseconds "
    "(60000 by default)."
)


def live(summary: Summary, console: Console, header: str) -> RenderableType:
    """Returns what fits on the screen under a `header`: the calls by model, other tables, and the last failures."""
    below = tables(summary)
    title = Text(header, style="bold", no_wrap=True, overflow="ellipsis")
    while True:
        above = Group(title, models_table(summary), Columns(below, padding=(0, 3)))
        room = console.height - len(console.render_lines(above)) - FRAME
        if not summary.failures or room >= LEAST_FAILURES:
            return Group(above, failures_table(summary, max(room, 0)))
        if not below:
            return above
        below.pop()


def closing(summary: Summary) -> RenderableType:
    """Returns what stays in the terminal at the end."""
    below = Columns(tables(summary), padding=(0, 3))
    last = Text(totals(summary.calls).sentence() if summary.models else "", style="bold")
    return Group(models_table(summary), below, failures_table(summary, AT_THE_END), last)


def tables(summary: Summary) -> list[RenderableType]:
    """Returns the other tables that have rows, the most important first."""
    drawn: list[RenderableType] = []
    if summary.calls:
        drawn.append(calls_table("How calls ended", summary.calls))
    if summary.answers:
        drawn.append(answers_table(summary.answers))
    if summary.limits:
        drawn.append(limits_table(summary))
    if summary.tools:
        drawn.append(tools_table(summary.tools))
    if summary.waits:
        drawn.append(waits_table(summary.waits))
    return drawn


def models_table(summary: Summary) -> Table | str:
    """The calls by model, and by service where there is more than one."""
    if not summary.models:
        return WAITING
    several = len(summary.services) > 1
    words = [Column(name, overflow="fold", min_width=12) for name in ["service"] * several + ["model"]]
    counts = ("calls", "HTTP\nsays ok", "completed", "failed\nafter 200", "failed", "left", "open")
    found = table("What HTTP says, and what is true", *words, *map(numbers, counts))
    for service, model, ended, open_streams in summary.models:
        cells = ([service] * several + [model], map(str, ended), [str(open_streams)])
        found.add_row(*chain(*cells), style="bold red" if ended.hidden else "")
    return found


def answers_table(answers: Mapping[tuple[str, str], int]) -> Table:
    """What completed calls were answered, the most frequent first."""
    found = table("Answers", "answer", "reason", numbers("calls"))
    for (answer, reason), count in sorted(answers.items(), key=lambda item: (-item[1], item[0])):
        found.add_row(answer, reason, str(count), style=ANSWER_STYLES.get(answer, "yellow"))
    return found


def tools_table(tools: Mapping[tuple[str, str], int]) -> Table:
    """The results of server tools, the most frequent first."""
    found = table("Server tools", "tool", "error", numbers("results"))
    for (tool, error), count in sorted(tools.items(), key=lambda item: (-item[1], item[0])):
        found.add_row(tool, error, str(count), style="yellow" if error else "green")
    return found


def limits_table(summary: Summary) -> Table:
    """The rate limits of the last minute, those that are nearest first."""
    found = table("Rate limits, last minute", "model", "of", numbers("used"), numbers("limit"))
    for model, kind, used, limit in sorted(summary.limits, key=lambda each: -each.used):
        style = "bold red" if used >= NEAR else ""
        found.add_row(model, kind, f"{used:.0%}", "" if limit is None else f"{limit:,.0f}", style=style)
    return found


def waits_table(waits: Mapping[str, float]) -> Table:
    """How long the SDK waited between attempts."""
    found = table("Waiting before retries", "because of", numbers("time"))
    for failure, waited in sorted(waits.items(), key=lambda item: -item[1]):
        found.add_row(failure, f"{waited:.1f} s")
    return found


def failures_table(summary: Summary, most: int) -> Table | str:
    """The last failed calls, with what support asks for; nothing when there are none."""
    if not summary.failures:
        return ""
    request_id = Column("request id", no_wrap=True, min_width=REQUEST_ID)
    several = len(summary.services) > 1
    found = table("Last failures", "time", *["service"] * several, "model", "error.type", "HTTP", "status", request_id)
    for each in summary.failures[:most]:
        clock = time.strftime("%H:%M:%S", time.localtime(each.time))
        statuses = (str(status or "-") for status in (each.ending.wire_status, each.ending.status))
        words = (clock, *[each.service] * several, each.model, each.ending.error_type, *statuses, each.request_id)
        found.add_row(*words, style="bold red" if each.ending.is_hidden else "")
    return found


def as_json(summary: Summary, seconds: float) -> dict[str, Any]:
    """Returns the whole summary, in values that JSON has."""
    return {
        "seconds": round(seconds, 3),
        "services": summary.services,
        **totals(summary.calls)._asdict(),
        "models": [
            {"service": each.service, "model": each.model, **each.ended._asdict(), "open": each.open}
            for each in summary.models
        ],
        "endings": [{**ending._asdict(), "calls": number} for ending, number in summary.calls.most_common()],
        "answers": [{"answer": kind, "reason": why or None, "calls": n} for (kind, why), n in summary.answers.items()],
        "server_tools": [
            {"tool": name, "error": code or None, "calls": n} for (name, code), n in summary.tools.items()
        ],
        "attempts": dict(summary.attempts),
        "waits": summary.waits,
        "rate_limits": [limit._asdict() for limit in summary.limits],
        "last_failures": [{**each._asdict(), "ending": each.ending._asdict()} for each in summary.failures],
    }
