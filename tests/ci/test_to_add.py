# SPDX-License-Identifier: Apache-2.0
"""To add something, one touches what CONTRIBUTING says, nothing else, and nothing of it can be forgotten.

A copy of the tree gets one addition of each kind, and the tests of the names, the monitoring, the documentation and
the scenarios pass in it. `make long` (AFTER200_EVERY_ADDITION) also leaves out one file at a time: a test fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ..support.make import ROOT
from ..support.monitoring.programs import renders
from .additions import ADDITIONS, Change

EVERY_ADDITION = "AFTER200_EVERY_ADDITION" in os.environ
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "images", "build", "dist")
GENERATED = (
    ("docs/reference.py",),
    ("-m", "after200.monitoring", "--output", "dashboards"),
)
STREAM = "test_a_call_is_told_of_whole_and_the_application_sees_no_difference"
CHECKS = (
    *("tests/unit/test_names.py", "tests/unit/test_vocabulary.py", "tests/unit/test_settings.py"),
    *("tests/faults/test_catalog.py", "tests/monitoring/test_files.py"),
    "tests/monitoring/test_names.py::test_every_metric_of_the_contract_is_used_by_a_panel_or_a_rule",
    "tests/monitoring/test_rules.py::test_every_alert_has_been_seen_silent_and_firing",
    "tests/docs/test_pages.py::test_the_settings_are_those_there_are",
    f"tests/streams/test_scenarios.py::{STREAM}[completed-messages.create(stream=True)-sync]",
)
"""What fails first when something that belongs to a name is missing."""


def rows() -> dict[str, list[str]]:
    """What is added → the files and folders that CONTRIBUTING says must be touched."""
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## To add X, touch Y")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (an? [^|]+) \| (.+) \|$", section, re.M)
    return {what: re.findall(r"`((?:src|tests|docs)/[^`]+)`", touched) for what, touched in lines}


def test_every_file_and_folder_that_the_table_names_is_there() -> None:
    named = [path for paths in rows().values() for path in paths]
    assert len(named) > 20
    assert [] == [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_touches_what_the_table_says_and_nothing_else(what: str) -> None:
    touched = {change.file for change in ADDITIONS[what]}
    named = rows()[what]
    assert touched == {file for file in touched for path in named if file == path or is_in(file, path)}
    assert len(touched) <= 6


def is_in(file: str, folder: str) -> bool:
    return folder.endswith("/") and file.startswith(folder)


def copy_with(changes: Iterable[Change], root: Path) -> None:
    """A copy of the tree with the changes."""
    shutil.copytree(ROOT, root, ignore=NOT_COPIED)
    for change in changes:
        change.make(root)


def complaints(root: Path) -> str:
    """What is said of a tree by what writes the generated files, and by the tests; nothing when all is there."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(root / "src"), str(root)))}
    for command in (*GENERATED, ("-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS)):
        done = subprocess.run(
            [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return done.stdout + done.stderr
    return ""


@renders
def test_with_all_that_the_table_says_nothing_is_missing(tmp_path: Path) -> None:
    copy_with((change for changes in ADDITIONS.values() for change in changes), tmp_path / "tree")
    assert "" == complaints(tmp_path / "tree")


def forgotten() -> Iterator[tuple[str, str]]:
    """Each file of each addition, if it is not the only one."""
    for what, changes in ADDITIONS.items():
        files = list(dict.fromkeys(change.file for change in changes))
        yield from ((what, file) for file in files if len(files) > 1)


@renders
@pytest.mark.skipif(not EVERY_ADDITION, reason="a file at a time takes long: `make long`")
@pytest.mark.parametrize(("what", "file"), list(forgotten()))
def test_a_file_that_is_forgotten_is_missed(what: str, file: str, tmp_path: Path) -> None:
    copy_with((change for change in ADDITIONS[what] if change.file != file), tmp_path / "tree")
    assert re.search(r"FAILED|Error: ", complaints(tmp_path / "tree"))
