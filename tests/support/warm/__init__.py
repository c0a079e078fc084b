# SPDX-License-Identifier: Apache-2.0
"""`run`, a `subprocess.run` of this Python that has no imports to wait for: a process that has made them is forked.

Importing the SDK and OpenTelemetry takes two seconds of a processor, and what most programs of the tests do afterwards
takes a fraction of one. So one process of Python (`forks.py`) imports what they need, no more, and does nothing; each
program is a fork of it, with an environment, a folder, arguments, standard streams and an end of its own. What imports
themselves bring about (`sitecustomize`, variables that are read at import) is tested with processes that are new.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from ..patience import PATIENCE_S

PROGRAM = Path(__file__).with_name("forks.py")


class Program:
    """A program that has been forked. As a context manager, it is ended at the end of the block."""

    def __init__(self, forked: socket.socket) -> None:
        """`forked`: what says which process it is, and how it ended."""
        self._forked = forked
        self._answers = forked.makefile("r")
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Returns the exit status. Raises `subprocess.TimeoutExpired` after so many seconds, and ends it before."""
        if self.returncode is None:
            in_time, _, _ = select.select([self._forked], [], [], timeout)
            if not in_time:
                os.kill(self.pid, signal.SIGKILL)
            ended = json.loads(self._answers.readline())
            self.returncode = ended["status"]
            WARM.cpu += ended["cpu"]
            if not in_time:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
        assert self.returncode is not None
        return self.returncode

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(ProcessLookupError):
            self.send_signal(signal.SIGKILL)
        self.wait()
        self._answers.close()
        self._forked.close()


class Warm:
    """A process that forks programs, started when the first one is asked for."""

    def __init__(self) -> None:
        self.cpu = 0.0
        """The seconds of a processor that its programs have used."""

        self._requests: socket.socket | None = None
        self._starting = threading.Lock()

    def run(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        asked: str = "",
        timeout: float = PATIENCE_S,
    ) -> subprocess.CompletedProcess[str]:
        """Runs `python ARGUMENTS` (`-m MODULE`, `-c PROGRAM` or a file first), to its end, and returns what it printed.

        It reads `asked` from its standard input.
        Raises `subprocess.TimeoutExpired` after so many seconds, and ends the program before.
        """
        with ExitStack() as stack:
            given, out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
            given.write(asked)
            given.seek(0)
            with self.start(arguments, (given, out, err), env, cwd) as program:
                status = program.wait(timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess([sys.executable, *arguments], status, out.read(), err.read())

    def start(
        self,
        arguments: Sequence[str],
        streams: tuple[IO[str], IO[str], IO[str]],
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
    ) -> Program:
        """Starts `python ARGUMENTS` with its standard input, output and error."""
        ours, its = socket.socketpair()
        request = {"arguments": [*arguments], "env": dict(env or os.environ), "cwd": str(cwd or Path.cwd())}
        with its, tempfile.TemporaryFile("w+") as to_run:
            json.dump(request, to_run)
            to_run.flush()
            files = [to_run.fileno(), its.fileno(), *(stream.fileno() for stream in streams)]
            socket.send_fds(self._started(), [b"."], files)
        return Program(ours)

    def _started(self) -> socket.socket:
        with self._starting:
            if self._requests is not None:
                return self._requests
            self._requests, its = socket.socketpair()
            unwanted = ("OTEL_", "AFTER200_", "ANTHROPIC_", "PYTHONPATH")
            env = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
            with its:
                process = subprocess.Popen(
                    [sys.executable, str(PROGRAM), str(its.fileno())], pass_fds=[its.fileno()], env=env
                )
            atexit.register(process.wait)
            atexit.register(self._requests.close)  # Called first: the process ends when nobody can ask any more.
            return self._requests


WARM = Warm()
run, start = WARM.run, WARM.start


def run_command(
    command: Sequence[str], env: Mapping[str, str], cwd: str | Path | None = None, asked: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs any command to its end: what this Python is to run is forked, everything else is a new process."""
    if command[0] == sys.executable:
        return run(command[1:], env, cwd, asked)
    return subprocess.run(
        command, env=env, cwd=cwd, input=asked, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
