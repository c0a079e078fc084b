# SPDX-License-Identifier: Apache-2.0
"""What `after200 verify` prints: a check that is over, for people or as JSON. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from after200.cli.verify.diagnoses import Finding
from after200.cli.verify.endings import CHECKS
from after200.cli.verify.seen import RIGHT, ExporterSeen, Seen, recorded_for


def show(seen: Seen, findings: Sequence[Finding], console: Console) -> None:
    """Print what is there, what was recorded, and the verdict."""
    facts = Table.grid(padding=(0, 2))
    for name, value in rows(seen):
        facts.add_row(Text(name, style="bold"), Text(value))
    console.print(facts)
    if seen.saw:
        console.print(calls_table(seen))
    for finding in findings:
        word, style = ("WRONG", "bold red") if finding.wrong else ("note ", "yellow")
        console.print(Text(f"{word}  {finding.what}", style=style), soft_wrap=True)
        console.print(Text(f"       next: {finding.next} [{finding.code}]"), soft_wrap=True)
    console.print(
        Text(verdict(seen, findings), style="bold red" if is_wrong(findings) else "bold green"), soft_wrap=True
    )


def rows(seen: Seen) -> Iterator[tuple[str, str]]:
    """The facts, as name and value."""
    yield "service", f"{seen.service}, model {seen.model}"
    if not seen.facts:
        return
    packages = seen.facts["packages"]
    yield "installed", f"Python {seen.facts['python']}, " + ", ".join(f"{name} {packages[name]}" for name in packages)
    yield "providers", ", ".join(seen.facts["surfaces"])
    others = [
        f"{name} {entry['version']}{' (active)' if entry['active'] else ''}"
        for name, entry in seen.facts["genai"].items()
    ]
    yield "others", ", ".join(others) or "no other GenAI instrumentation installed"
    yield "hooks", hooks_line(seen)
    for exporter in seen.exporters:
        yield exporter.signal, exporter_line(exporter)
    if seen.prometheus_url is not None:
        yield "prometheus", f"{seen.prometheus_url}: {seen.prometheus.total()} calls found"
    if seen.alertmanager_url is not None:
        yield "alerts", f"{seen.alertmanager_url}: {', '.join(seen.alerts) or 'none'}"


def hooks_line(seen: Seen) -> str:
    """How many hooks are where they should be."""
    if not seen.facts["active"]:
        return "none: after200 is not active"
    states = Counter(hook["state"] for hook in seen.facts["hooks"])
    others = [f"{number} {state}" for state, number in states.items() if state not in ("in place", "absent")]
    needed = states.total() - states["absent"]
    return ", ".join([f"{states['in place']} of {needed} in place", *others])


def exporter_line(exporter: ExporterSeen) -> str:
    """Which exporter, where it sends, and whether it was taken."""
    kind = exporter.kind.rpartition(".")[2]
    protocol = "" if not exporter.remote else " over gRPC" if exporter.grpc else " over HTTP"
    where = (
        f"{protocol} to {exporter.endpoint}"
        if exporter.remote
        else f" at {exporter.endpoint}"
        if exporter.endpoint
        else ""
    )
    taken = (
        ""
        if exporter.pulled
        else f": {exporter.accepted} batches taken" + (f", {exporter.refused} not" if exporter.refused else "")
    )
    return f"{kind}{where}{taken}"


def calls_table(seen: Seen) -> Table:
    """The calls: what the application saw, what was recorded."""
    recorded = {signal: seen.recorded(signal) for signal in seen.required}
    lost = {signal: words for signal in seen.required if (words := not_taken(seen, signal))}
    if seen.prometheus_url is not None and seen.prometheus_missing is None:
        recorded["Prometheus"] = seen.prometheus
    table = Table("check", "the application saw", "is to be recorded as", *recorded, box=SIMPLE_HEAD, pad_edge=False)
    for check in CHECKS:
        if check.name in seen.saw:
            cells = [lost.get(signal) or recorded_for(check, calls) for signal, calls in recorded.items()]
            style = "green" if set(cells) == {RIGHT} else "red"
            table.add_row(check.name, seen.saw[check.name], str(check.expected), *cells, style=style)
    return table


def not_taken(seen: Seen, signal: str) -> str:
    """Why nothing of a signal can have been taken, whatever was recorded."""
    exporters = seen.of(signal)
    if not exporters:
        return "no exporter"
    return "not taken" if all(exporter.failed for exporter in exporters) else ""


def is_wrong(findings: Sequence[Finding]) -> bool:
    """Whether the verdict is wrong."""
    return any(finding.wrong for finding in findings)


def verdict(seen: Seen, findings: Sequence[Finding]) -> str:
    """The last line."""
    wrong = sum(finding.wrong for finding in findings)
    if wrong:
        return f"Wrong: {wrong} {'thing' if wrong == 1 else 'things'} to mend, see above."
    where = ["left this process"]
    if seen.prometheus_url is not None:
        where.append("arrived in Prometheus")
    if seen.alertmanager_url is not None:
        where.append("raised an alert")
    return f"Right: what was recorded is what happened, and it {', '.join(where)}."


def as_json(seen: Seen, findings: Sequence[Finding]) -> dict[str, Any]:
    """The whole result, in values that JSON has."""
    return {
        "verdict": "wrong" if is_wrong(findings) else "right",
        "summary": verdict(seen, findings),
        "findings": [finding._asdict() for finding in findings],
        "run": seen.run,
        "service": seen.service,
        "model": seen.model,
        "facts": {name: value for name, value in seen.facts.items() if name not in ("exporters", "log")},
        "calls": [
            {
                "check": check.name,
                "scenario": check.scenario,
                "expected": check.expected._asdict(),
                "application": seen.saw[check.name],
                "recorded": {signal: recorded_for(check, seen.recorded(signal)) == RIGHT for signal in seen.required},
            }
            for check in CHECKS
            if check.name in seen.saw
        ],
        "exporters": [
            {
                "signal": exporter.signal,
                "exporter": exporter.kind,
                "endpoint": exporter.endpoint,
                "accepted": exporter.accepted,
                "refused": exporter.refused,
                "temporality": exporter.temporality or None,
                "calls": [{**ending._asdict(), "calls": number} for ending, number in exporter.calls.items()],
            }
            for exporter in seen.exporters
        ],
        "prometheus": [{**ending._asdict(), "calls": number} for ending, number in seen.prometheus.items()],
        "alerts": list(seen.alerts),
        "log": list(seen.log),
    }
