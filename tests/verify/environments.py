# SPDX-License-Identifier: Apache-2.0
"""Environments that lack something: the one that the tests run in, linked piece by piece into another, less a few.

A piece is a path in `site-packages`, with `*` for what differs by version. Nothing is downloaded, and what is missing
is really missing: its modules and what its installation says of itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import venv
from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..support.patience import PATIENCE_S

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


def environment(folder: Path, without: Collection[str]) -> Path:
    """The Python of a new environment in `folder` that has everything but these pieces."""
    venv.create(folder, with_pip=False, symlinks=True)
    target = next(folder.glob("lib/python*/site-packages"))
    link(SITE_PACKAGES, target, without)
    return folder / "bin" / "python"


def link(source: Path, target: Path, without: Collection[str]) -> None:
    """Link everything in `source` into `target`; a folder with a missing piece in it is made anew."""
    inside = {piece.partition("/")[0] for piece in without if "/" in piece}
    for entry in source.iterdir():
        if any(fnmatch(entry.name, piece) for piece in without):
            continue
        if entry.name in inside:
            (target / entry.name).mkdir()
            rest = [piece.partition("/")[2] for piece in without if piece.startswith(f"{entry.name}/")]
            link(entry, target / entry.name, rest)
        else:
            (target / entry.name).symlink_to(entry)


def verify_in(python: Path, *options: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """`after200 verify --json` in that environment: its exit status and its result."""
    command = [str(python), "-m", "after200.cli", "verify", "--json", *options]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    finished = subprocess.run(
        command, env=kept | settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)
