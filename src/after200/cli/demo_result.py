# SPDX-License-Identifier: Apache-2.0
"""What `after200 demo` prints: a finished demo as tables for people, or as JSON for programs.

Reads a `Demo`, computes nothing but sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from after200.cli.answered import Answered
from after200.cli.endings import totals
from after200.cli.otlp import Span
from after200.cli.reconcile import Account
from after200.cli.tables import answered_tables, calls_table, facts_table, numbers, table


@dataclass(frozen=True)
class Demo:
    """A demo that is over: what was asked for, what each side says, and where they differ."""

    calls: int
    seed: int
    seconds: float
    http: Counter[int | None]
    """Calls by the HTTP status of their last attempt; None when the SDK received no response as a whole."""
    recorded: Account
    answered: Answered
    """What the completed calls were answered, with what a status code does not say."""
    application: Counter[str]
    """Calls by what the application made of them: answered, left, failed."""
    span: Span | None
    """A span of a call that failed after the 200."""
    differences: list[str]

    @property
    def http_succeeded(self) -> int:
        """How many calls had a successful HTTP status in the end."""
        return sum(number for status, number in self.http.items() if status is not None and status < 400)


def show(demo: Demo, console: Console) -> None:
    """Print the two accounts side by side, what calls were answered, one failed span, and the sums in sentences."""
    side_by_side = Table.grid(padding=(0, 3))
    side_by_side.add_row(http_table(demo.http), calls_table("What after200 says", demo.recorded.calls))
    console.print(side_by_side)
    if tables := answered_tables(demo.answered):
        console.print(Text("What the calls with a 200 hid:", style="bold"))
        console.print(Padding(Columns(tables, padding=(0, 3)), (1, 0, 0, 0)))
    if demo.span is not None:
        console.print(Text("One of the failed calls, as it was exported:", style="bold"))
        console.print(Padding(facts_table(span_facts(demo.span)), (0, 0, 1, 2)))
    for line, style in (*summary(demo), *verdict(demo)):
        console.print(Text(line, style=style), soft_wrap=True)


def http_table(statuses: Mapping[int | None, int]) -> Table:
    """Calls by the status on the HTTP status line."""
    found = table("What HTTP says", "status", numbers("calls"))
    for status, calls in sorted(statuses.items(), key=lambda item: item[0] or 0):
        found.add_row(str(status or "-"), str(calls), style="green" if status == 200 else "bold red")
    return found


def span_facts(span: Span) -> Iterator[tuple[str, object]]:
    """A span with everything that it carries."""
    status = f"{span.status}: {span.description}" if span.description else span.status
    yield from (("name", span.name), ("kind", span.kind), ("trace_id", span.trace_id), ("span_id", span.span_id))
    yield from (("scope", span.scope), ("duration", f"{span.duration * 1000:.1f} ms"), ("status", status))
    yield from sorted(span.attributes.items())


def summary(demo: Demo) -> Iterator[tuple[str, str]]:
    """What it comes down to, as lines with their style."""
    ended = totals(demo.recorded.calls)
    yield f"HTTP says {demo.http_succeeded} of {demo.calls} succeeded; {ended.completed} did.", "bold"
    seen = f"{ended.hidden} failed after the 200, {ended.failed} where HTTP could see it"
    yield f"{seen}; {ended.left} were left early.", ""
    if demo.answered.answers:
        complete = demo.answered.complete
        yield f"Of the {ended.completed} that completed, {complete} gave the application a complete answer.", ""


def verdict(demo: Demo) -> Iterator[tuple[str, str]]:
    """Whether what was exported is what happened, as lines with their style."""
    if not demo.differences:
        equal = "What was exported equals the fault server's log, call by call and span by span"
        yield f"{equal} ({demo.seconds:.1f} s).", "green"
        return
    yield "What was exported is not what the fault server did:", "bold red"
    if not demo.recorded.calls:
        yield "  nothing came at all; is after200 in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS?", ""
    for line in demo.differences:
        yield f"  {line}", ""


def as_json(demo: Demo) -> dict[str, Any]:
    """The whole result, in values that JSON has."""
    ended = totals(demo.recorded.calls)
    return {
        "calls": demo.calls,
        "seed": demo.seed,
        "seconds": round(demo.seconds, 3),
        "summary": " ".join(line for line, _ in summary(demo)),
        "http_succeeded": demo.http_succeeded,
        "completed": ended.completed,
        "left": ended.left,
        "failed": ended.failed + ended.hidden,
        "failed_after_200": ended.hidden,
        "http": {str(status): number for status, number in demo.http.items()},
        "after200": [{**ending._asdict(), "calls": number} for ending, number in demo.recorded.calls.most_common()],
        "attempts": {str(status): number for status, number in demo.recorded.attempts.items()},
        "complete": demo.answered.complete,
        **demo.answered.as_json(),
        "application": dict(demo.application),
        "span": demo.span and {"name": demo.span.name, "status": demo.span.status, "attributes": demo.span.attributes},
        "differences": demo.differences,
    }
