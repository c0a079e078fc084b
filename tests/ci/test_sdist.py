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
    return unpack(ROOT, tmp_path_factory.mktemp("sdist"))


def unpack(tree: Path, folder: Path) -> Path:
    """Builds the source distribution of `tree` in `folder`, and returns where it is unpacked there."""
    options = ("--sdist", "--quiet", "--python", sys.executable, "--out-dir", str(folder))
    built = run(uv.find_uv_bin(), "build", *options, str(tree), folder=folder)
    assert 0 == built.returncode, built.stderr
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder)
    return archive.with_name(archive.name.removesuffix(".tar.gz"))


def listed_files() -> list[str]:
    """The files of the repository."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this tree is no repository of git, so there is no list of its files")
    return run("git", "ls-files", folder=ROOT).stdout.splitlines()


def test_it_has_every_file_of_the_repository(unpacked: Path) -> None:
    assert [] == [name for name in listed_files() if not (unpacked / name).is_file()]


def test_it_has_nothing_else_wherever_the_tree_lies(tmp_path: Path) -> None:
    tree, needed = tmp_path / "build" / "after200", ("pyproject.toml", ".gitignore", "README.md", "LICENSE", "src/")
    for name in listed_files():
        if name.startswith(needed):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    before = {file.relative_to(tree) for file in tree.rglob("*") if file.is_file()}
    for pattern in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines():
        made = tree / pattern.strip("/").replace("*", "x").replace("[cod]", "c")
        if pattern.endswith("/"):
            made.mkdir(exist_ok=True)
            made /= "made"
        made.touch()
    unpacked = unpack(tree, tmp_path)
    assert {*before, Path("PKG-INFO")} == {file.relative_to(unpacked) for file in unpacked.rglob("*") if file.is_file()}


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
