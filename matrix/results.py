# SPDX-License-Identifier: Apache-2.0
"""What a run of a cell came to → one record; records → docs/matrix.json, a table of them, and the README's lines."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .cells import CELLS
from .environments import ROOT

JSON = ROOT / "docs" / "matrix.json"
TABLE = ROOT / "docs" / "matrix.md"
README = ROOT / "README.md"
_MARKED = re.compile(r"(<!-- matrix -->\n).*?(<!-- end of matrix -->)", re.DOTALL)

_HEADER = """\
<!-- Written by `make matrix ARGS=--write` from docs/matrix.json. -->

| anthropic | Python | OpenTelemetry | wrapt | HTTP client | passed | skipped | failed | what it stands for |
|---|---|---|---|---|--:|--:|--:|---|
"""


@dataclass(frozen=True)
class Result:
    """One cell that was run, with the versions that really were installed.

    `libraries` is `oldest` where only the tests of calls without the SDK were run, on the oldest HTTP libraries;
    `warnings` is what the package logs when it instruments this SDK, for example that an internal has moved; `error` is
    why no test was run.
    """

    cell: str
    why: str
    ci: bool
    libraries: str = "newest"
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
    warnings: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error and not self.warnings and not self.failed and self.passed > 0


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
    sdk = f"**{result.anthropic}**" if result.ci and result.libraries == "newest" else result.anthropic
    cells = (sdk, result.python, opentelemetry, result.wrapt, result.http_client)
    counts = (result.passed, result.skipped, result.failed)
    return f"| {' | '.join(map(str, (*cells, *counts, result.why)))} |\n"


def read() -> list[Result]:
    """What was written last."""
    cells = json.loads(JSON.read_text(encoding="utf-8"))["cells"] if JSON.exists() else []
    return [Result(**cell) for cell in cells]


def summary(results: list[Result]) -> str:
    """Which versions passed, in a few lines of Markdown."""
    passed = [result for result in results if result.ok and result.libraries == "newest"]
    in_ci = {result.anthropic for result in passed if result.ci}
    sdk = [f"**{version}**" if version in in_ci else version for version in _versions(passed, "anthropic")]
    lines = [f"- `anthropic` {', '.join(sdk)} (bold: in every run of CI, where the newest of all has the main run)"]
    python = dict.fromkeys(version.rpartition(".")[0] for version in _versions(passed, "python"))
    for title, versions in (
        ("Python", list(python)),
        ("OpenTelemetry", _versions(passed, "opentelemetry")),
        ("wrapt", _versions(passed, "wrapt")),
    ):
        lines.append(f"- {title} {', '.join(versions)}")
    failed = [result.cell for result in results if not result.ok]
    if failed:
        lines.append(f"- not passed: {', '.join(failed)}")
    return "\n".join(lines) + "\n"


def _versions(results: list[Result], of: str) -> list[str]:
    """The distinct versions of one thing, oldest first."""
    versions = {str(getattr(result, of)) for result in results}
    return sorted(versions, key=lambda version: [int(number) for number in re.findall(r"\d+", version)])


def fill(text: str, results: list[Result]) -> str:
    """`text` with the summary between its marks."""
    return _MARKED.sub(lambda marks: f"{marks[1]}{summary(results)}{marks[2]}", text)


def write(results: list[Result]) -> None:
    """Puts `results` in the place of those of the same cells, and writes the table and the README's lines anew."""
    known = {result.cell: result for result in (*read(), *results)}
    kept = [known[cell.name] for cell in CELLS if cell.name in known]
    JSON.write_text(json.dumps({"cells": [asdict(result) for result in kept]}, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text(table(kept), encoding="utf-8")
    README.write_text(fill(README.read_text(encoding="utf-8"), kept), encoding="utf-8")
