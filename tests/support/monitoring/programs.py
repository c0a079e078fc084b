# SPDX-License-Identifier: Apache-2.0
"""The programs that tests run: a name comes in, a path goes out, or the test is skipped and says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ..not_run import SERVERS

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "monitoring"
DASHBOARDS = ROOT / "dashboards"
OLD = "no release of grafana-foundation-sdk supports this Python"
MISSING = "grafana-foundation-sdk is not installed: it is in the extra `monitoring`"
renders = pytest.mark.skipif(
    find_spec("grafana_foundation_sdk") is None, reason=OLD if sys.version_info < (3, 11) else MISSING
)


ENVIRONMENT = os.environ | {"GOGC": "400"}
"""The environment of programs in Go: they collect garbage four times as rarely, which is a fifth of what they do."""


def program(name: str) -> str:
    """The path of the program that `make servers` has installed, else of the one on PATH."""
    cached = CACHE / "bin" / name
    found = str(cached) if cached.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {SERVERS}")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """The finished program, with both its outputs in one text."""
    return subprocess.run(
        [str(word) for word in command],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
