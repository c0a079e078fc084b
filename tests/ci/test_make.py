# SPDX-License-Identifier: Apache-2.0
"""The Makefile: what its targets install and run, and what `make test` says about tests that it could not run."""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from ..support.make import ROOT, make
from ..support.not_run import INSTALLERS, SERVERS, not_run
from ..support.patience import PATIENCE_S

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NEEDS_PROGRAMS = """
import pytest
from tests.support.monitoring.programs import program

@pytest.mark.parametrize("name", ["no-such-server", "no-such-server", "no-such-checker"])
def test_a_server(name): program(name)

def test_an_sdk(): pytest.skip("this SDK has no threads")

def test_what_runs(): pass
"""
SERVER, CHECKER = f"no-such-server is not installed: {SERVERS}", f"Skipped: no-such-checker is not installed: {SERVERS}"


def test_make_lists_every_target() -> None:
    finished = make("help")
    [targets] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    assert targets.split() == re.findall(r"^  make ([\w-]+) +\t.{10,}$", finished.stdout, re.M), finished.stderr


def test_make_test_installs_the_extras_and_groups_that_need_no_root_and_no_other_language(tmp_path: Path) -> None:
    printed = make("test", "", "--dry-run", f"VENV={tmp_path}").stdout
    [(extras, groups)] = re.findall(r"-e '\.\[([\w,]+)\]'((?: --group \w+)*)", printed)
    assert ("cli,pytest,monitoring,completion", " --group test --group docs") == (extras, groups)
    assert set(extras.split(",")) <= set(metadata("after200").get_all("Provides-Extra") or ())


def test_what_only_developers_need_is_no_extra_and_every_group_is_installed_somewhere() -> None:
    groups = re.findall(r"^(\w+) = \[", PYPROJECT.partition("[dependency-groups]")[2].partition("\n[")[0], re.M)
    extras = metadata("after200").get_all("Provides-Extra") or ()
    commands = MAKEFILE + (ROOT / ".ci" / "run").read_text(encoding="utf-8") + CONTRIBUTING
    assert set() == set(groups) & set(extras)
    assert set(groups) == set(re.findall(r"--group (\w+)", commands))


def test_a_new_environment_gets_a_pip_that_knows_groups(tmp_path: Path) -> None:
    printed = make("test", "", "--dry-run", f"VENV={tmp_path}").stdout
    assert printed.index("--upgrade 'pip >= 25.1'") < printed.index("--group")


def test_make_test_ends_with_what_was_not_run_and_how_to_install_it(tmp_path: Path) -> None:
    test = tmp_path / "test_needs.py"
    test.write_text(NEEDS_PROGRAMS, encoding="utf-8")
    finished = make("test", f"-c pyproject.toml -p no:cacheprovider {test}")
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    *_, summary, last = finished.stdout.splitlines()
    assert re.search(r"1 passed, 4 skipped in ", summary)
    assert last.startswith("Tests not run: 3 for lack of no-such-checker, no-such-server: run `make servers`")


@pytest.mark.parametrize(
    ("reasons", "lacking", "lines"),
    [
        ([], [], []),
        (["this SDK has no threads", "Skipped: this system has no fork"], ["go"], []),
        ([SERVER], [], [f"Tests not run: 1 for lack of no-such-server: {SERVERS}"]),
        (
            [SERVER, CHECKER, SERVER],
            ["go", "npm"],
            [
                f"Tests not run: 3 for lack of no-such-checker, no-such-server: {SERVERS} "
                "(it needs go, npm, not found on PATH)"
            ],
        ),
        (
            [SERVER, "openssl is not installed: apt-get install openssl"],
            [],
            [f"Tests not run: 1 for lack of openssl: apt-get install openssl; 1 for lack of no-such-server: {SERVERS}"],
        ),
    ],
)
def test_the_last_line_counts_tests_by_what_installs_their_programs(
    reasons: list[str], lacking: list[str], lines: list[str]
) -> None:
    assert lines == not_run(reasons, lacking)


def test_make_servers_is_the_script_that_installs_them() -> None:
    finished = make("servers", "grafana")
    assert 2 == finished.returncode
    assert finished.stderr.startswith("unknown part: grafana; there is: ")
    script = (ROOT / ".ci" / "install-monitoring").read_text(encoding="utf-8")
    assert [installer for installer in INSTALLERS if f"need {installer} " in script] == list(INSTALLERS)


def tests_of_sigint() -> list[str]:
    """The tests that send this signal, by themselves or by a fixture of their file."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        functions = [node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
        sending = {function.name for function in functions if "SIGINT" in ast.unparse(function)}
        for function in functions if file != Path(__file__) else ():
            names = {function.name, *(argument.arg for argument in function.args.args)}
            if function.name.startswith("test_") and names & sending:
                found.append(f"{file.relative_to(ROOT)}::{function.name}")
    return found


@pytest.mark.repeats("contract/test_sigterm.py")
def test_the_tests_of_signals_pass_where_sigint_is_ignored() -> None:
    """As under `nohup make test &`: a process inherits that a signal is ignored."""
    tests = tests_of_sigint()
    assert {"tests/cli/test_main.py", "tests/cli/test_watch.py"} <= {test.partition("::")[0] for test in tests}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert 0 == finished.returncode, finished.stdout
