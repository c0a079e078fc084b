# SPDX-License-Identifier: Apache-2.0
"""The map of the tests, tests/README.md, against the folders and files that there are."""

from __future__ import annotations

import ast
import re

from ..support.make import ROOT

TESTS = ROOT / "tests"
MAP = (TESTS / "README.md").read_text(encoding="utf-8")
WITHOUT_TESTS = {"support", "typing"}
FILE = re.compile(r"`(\w+/\w+\.py)`")


def test_the_map_has_a_question_for_every_folder_with_tests() -> None:
    folders = {file.parent.name for file in TESTS.glob("*/*.py")} - WITHOUT_TESTS
    assert sorted(folders) == sorted(re.findall(r"^\| `(\w+)` \| .+\? ?.*\|$", MAP, re.M))
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
