# SPDX-License-Identifier: Apache-2.0
"""Run cells of the matrix side by side: `python -m matrix --help`.

Exit status 0 when every test passed in every cell; 1 when one did not, when an SDK makes the package log a warning, or
when `--newest` finds a release outside of the supported range; 2 for arguments that are not valid.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cells import CELLS, Cell, select
from .environments import ROOT, WORK, CannotInstallError, build_wheel, find_python, make
from .newest import look
from .results import Result, count, table, write

FOLDERS = (
    *("context", "contract", "exceptions", "native", "providers", "reported", "resilience", "security", "streams"),
    *("surfaces", "transparency", "unit"),
)
"""The tests of what depends on the versions of the SDK, OpenTelemetry, wrapt or Python; `make test` runs all others."""

TESTS = (*(f"tests/{name}" for name in FOLDERS), "tests/load/test_endings.py")
CI_TESTS = (
    *(f"tests/{name}/" for name in ("exceptions", "native", "providers", "streams", "surfaces")),
    "tests/contract/test_auto_instrumentation.py::test_an_overload_after_the_200_leaves_as_a_failure_with_status_529",
)
"""What depends most on the version of the SDK: what a cell runs of `TESTS` when only the cells for CI are run."""
NOT_IN_CI = "tests/surfaces/test_unsupported_versions.py"
"""Plays all versions by itself."""

LIBRARIES_TESTS = ("tests/libraries",)
"""What a cell with other HTTP libraries runs."""
CI_LIBRARIES_TESTS = tuple(
    f"tests/libraries/test_{name}.py"
    for name in ("bedrock", "classify", "encodings", "leaving", "one_record", "scenarios")
)
CI_SHARES = 24
"""Of the tests with many variants, a cell runs one in so many when only the cells for CI are run."""

WIDTH = max(len(cell.name) for cell in CELLS) + 2
"""Of the column with the names of cells."""

PROBE = """
import importlib.metadata as m, json, logging, platform
def version(*names):
    for name in names:
        try: return m.version(name)
        except m.PackageNotFoundError: pass
warnings = []
class Keep(logging.Handler):
    def emit(self, record): warnings.append(record.getMessage())
logging.getLogger("after200").addHandler(Keep(logging.WARNING))
__import__("after200").AnthropicInstrumentor().instrument()
used = "httpx2" if __import__("anthropic")._base_client.__dict__.get("httpx2") else "httpx"
print(json.dumps({"python": platform.python_version(), "anthropic": version("anthropic"),
    "http_client": f"{used} {version(used)}", "opentelemetry": version("opentelemetry-api"),
    "instrumentation": version("opentelemetry-instrumentation"), "wrapt": version("wrapt"), "warnings": warnings}))
