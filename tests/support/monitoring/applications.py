# SPDX-License-Identifier: Apache-2.0
"""The instrumented applications: a way for their metrics comes in, processes that can be asked things come out.

They run as users run them, under `opentelemetry-instrument` and told everything by the environment, and stay until they
are let go, so that a scrape finds them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from after200.cli.chat import RETRIES, find_chat_service, find_instrument_command

from ..patience import PATIENCE_S

VISITOR = Path(__file__).with_name("visitor.py")


class Application:
    """An application under `opentelemetry-instrument`; a context manager that lets it end by itself."""

    def __init__(self, script: Path, job: str, api: str, telemetry: dict[str, str], *arguments: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
        self._environment = inherited | {
            "ANTHROPIC_BASE_URL": api,
            "ANTHROPIC_API_KEY": "no-key-is-needed",
            "NO_PROXY": "127.0.0.1",
            "OTEL_SERVICE_NAME": job,
            "OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={job}-{script.stem}",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING": "true",
            **telemetry,
        }
        self._command = [find_instrument_command(), sys.executable, str(script), *arguments]

    def __enter__(self) -> Application:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=PATIENCE_S)
        finally:
            self._process.kill()

    def read_line(self) -> str:
        """The next line that the application prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._command[2]} has ended with status {self._process.wait()}")
        return line

    def write_line(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class ChatService(Application):
    """The example's chat service, asked by lines on its standard input."""

    def __init__(self, job: str, api: str, telemetry: dict[str, str], model: str = "claude-sonnet-4-5") -> None:
        arguments = (f"--retries={RETRIES}", "--timeout=2", "--workers=1", "--habits", f"--model={model}")
        super().__init__(find_chat_service(), job, api, telemetry, *arguments)

    def ask(self, questions: int) -> list[dict[str, Any]]:
        """Ask so many questions, one after the other; the service's account of each."""
        replies = []
        for number in range(questions):
            self.write_line(f"Question {number}?")
            replies.append(json.loads(self.read_line()))
        return replies


class Visitor(Application):
    """The application that leaves streams in every way, and reads the results of a batch."""

    def __init__(self, job: str, api: str, telemetry: dict[str, str], *arguments: str) -> None:
        """`--leave-only` among the arguments leaves out the answers."""
        super().__init__(VISITOR, job, api, telemetry, *arguments)

    def visit(self) -> None:
        """Returns when it has done everything."""
        assert self.read_line() == "done\n"
