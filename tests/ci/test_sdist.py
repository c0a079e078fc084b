# SPDX-License-Identifier: Apache-2.0
"""The source distribution: its own Makefile, tests and documentation work in it, unpacked where no repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import uv

from ..support.make import ROOT, make
from ..support.patience import PATIENCE_S


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    clean |= {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the source distribution of this tree was unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    options = ("--sdist", "--quiet", "--python", sys.executable, "--out-dir", str(folder))
    built = run(uv.find_uv_bin(), "build", *options, str(ROOT), folder=folder)
    assert 0 == built.returncode, built.stderr
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder)
    return archive.with_name(archive.name.removesuffix(".tar.gz"))


def test_it_has_every_file_of_the_repository(unpacked: Path) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this tree is no repository of git, so there is no list of its files")
    listed = run("git", "ls-files", folder=ROOT)
    assert [] == [name for name in listed.stdout.splitlines() if not (unpacked / name).is_file()]


def test_make_lists_its_targets_and_runs_tests_there(unpacked: Path) -> None:
    assert make("help").stdout == make("help", folder=unpacked).stdout != ""
    finished = make("test", "-n 0 -q -p no:cacheprovider tests/ci/test_layout.py", folder=unpacked)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert " passed" in finished.stdout


def test_the_servers_can_be_installed_from_it(unpacked: Path) -> None:
    finished = make("servers", "no-such-part", folder=unpacked)
    assert "unknown part: no-such-part; there is: " in finished.stdout + finished.stderr


def test_its_documentation_can_be_built(unpacked: Path, tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the group docs is not installed")
    finished = run(
        sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site"),
        folder=unpacked,
    )  # fmt: skip
    assert 0 == finished.returncode, finished.stdout + finished.stderr
