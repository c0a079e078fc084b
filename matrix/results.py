# SPDX-License-Identifier: Apache-2.0
"""What a run of a cell came to → one record; records → docs/matrix.json and the table that the README includes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path

from .environments import ROOT

JSON = ROOT / "docs" / "matrix.json"
TABLE = ROOT / "docs" / "matrix.md"

_HEADER = """\
<!-- Written by `nox -s matrix -- --write` from docs/matrix.json. -->

| anthropic | Python | OpenTelemetry | wrapt | HTTP client | passed | skipped | failed | what it stands for |
|---|---|---|---|---|--:|--:|--:|---|
"""


@dataclass(frozen=True)
class Result:
    """One cell that was run, with the versions that really were installed. `error` is why no test was run."""

    cell: str
    why: str
    ci: bool
    python: str = ""
    anthropic: str = ""
    http_client: str = ""
    opentelemetry: str = ""
    instrumentation: str = ""
    wrapt: str = ""
    passed: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error and not self.failed and self.passed > 0


def count(report: Path) -> dict[str, int]:
    """The tests in a JUnit report, by how they ended."""
    suites = list(ElementTree.parse(report).iter("testsuite"))
    tests, skipped, failed = (
        sum(int(suite.get(name, "0")) for suite in suites for name in names)
        for names in (("tests",), ("skipped",), ("failures", "errors"))
    )
    return {"passed": tests - skipped - failed, "skipped": skipped, "failed": failed}


def table(results: list[Result]) -> str:
    """The results as a table in Markdown."""
    return _HEADER + "".join(_row(result) for result in results)


def _row(result: Result) -> str:
    if result.error:
        return f"| {result.cell} | | | | | | | | not run: {result.error.splitlines()[0]} |\n"
    opentelemetry = f"{result.opentelemetry} / {result.instrumentation}"
    sdk = f"**{result.anthropic}**" if result.ci else result.anthropic
    cells = (sdk, result.python, opentelemetry, result.wrapt, result.http_client)
    counts = (result.passed, result.skipped, result.failed)
    return f"| {' | '.join(map(str, (*cells, *counts, result.why)))} |\n"


def write(results: list[Result]) -> None:
    """Puts `results` in the place of those of the same cells, and writes the table anew."""
    before = json.loads(JSON.read_text(encoding="utf-8"))["cells"] if JSON.exists() else []
    known = {entry["cell"]: Result(**entry) for entry in before}
    known.update((result.cell, result) for result in results)
    from .cells import CELLS

    kept = [known[cell.name] for cell in CELLS if cell.name in known]
    JSON.parent.mkdir(exist_ok=True)
    JSON.write_text(json.dumps({"cells": [asdict(result) for result in kept]}, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text(table(kept), encoding="utf-8")
