# SPDX-License-Identifier: Apache-2.0
"""`.ci/run`: its steps, and a machine that lacks what they need."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.make import ROOT
from ..support.patience import PATIENCE_S

SCRIPT = ROOT / ".ci" / "run"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout that holds nothing but the script, and beside it, in `bin`, the only programs there are."""
    (tmp_path / "checkout" / ".ci").mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "checkout" / ".ci" / "run")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "cat", "dirname", "grep", "id", "mkdir", "rm", "sed"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    (programs / "python3").symlink_to(sys.executable)
    return tmp_path


def run(bare: Path, *steps: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", bare / "checkout" / ".ci" / "run", *steps],
        env={"PATH": str(bare / "bin")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_every_missing_program_is_named_with_what_to_install(bare: Path) -> None:
    finished = run(bare, "programs", "browser")
    assert 1 == finished.returncode
    for name in ("make", "openssl", "go", "npm", "chromium"):
        assert re.search(rf"^{name} is not on PATH", finished.stdout, re.M), finished.stdout
    for package in ("make", "openssl", "chromium"):
        assert f"install what Debian and Ubuntu have in the package {package}, or run this as root" in finished.stdout
    assert "install Go 1.26 or later, and Node.js 20 or later with npm" in finished.stdout
    assert finished.stdout.endswith("failed: programs browser\n")


def test_an_unknown_step_is_named_with_those_there_are(bare: Path) -> None:
    finished = run(bare, "test")
    [steps] = re.findall(r"^readonly ALL_STEPS=\((.*)\)$", SCRIPT.read_text(encoding="utf-8"), re.M)
    assert (2, f".ci/run: no step 'test'; there is: {steps}\n") == (finished.returncode, finished.stdout)


def test_every_step_is_there_and_none_is_left_out() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    [steps] = re.findall(r"^readonly ALL_STEPS=\((.*)\)$", script, re.M)
    only_by_name = ["release"]
    assert steps.split() + only_by_name == re.findall(r"^step_([\w-]+)\(\)", script, re.M)
