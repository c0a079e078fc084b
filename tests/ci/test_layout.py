# SPDX-License-Identifier: Apache-2.0
"""Which tests may import which, and the map of the tests, tests/README.md, against the folders and files there are.

What folders share lives in `tests/support`, and fixtures stay in conftest files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.make import ROOT

TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("*.py"))
MAP = (TESTS / "README.md").read_text(encoding="utf-8")
WITHOUT_TESTS = {"support", "typing"}
FILE = re.compile(r"`(\w+/\w+\.py)`")


def imported(file: Path, source: str, root: Path = ROOT) -> Iterator[str]:
    """The dotted names of everything that `source` imports, if it stood in `file`."""
    package = file.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join((*above, *filter(None, [node.module]), alias.name)) for alias in node.names)


def forbidden(file: Path, source: str) -> list[str]:
    """What `source` imports of the tests, but neither from `tests/support` nor from a module of its own folder."""
    allowed = {"support", file.relative_to(TESTS).parts[0]}
    return [name for name in imported(file, source) if name.startswith("tests.") and not is_allowed(name, allowed)]


def is_allowed(name: str, folders: set[str]) -> bool:
    """Whether a dotted name below `tests` stands in one of `folders`, and in no test module and no conftest."""
    _, folder, *modules = name.split(".")
    return folder in folders and not any(part == "conftest" or part.startswith("test_") for part in modules)


def test_folders_of_tests_import_only_from_support_and_from_themselves() -> None:
    found = {str(file.relative_to(ROOT)): forbidden(file, file.read_text("utf-8")) for file in FILES}
    assert {} == {file: names for file, names in found.items() if names}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from .conftest import Run", "tests.cli.conftest.Run"),
        ("from . import conftest", "tests.cli.conftest"),
        ("from .test_demo import command", "tests.cli.test_demo.command"),
        ("from ..docs.pages import table", "tests.docs.pages.table"),
        ("from .. import docs", "tests.docs"),
        ("import tests.docs.pages", "tests.docs.pages"),
        ("def late():\n    from tests.docs import pages", "tests.docs.pages"),
    ],
)
def test_an_import_that_is_forbidden_is_named(line: str, name: str) -> None:
    assert [name] == forbidden(TESTS / "cli" / "test_main.py", line)


@pytest.mark.parametrize(
    "line", ["from ..support.make import make", "from .peers import port", "from . import peers", "import testing"]
)
def test_an_import_from_support_or_of_the_same_folder_is_allowed(line: str) -> None:
    assert [] == forbidden(TESTS / "cli" / "test_main.py", line)


@pytest.mark.parametrize("part", ["faults", "monitoring"])
def test_the_fault_server_and_the_dashboards_import_only_the_names_of_the_package(part: str) -> None:
    source = ROOT / "src"
    found = {
        name
        for file in (source / "after200" / part).rglob("*.py")
        for name in imported(file, file.read_text("utf-8"), source)
        if name.startswith("after200.") and name.split(".")[1] not in ("names", part)
    }
    assert set() == found


def test_no_file_of_the_package_has_more_than_250_lines_but_those_that_are_named() -> None:
    package = ROOT / "src" / "after200"
    long = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if len(file.read_text("utf-8").splitlines()) > 250
    }
    assert set() == long


def test_the_map_has_a_question_for_every_folder_with_tests() -> None:
    folders = {file.parent.name for file in TESTS.glob("*/*.py")} - WITHOUT_TESTS
    rows = re.findall(r"^\| `(\w+)` \| .+\?.*\|$", MAP, re.M)
    assert sorted(folders) == sorted(rows), "each folder needs a row in the first table of tests/README.md"
    assert all(f"`{name}`" in MAP for name in WITHOUT_TESTS)


def test_the_files_that_the_map_names_exist() -> None:
    named = FILE.findall(MAP)
    assert len(named) > 30
    assert [] == [file for file in named if not (TESTS / file).is_file()]


def test_the_files_that_a_test_claims_to_repeat_exist() -> None:
    claims = {
        (file.name, ast.literal_eval(call.args[0]))
        for file in TESTS.glob("*/test_*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.repeats"
    }
    assert [] == [claim for claim in claims if not (TESTS / claim[1]).is_file()]
