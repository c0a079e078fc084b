# SPDX-License-Identifier: Apache-2.0
"""What instrumenting adds to the start of a process, with and without the SDK imported."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

_API = "import opentelemetry.trace, opentelemetry.metrics, opentelemetry.instrumentation.instrumentor\n"
_INSTRUMENT = "from after200 import AnthropicInstrumentor\nAnthropicInstrumentor().instrument()\n"
PROGRAMS = {
    "OpenTelemetry's API": _API,
    "the API, instrumented": _API + _INSTRUMENT,
    "the API and the SDK": _API + "import anthropic\n",
    "the API and the SDK, instrumented": _API + _INSTRUMENT + "import anthropic\n",
}
"""What a process imports; each pair differs in nothing but the instrumentation."""


def measure(rounds: int, unmeasured: int = 1) -> dict[str, float]:
    """Milliseconds of CPU time that each program takes: medians of interleaved runs, after some that are left out."""
    samples: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(unmeasured + rounds):
        for name, program in PROGRAMS.items():
            process = subprocess.Popen([sys.executable, "-c", program])
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"the program for {name!r} failed with exit status {process.returncode}")
            samples[name].append((used.ru_utime + used.ru_stime) * 1000)
    return {name: statistics.median(values[unmeasured:]) for name, values in samples.items()}


def table(milliseconds: dict[str, float]) -> str:
    """The medians as a table."""
    rows = [f"| {name} | {value:.0f} |" for name, value in milliseconds.items()]
    return "\n".join(["| a process that imports | ms of CPU time |", "|---|--:|", *rows])
