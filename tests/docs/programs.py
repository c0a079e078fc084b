# SPDX-License-Identifier: Apache-2.0
"""The commands of the documentation as the tests run them: as a user would, without the settings of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from ..support import warm
from ..support.patience import PATIENCE_S


def environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment's programs on PATH, and no proxy between it and the servers of the test."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
    return kept | {"PATH": path, "NO_PROXY": "127.0.0.1,localhost", "ANTHROPIC_API_KEY": "none"} | settings


def run(
    command: list[str], folder: Path | None = None, asked: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    return warm.run_command(command, environment(settings), folder, asked)


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.05)
