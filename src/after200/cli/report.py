# SPDX-License-Identifier: Apache-2.0
"""What `after200 demo` prints: a finished demo as tables for people, or as JSON for programs.

Reads a `Demo`, computes nothing but sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from after200.cli.otlp import Span
from after200.cli.reconcile import Account, Ending

STYLES = {"completed": "green", "failed": "bold red", "truncated": "bold red"}


@dataclass(frozen=True)
class Demo:
    """A demo that is over: what was asked for, what each side says, and where they differ."""

    calls: int
    seed: int
    seconds: float
    http: Counter[int | None]
    """Calls by the status on the HTTP status line of their last attempt."""
    recorded: Account
    application: Counter[str]
    """Calls by what the application made of them: answered, left, failed."""
    span: Span | None
    """A span of a call that failed after the 200."""
    differences: list[str]


def show(demo: Demo, console: Console) -> None:
    """Print the two accounts side by side, one failed span, and the sentence that sums it up."""
    console.print(Columns([http_table(demo.http), calls_table(demo.recorded.calls)], padding=(0, 4)))
    if demo.span is not None:
        console.print(Text("One of the failed calls, as exported:", style="bold"))
        console.print(Padding(span_table(demo.span), (0, 0, 1, 2)))
    console.print(Text(closing_line(demo), style="bold"))
    if demo.differences:
        console.print(Text("What was exported is not what the fault server did:", style="bold red"))
        for line in demo.differences:
            console.print(Text(f"  {line}"))
    else:
        same = f"Exported counts and spans equal the fault server's log: {demo.calls} calls, in {demo.seconds:.1f} s."
        console.print(Text(same, style="green"))


def http_table(statuses: Mapping[int | None, int]) -> Table:
    """Calls by the status on the HTTP status line."""
    table = Table("status", "", "calls", title="What the HTTP status line says", box=SIMPLE_HEAD, title_style="bold")
    for status, calls in sorted(statuses.items(), key=lambda item: item[0] or 0):
        table.add_row(
            *status_cells(status), Text(str(calls), justify="right"), style="green" if status == 200 else "red"
        )
    return table


def status_cells(status: int | None) -> tuple[str, str]:
    """A status and its name."""
    if status is None:
        return "none", "no answer"
    known = {item.value: item.phrase for item in HTTPStatus} | {529: "Overloaded"}
    return str(status), known.get(status, "")


def calls_table(calls: Mapping[Ending, int]) -> Table:
    """Calls by how they ended, the most frequent first among those that failed."""
    table = Table(
        "status", "outcome", "error.type", "calls", title="What after200 says", box=SIMPLE_HEAD, title_style="bold"
    )
    for ending, number in sorted(calls.items(), key=lambda item: (item[0].is_error, -item[1], str(item[0]))):
        cells = (str(ending.status or "-"), ending.outcome, ending.error_type or "")
        table.add_row(*cells, Text(str(number), justify="right"), style=STYLES.get(ending.outcome, "yellow"))
    return table


def span_table(span: Span) -> Table:
    """A span with everything that it carries."""
    table = Table.grid(padding=(0, 2))
    facts = {
        "name": span.name,
        "kind": span.kind,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "scope": span.scope,
        "duration": f"{span.duration * 1000:.1f} ms",
        "status": f"{span.status}: {span.description}" if span.description else span.status,
    }
    for name, value in (*facts.items(), *sorted(span.attributes.items())):
        table.add_row(Text(name, style="cyan"), Text(str(value)))
    return table


def closing_line(demo: Demo) -> str:
    """What it comes down to."""
    numbers = totals(demo)
    left = f"; {numbers['left']} more were left by the application" if numbers["left"] else ""
    return (
        f"HTTP says {numbers['http_succeeded']} of {demo.calls} succeeded; {numbers['completed']} did{left}. "
        f"{numbers['failed_after_200']} failed after the 200."
    )


def totals(demo: Demo) -> dict[str, int]:
    """The numbers of the closing line."""
    endings = demo.recorded.calls.items()
    by_outcome: Counter[str] = Counter()
    for ending, number in endings:
        by_outcome[ending.outcome] += number
    return {
        "http_succeeded": sum(number for status, number in demo.http.items() if status is not None and status < 400),
        "completed": by_outcome["completed"],
        "left": by_outcome["closed"] + by_outcome["cancelled"] + by_outcome["abandoned"],
        "failed": by_outcome["failed"] + by_outcome["truncated"],
        "failed_after_200": sum(number for ending, number in endings if ending.is_hidden),
    }


def as_json(demo: Demo) -> dict[str, Any]:
    """The whole result, in values that JSON has."""
    return {
        "calls": demo.calls,
        "seed": demo.seed,
        "seconds": round(demo.seconds, 3),
        "summary": closing_line(demo),
        **totals(demo),
        "http": {str(status): number for status, number in demo.http.items()},
        "after200": [{**ending._asdict(), "calls": number} for ending, number in demo.recorded.calls.most_common()],
        "attempts": {str(status): number for status, number in demo.recorded.attempts.items()},
        "application": dict(demo.application),
        "span": demo.span and {"name": demo.span.name, "status": demo.span.status, "attributes": demo.span.attributes},
        "differences": demo.differences,
    }
