# SPDX-License-Identifier: Apache-2.0
"""What `after200 verify` prints: a check that is over, for people or as JSON. Decides nothing."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from importlib import metadata
from itertools import groupby
from typing import Any, TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from after200.cli.endings import Item
from after200.cli.exporters import Exporter
from after200.cli.tables import facts_table, table
from after200.cli.verify.checks import CHECKS, EXPECTED, Check, Finding, Seen

HISTOGRAMS = {"histogram": "explicit-bucket histograms", "exponential_histogram": "exponential histograms"}


WIDE = 200
"""The columns of what is no terminal: there each call is one line."""


def console_for(output: TextIO) -> Console:
    """Returns the console that prints to `output`; the variable COLUMNS overrides its width."""
    return Console(file=output, width=None if output.isatty() or "COLUMNS" in os.environ else WIDE)


def show(seen: Seen, findings: Sequence[Finding], console: Console) -> None:
    """Prints what is there, what was recorded, the findings and the verdict."""
    facts = [("service", f"{seen.service}, model {seen.model}"), ("installed", ", ".join(packages()))]
    console.print(facts_table([*facts, *((exporter.signal, described(exporter)) for exporter in seen.exporters)]))
    places = recorded(seen)
    unsent = {signal for signal in seen.required if not any(one.accepted for one in seen.of(signal))}
    rows = []
    for check in CHECKS if seen.application else ():
        cells = ["not sent" if place in unsent else state(check, items) for place, items in places.items()]
        rows.append((check.name, seen.application[check.name], ", ".join(map(str, check.expected)), *cells))
    heads = ("check", "the application received", "must be recorded as")
    columns = [Column(head, min_width=_longest_word(row[at] for row in rows)) for at, head in enumerate(heads)]
    calls = table("", *columns, *places)
    for row in rows:
        calls.add_row(*row, style="green" if set(row[len(heads) :]) == {"yes"} else "red")
    console.print(calls)
    if seen.libraries:
        console.print(libraries_table(seen, unsent))
    for (code, _, advice, wrong), alike in groupby(findings, key=lambda finding: finding._replace(what="")):
        word, style = ("WRONG", "bold red") if wrong else ("note ", "yellow")
        for finding in alike:
            console.print(Text(f"{word}  {finding.what}", style=style), soft_wrap=True)
        console.print(Text(f"       next: {advice} [{code}]"), soft_wrap=True)
    last = summary(seen, findings)
    console.print(Text(last, style="bold green" if last.startswith("Right") else "bold red"), soft_wrap=True)


def libraries_table(seen: Seen, unsent: Collection[str]) -> Table:
    """Returns the calls through HTTP libraries: a row for each package, with how many of them were recorded."""
    heads = ("the same calls through", "what the application met, which read to the end")
    found = table("", *heads, *seen.required)
    for package, received in seen.libraries.items():
        errors = ", ".join(dict.fromkeys(each for each in received.values() if " " not in each))
        cells = [
            "not sent" if signal in unsent else f"{right} of {len(CHECKS)}" + " recorded right"
            for signal, right in recorded_right(seen, package).items()
        ]
        is_right = set(cells) == {f"{len(CHECKS)} of {len(CHECKS)} recorded right"}
        found.add_row(package, errors or "nothing", *cells, style="green" if is_right else "red")
    return found


def recorded_right(seen: Seen, package: str) -> dict[str, int]:
    """Returns how many of the calls through `package` were recorded as they must be, by the signal."""
    places = {signal: seen.recorded(signal, package) for signal in seen.required}
    return {signal: sum(state(check, items) == "yes" for check in CHECKS) for signal, items in places.items()}


def _longest_word(cells: Iterable[str]) -> int:
    """Returns how wide a column has to be so that no word in it is cut."""
    return max((len(word) for cell in cells for word in cell.split()), default=0)


def packages() -> list[str]:
    """Returns Python and the packages that matter, with their versions."""
    matter = ("after200", "anthropic", "opentelemetry-sdk", "opentelemetry-instrumentation", "opentelemetry-distro")
    found = [next(iter(metadata.distributions(name=name)), None) for name in matter]
    return [f"Python {sys.version.split()[0]}", *(f"{each.name} {each.version}" for each in found if each)]


def described(exporter: Exporter) -> str:
    """Returns what an exporter is, where it sends, and what became of it."""
    kinds = sorted({HISTOGRAMS[point.kind] for point in exporter.points if point.kind in HISTOGRAMS})
    temporality = sorted({point.temporality for point in exporter.points if point.temporality})
    accepted = [] if exporter.scraped else [f"{exporter.accepted} of {exporter.offered} batches accepted"]
    return ", ".join([str(exporter), *accepted, *temporality, *kinds])


def recorded(seen: Seen) -> dict[str, Counter[Item]]:
    """Returns what was found of the calls, by the place where it was found."""
    places = {signal: seen.recorded(signal) for signal in seen.required}
    return places if seen.prometheus is None else {**places, "Prometheus": seen.prometheus}


def state(check: Check, found: Counter[Item]) -> str:
    """Returns whether a call was recorded as it must be; if not, what was recorded that nobody expects."""
    if all(found[item] == EXPECTED[item] for item in check.expected):
        return "yes"
    return " / ".join(map(str, found - EXPECTED)) or "no"


def summary(seen: Seen, findings: Sequence[Finding]) -> str:
    """Returns the last line."""
    wrong = len({finding.code for finding in findings if finding.wrong})
    if wrong:
        return f"Wrong: {wrong} {'thing' if wrong == 1 else 'things'} to mend, see above."
    further = ", arrived in Prometheus" * bool(seen.prometheus) + ", raised an alert" * bool(seen.alerts)
    return f"Right: what was recorded is what happened. It left this process{further}."


def as_json(seen: Seen, findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns the whole result, in values that JSON has."""
    return {
        "verdict": "wrong" if any(finding.wrong for finding in findings) else "right",
        "summary": summary(seen, findings),
        "findings": [finding._asdict() for finding in findings],
        "service": seen.service,
        "model": seen.model,
        "installed": packages(),
        "exporters": {f"{exporter.signal}: {exporter}": described(exporter) for exporter in seen.exporters},
        "calls": [
            {
                "check": check.name,
                "application": seen.application[check.name],
                "recorded": {place: state(check, items) == "yes" for place, items in recorded(seen).items()},
            }
            for check in CHECKS
            if seen.application
        ],
        "libraries": {
            package: {"application": received, "recorded": recorded_right(seen, package)}
            for package, received in seen.libraries.items()
        },
        "alerts": seen.alerts,
        "log": seen.log,
    }
