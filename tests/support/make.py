# SPDX-License-Identifier: Apache-2.0
"""Runs a target of the Makefile in the environment of the test: `make("demo", "--calls=40")`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
STAMPS = (".made", ".cli", ".test", ".lint")
"""The Makefile's stamps in an environment: each says that a set of extras is installed."""


def make(target: str, arguments: str = "", *options: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The finished `make` in `folder`. `arguments` go to the target's program. The environment counts as installed."""
    installed = [word for stamp in STAMPS for word in ("-o", f"{sys.prefix}/{stamp}")]
    command = ["make", "--no-print-directory", *installed, target, f"VENV={sys.prefix}", f"ARGS={arguments}", *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = kept | {"NO_PROXY": "127.0.0.1", "ANTHROPIC_API_KEY": "none"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
