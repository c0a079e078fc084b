# SPDX-License-Identifier: Apache-2.0
"""The matrix: which cells are run on what, which releases `--newest` finds, and what its results are called."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from after200.hooks.http.libraries import LIBRARIES
from matrix import __main__ as command
from matrix import newest
from matrix.cells import CELLS, OLDEST_LIBRARIES, UPPER_BOUND, Cell, select
from matrix.environments import CannotInstallError, find_python, newest_release
from matrix.results import Result

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
ELSEWHERE = {
    "benchmarks",
    "ci",
    "cli",
    "docs",
    "faults",
    "libraries",
    "load",
    "drawing",
    "monitoring",
    "neighbours",
    "plugin",
    "report",
    "typing",
    "verify",
}
"""Folders of tests that do not depend on versions of the SDK: `make test` runs them; a cell of its own `libraries`."""
NO_PYTHON = Cell("2.11.0", "3.99", "a Python that nobody has")
NO_PYTHON_VARIANT = Cell("newest", "3.99", "a Python that nobody has", variant=True)


def test_every_folder_of_tests_is_run_in_each_cell_or_named_as_independent_of_versions() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.glob("test_*.py"))}
    assert folders - ELSEWHERE == set(command.FOLDERS)
    assert [] == [test for test in command.TESTS if not (ROOT / test).exists()]


def test_the_oldest_http_libraries_are_the_lower_bounds_of_those_that_are_instrumented() -> None:
    packages = [package for found in LIBRARIES.values() for package in found]
    bounds = {package.name: package.requirement.partition(",")[0].split(" >= ")[1] for package in packages}
    oldest = {name: version for name, _, version in (each.partition(" == ") for each in OLDEST_LIBRARIES)}
    assert oldest == {name: f"{bound}.0.0"[: len(oldest[name])] for name, bound in bounds.items()}


def test_what_ci_runs_in_a_cell_is_there() -> None:
    named = (*command.CI_TESTS, *command.CI_LIBRARIES_TESTS, command.NOT_IN_CI)
    assert [] == [name for name in named if not (ROOT / name.partition("::")[0]).exists()]


def test_ci_runs_a_part_and_fails_for_a_test_that_the_environment_cannot_import(tmp_path: Path) -> None:
    for name in ("run", "left_out"):
        (tmp_path / f"test_{name}.py").write_text("def test_it(): pass\n", encoding="utf-8")
    arguments = ("-q", "-p", "no:cacheprovider", "-p", "matrix.share", "--among=test_run.py", ".")
    run = (sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir=.", *arguments)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (0, True) == (done.returncode, "1 passed, 1 deselected" in done.stdout), done.stdout
    (tmp_path / "test_left_out.py").write_text("import of_no_environment\n", encoding="utf-8")
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (2, True) == (done.returncode, "No module named 'of_no_environment'" in done.stdout), done.stdout


def test_names_of_cells_are_unique_and_unknown_ones_are_named_with_those_there_are() -> None:
    assert len(CELLS) == len({cell.name for cell in CELLS})
    with pytest.raises(ValueError, match=r"^no cell 9\.9\.9, latest; there is: 0\.27\.0, .*newest"):
        select(["0.27.0", "9.9.9", "latest"], ci=False)


def test_neighbouring_cells_run_different_shares_of_the_tests_with_many_variants() -> None:
    assert ["1/3", "2/3", "3/3", "1/3"] == [command.share(cell, 3) for cell in CELLS[:4]]
    assert {"1/1"} == {command.share(cell, 1) for cell in CELLS}


def test_another_python_takes_the_place_of_one_that_is_missing_where_the_sdk_is_the_point(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert find_python("3.99") is None
    for cell, ci in ((NO_PYTHON, False), (NO_PYTHON, True), (NO_PYTHON_VARIANT, True)):
        assert sys.executable == command.interpreter_for(cell, ci=ci)
        assert "takes the place of 3.99, which is not on this machine" in capsys.readouterr().out
    with pytest.raises(CannotInstallError, match=r"^there is no Python 3\.99 on this machine$"):
        command.interpreter_for(NO_PYTHON_VARIANT, ci=False)


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of anthropic in a package index of the test's own (a "simple repository"), which uv asks."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", tmp_path.as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "anthropic"
    folder.mkdir()
    return folder


def release(folder: Path, *versions: str) -> None:
    """Put releases of anthropic into the index."""
    names = [f"anthropic-{number}-py3-none-any.whl" for number in versions]
    (folder / "index.html").write_text("".join(f'<a href="{name}">{name}</a>\n' for name in names), encoding="utf-8")
    for number in versions:
        with zipfile.ZipFile(folder / f"anthropic-{number}-py3-none-any.whl", "w") as wheel:
            info = f"anthropic-{number}.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: anthropic\nVersion: {number}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(
    ("versions", "cells", "outside"),
    [
        (["2.13.0", "2.14.0"], ["newest"], []),
        (["2.14.0rc1", "2.14.0"], ["newest"], []),
        (["2.14.0", "2.15.0rc1"], ["newest", "2.15.0rc1"], []),
        (["2.14.0", "3.0.0rc1"], ["newest"], ["3.0.0rc1"]),
        (["2.14.0", "2.15.0b1", "3.0.0", "3.1.0a1"], ["newest", "2.15.0b1"], ["3.0.0", "3.1.0a1"]),
    ],
)
def test_the_newest_release_and_a_newer_pre_release_are_run_and_a_new_major_version_is_named(
    versions: list[str], cells: list[str], outside: list[str], releases: Path
) -> None:
    release(releases, *versions)
    found = newest.look()
    assert cells == [cell.name for cell in found.cells]
    assert [f"anthropic {number} is outside of the supported range (below 3)" for number in outside] == [
        sentence.partition(":")[0] for sentence in found.outside
    ]
    none = [f"No pre-release of anthropic below {UPPER_BOUND} is newer than 2.14.0."]
    assert (none if cells == ["newest"] else []) == found.notes


def test_an_index_without_an_answer_is_named(releases: Path) -> None:
    with pytest.raises(CannotInstallError, match=r"^the newest release for 'anthropic < 3' is not known:\n.+"):
        newest_release("anthropic < 3", pre_release=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--newest", "--ci"], "name cells, or give --ci, or --newest, not two of them"),
        (["--newest", "--write"], "--write is for all the tests that depend on versions, not for --ci or --newest"),
        (["--ci", "--write"], "--write is for all the tests that depend on versions, not for --ci or --newest"),
        (["newest", "--write", "--pytest=tests/unit"], "would write down what only a part of the tests came to"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert 2 == ended.value.code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("moved", "warnings"), [("", []), ("close", [r"after200 does not find anthropic\._streaming\.Stream\.close in .+"])]
)
def test_a_cell_keeps_what_the_package_warns_of_its_sdk(moved: str, warnings: list[str]) -> None:
    move = f"import anthropic; del anthropic._streaming.Stream.{moved}\n" if moved else ""
    done = subprocess.run([sys.executable, "-c", move + command.PROBE], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert version("anthropic") == found["anthropic"]
    assert len(warnings) == len(found["warnings"])
    assert all(re.fullmatch(*pair) for pair in zip(warnings, found["warnings"], strict=True))


def test_a_cell_in_which_the_package_warns_has_not_passed() -> None:
    passed = Result("newest", "the newest below 3", False, anthropic="2.14.0", passed=1)
    warned = Result("newest", "the newest below 3", False, anthropic="2.14.0", passed=1, warnings=["it has moved"])
    assert (True, False) == (passed.ok, warned.ok)
