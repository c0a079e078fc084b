# SPDX-License-Identifier: Apache-2.0
"""Breaks the package in many places, one after the other, and says which breakages no test finds.

    python -m tests.ci.mutants [--places N] [--seed N] [--tests PATH]... [FOLDER...]

FOLDER is a folder of `src/after200`; `call`, `following` and `hooks` if none is named. A place is drawn by chance, the
same one for the same seed. Each is changed in the working tree and put back. First the tests run as `make test` runs
them, then, where they pass, every variant. A line for each place says which of the two failed, or that neither did.

The exit status is 1 when a place is left that no test finds. What changes nothing (a message, a faster way) is found
by nobody, so a line is for a person to judge.
"""

from __future__ import annotations

import argparse
import ast
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

from matrix.__main__ import TESTS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "after200"
FOLDERS = ("call", "following", "hooks")
TIMEOUT_S = 1800
"""A loop without an end is a breakage that is found."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}


@dataclass(frozen=True)
class Place:
    """A piece of a file, in bytes, and what to put there."""

    file: Path
    line: int
    begin: int
    end: int
    new: str

    def broken(self) -> bytes:
        """The file with the new piece."""
        source = self.file.read_bytes()
        return source[: self.begin] + self.new.encode() + source[self.end :]

    def __str__(self) -> str:
        old = self.file.read_bytes()[self.begin : self.end].decode()
        return f"{self.file.relative_to(PACKAGE)}:{self.line}: {old!r} -> {self.new!r}"


def places(file: Path) -> Iterator[Place]:
    """Where a file can be broken: comparisons, `and` and `or`, conditions, constants, and statements to leave out."""
    source = file.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(source)):
        for part in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if is_call(part) or isinstance(part, ast.AugAssign | ast.Raise):
                yield place(file, part, "pass", starts)
        if new := changed(node):
            yield place(file, node, ast.unparse(ast.fix_missing_locations(new)), starts)


def is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def place(file: Path, node: ast.stmt | ast.expr, new: str, starts: list[int]) -> Place:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
    return Place(file, node.lineno, begin, end, new)


def changed(node: ast.AST) -> ast.expr | None:
    """Another expression in place of this one; None where there is nothing to change."""
    match node:
        case ast.Compare(left, [operator], [right]):
            return ast.Compare(left, [COMPARISONS[type(operator)]()], [right])
        case ast.BoolOp(operator, values):
            return ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            return operand
        case ast.Constant(bool() as value):
            return ast.Constant(not value)
        case ast.Constant(int() as value):
            return ast.Constant(value + 1)
    return None


def drawn(folders: list[str], count: int, seed: int) -> list[Place]:
    """So many places of the folders, each as likely as any other."""
    files = sorted(file for folder in folders for file in (PACKAGE / folder).rglob("*.py"))
    return random.Random(seed).sample([one for file in files for one in places(file)], count)


def fails(tests: list[str], *options: str) -> bool:
    """Whether one of the tests fails. Each path has a run of its own, so that what is quick can come first."""
    command = [sys.executable, "-m", "pytest", "-qx", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"]
    for path in tests:
        try:
            done = subprocess.run([*command, *options, path], cwd=ROOT, stdout=DEVNULL, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return True
        if done.returncode != 0:
            return True
    return False


def verdict(broken: Place, tests: list[str]) -> str:
    """Which tests find a breakage."""
    before = broken.file.read_bytes()
    broken.file.write_bytes(broken.broken())
    try:
        if fails(tests, "-p", "tests.support.representatives"):
            return "make test"
        return "make test-all" if fails(tests) else "NO TEST"
    finally:
        broken.file.write_bytes(before)


def main() -> int:
    """Breaks what the arguments say; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.ci.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", default=FOLDERS, metavar="FOLDER")
    parser.add_argument("--places", type=int, default=50, metavar="N", help="how many places to break (default: 50)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which of them (default: 1)")
    parser.add_argument("--tests", action="append", metavar="PATH", help="what to run (default: what versions change)")
    options = parser.parse_args()
    tests = options.tests or ["tests/unit", *TESTS, "tests/libraries"]
    if fails(tests, "-p", "tests.support.representatives"):
        parser.error("the tests fail before anything is broken")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # What is broken is put back then, too.
    missed = 0
    for one in drawn(list(options.folders), options.places, options.seed):
        described = str(one)
        found = verdict(one, tests)
        missed += found == "NO TEST"
        print(f"{found:<14}{described}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
