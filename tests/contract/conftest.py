# SPDX-License-Identifier: Apache-2.0
"""`run`: programs that run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from ..support import warm
from ..support.patience import PATIENCE_S
from .processes import Run


@pytest.fixture
def run() -> Run:
    """Runs a program in a process of its own and returns what it printed. Nothing may come on its standard error.

    Without a wrapper, the SDK has been imported before the program begins, unless it is to be `fresh`.
    """

    def run(program: str, *, wrapper: tuple[str, ...] = (), fresh: bool = False, **environment: str) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
        env = {**inherited, **environment}
        arguments = ["-c", textwrap.dedent(program)]
        if wrapper or fresh:
            command = [*wrapper, sys.executable, *arguments]
            finished = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        else:
            finished = warm.run(arguments, env)
        assert ("", 0) == (finished.stderr, finished.returncode), finished.stdout
        return finished.stdout

    return run