"""
"""Prints the versions in an environment, and what the package logs when it instruments the SDK there."""


def main(argv: list[str] | None = None) -> int:
    """Run what the arguments say; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.list:
        print("\n".join(f"{cell.name:<{WIDTH}}{'ci ' if cell.ci else '   '}{cell.why}" for cell in CELLS))
        return 0
    if sum((bool(options.cells), options.ci, options.newest)) > 1:
        parser.error("name cells, or give --ci, or --newest, not two of them")
    if options.write and options.pytest:
        parser.error("--write with --pytest would write down what only a part of the tests came to")
    if options.write and (options.ci or options.newest):
        parser.error("--write is for all the tests that depend on versions, not for --ci or --newest")
    outside: list[str] = []
    try:
        if options.newest:
            newest = look()
            print("\n".join([*newest.notes, *newest.outside]), flush=True)
            cells, outside = newest.cells, newest.outside
        else:
            cells = select(options.cells, ci=options.ci)
        wheel = build_wheel()
    except (ValueError, CannotInstallError) as error:
        print(f"matrix: {error}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda cell: run(cell, wheel, options), cells))
    print("\n" + table(results))
    for result in results:
        for warning in result.warnings:
            print(f"{result.cell} (anthropic {result.anthropic}): {warning}")
    print(*outside, sep="\n", end="")
    if options.write:
        write(results)
    return 0 if all(result.ok for result in results) and not outside else 1


def run(cell: Cell, wheel: Path, options: argparse.Namespace) -> Result:
    """Run the tests in the environment of `cell`. What pytest said goes to a file."""
    started = time.monotonic()
    fields: dict[str, object] = {"cell": cell.name, "why": cell.why, "ci": cell.ci, "libraries": cell.libraries}
    try:
        interpreter = make(cell, interpreter_for(cell, ci=options.ci), wheel)
        if options.install_only:
            return Result(**fields, error="only installed")  # type: ignore[arg-type]
        fields |= json.loads(_output(interpreter, "-c", PROBE))
        fields |= _test(cell, interpreter, _arguments(cell, options))
    except (CannotInstallError, subprocess.CalledProcessError) as error:
        fields["error"] = str(error)
    result = Result(**fields, seconds=round(time.monotonic() - started, 1))  # type: ignore[arg-type]
    word = "passed" if result.ok else f"FAILED {result.error}"
    counts = f"{result.passed} passed, {result.skipped} skipped, {result.failed} failed"
    print(f"{cell.name:<{WIDTH}}{word}: {counts} in {result.seconds} s", flush=True)
    return result


def interpreter_for(cell: Cell, *, ci: bool) -> str:
    """The Python of `cell`, or this one where the machine has no such Python.

    Raises `CannotInstallError` when the cell is there for its Python, unless only the cells for CI are run: what they
    are there for is the SDK, and a machine for CI has at least one Python.
    """
    python = find_python(cell.python)
    if python is None and cell.variant and not ci:
        raise CannotInstallError(f"there is no Python {cell.python} on this machine")
    if python is None:
        this = f"{sys.version_info[0]}.{sys.version_info[1]}"
        print(
            f"{cell.name:<{WIDTH}}Python {this} takes the place of {cell.python}, which is not on this machine",
            flush=True,
        )
    return python or sys.executable


def _arguments(cell: Cell, options: argparse.Namespace) -> list[str]:
    tests, in_ci = (TESTS, CI_TESTS) if cell.libraries == "newest" else (LIBRARIES_TESTS, CI_LIBRARIES_TESTS)
    shares = CI_SHARES if options.ci else 1 if options.whole or options.newest else 3
    arguments = ["-p", "matrix.share", f"--share={share(cell, shares)}"]
    if options.pytest:
        return [*arguments, *options.pytest]
    if options.ci:
        # All are collected: one that cannot be imported in this environment is found before the whole matrix is run.
        arguments += [*(f"--among={prefix}" for prefix in in_ci), f"--deselect={NOT_IN_CI}"]
    return [*arguments, *tests]


def share(cell: Cell, shares: int) -> str:
    """Returns which share of the tests with many variants `cell` runs, of so many `shares`. The next runs another."""
    return f"{CELLS.index(cell) % shares + 1 if cell in CELLS else 1}/{shares}"


def _test(cell: Cell, interpreter: Path, arguments: list[str]) -> dict[str, int]:
    report, log = WORK / f"{cell.name}.xml", WORK / f"{cell.name}.log"
    report.unlink(missing_ok=True)
    command = [str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    # Without bytecode, importing the SDK alone would take as long as the tests.
    unwanted = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        print(f"--- {cell.name}, the end of {log}:\n" + "\n".join(done.stdout.splitlines()[-40:]), flush=True)
    if not report.exists():
        raise CannotInstallError(f"pytest did not run (exit status {done.returncode}), see {log}")
    return count(report)


def _output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="matrix", description="Run the tests on cells of the version matrix.")
    parser.add_argument("cells", nargs="*", metavar="CELL", help="cells to run (default: all); --list names them")
    parser.add_argument(
        "--ci", action="store_true", help=f"the cells that CI runs, each one in {CI_SHARES} of the long tests"
    )
    parser.add_argument("--newest", action="store_true", help="the newest release of the SDK, and a newer pre-release")
    parser.add_argument("--whole", action="store_true", help="all of the long tests; else each cell runs a third")
    parser.add_argument("--list", action="store_true", help="list the cells and stop")
    parser.add_argument(
        "--write", action="store_true", help="write docs/matrix.json, docs/matrix.md and the README's lines"
    )
    parser.add_argument("--install-only", action="store_true", help="bring the environments up to date and stop")
    parser.add_argument(
        "--jobs",
        type=int,
        default=(os.cpu_count() or 1) + 2,  # A cell waits for sockets about half of its time.
        help="cells at a time (default: two more than there are cores)",
    )
    parser.add_argument("--pytest", action="append", default=[], metavar="ARG", help="what to run instead, repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
