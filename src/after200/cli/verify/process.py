# SPDX-License-Identifier: Apache-2.0
"""Starts the probe in the user's environment and talks to it. `Probe` goes in and out of a `with`.

The environment is the caller's own: only the service's name is marked, so that what the check sends can be told from
what the service sends.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

SUFFIX = "-after200-verify"
"""What the name of the service gets at its end."""


class ProbeFailedError(RuntimeError):
    """The probe gave no answer; the message says what it said last."""


class Probe:
    """The probed process."""

    def __init__(self, run: str, *, setup: str | None, instrument: bool) -> None:
        self._environment = environment(os.environ, run, setup, instrument)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def __enter__(self) -> Probe:
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "after200.cli.verify.probe"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        threading.Thread(target=self._read, name="after200-verify", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(2)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and return its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise ProbeFailedError(self._last_words()) from None
        return self.answer(timeout)

    def answer(self, timeout: float) -> dict[str, Any]:
        """The next answer; raises `ProbeFailedError` when the process ends or takes too long."""
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise ProbeFailedError(f"no answer within {timeout:.0f} s; {self._last_words()}") from None
        if answer is None:
            raise ProbeFailedError(self._last_words())
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # What Python itself or a sitecustomize prints before the probe has its pipe is none of ours.
            if line.startswith("{"):
                self._answers.put(json.loads(line))
        self._answers.put(None)

    def _last_words(self) -> str:
        self._complaints.seek(0)
        last = "".join(self._complaints.readlines()[-10:]).strip()
        return f"its last words were:\n{last}" if last else "it said nothing"


def environment(inherited: Mapping[str, str], run: str, setup: str | None, instrument: bool) -> dict[str, str]:
    """The caller's environment with the mark of the check in it."""
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(python_path(inherited)),
        "PYTHONUNBUFFERED": "1",
        "OTEL_SERVICE_NAME": service_name(inherited) + SUFFIX,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(
            filter(
                None,
                (inherited.get("OTEL_RESOURCE_ATTRIBUTES"), f"after200.verify={run}", f"service.instance.id={run}"),
            )
        ),
        "AFTER200_VERIFY": json.dumps({"setup": setup, "instrument": instrument}),
    }


def service_name(inherited: Mapping[str, str]) -> str:
    """The service's own name, as OpenTelemetry finds it."""
    pairs = (pair.partition("=") for pair in inherited.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    attributes = {name.strip(): value.strip() for name, _, value in pairs}
    return inherited.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or "unknown_service"


def python_path(inherited: Mapping[str, str]) -> list[str]:
    """PYTHONPATH without the entry of `opentelemetry-instrument`: the probe does the same itself, when it listens."""
    entries = inherited.get("PYTHONPATH", "").split(os.pathsep)
    return [entry for entry in entries if entry and not _is_auto_instrumentation(entry)]


def under_instrument(inherited: Mapping[str, str]) -> bool:
    """Whether this very command runs under `opentelemetry-instrument`."""
    loaded = getattr(sys.modules.get("sitecustomize"), "__file__", None) or ""
    entries = [str(Path(loaded).parent), *inherited.get("PYTHONPATH", "").split(os.pathsep)]
    return any(map(_is_auto_instrumentation, entries))


def _is_auto_instrumentation(folder: str) -> bool:
    return Path(folder).parts[-3:] == ("opentelemetry", "instrumentation", "auto_instrumentation")
