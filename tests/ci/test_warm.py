# SPDX-License-Identifier: Apache-2.0
"""What `support.warm` runs is what a new process runs: the same arguments, environment, streams and end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..support import warm

PROGRAM = """
import atexit, os, sys
atexit.register(print, "the end")
print(sys.argv, os.getcwd(), os.environ["WORD"], __name__, repr(sys.stdin.read()))
print("of errors: \u00e4", file=sys.stderr)
assert "after200" not in sys.modules and "opentelemetry.instrumentation.auto_instrumentation" not in sys.modules
if "raise" in sys.argv: raise ValueError("wrong")
if "kill" in sys.argv: sys.stdout.flush(), os.kill(os.getpid(), 9)
sys.exit(sys.argv[-1])
"""


def fresh(arguments: list[str], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    nothing = subprocess.DEVNULL
    return subprocess.run(command, env=env, cwd=cwd, stdin=nothing, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("way", ["-c", "-m", "file"])
@pytest.mark.parametrize("ending", ["exit", "raise", "kill"])
def test_a_program_that_is_forked_does_what_a_new_process_does(way: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "program.py").write_text(PROGRAM, encoding="utf-8")
    begins = {"-c": ["-c", PROGRAM], "-m": ["-m", "program"], "file": [str(tmp_path / "lib" / "program.py")]}[way]
    env = {**os.environ, "WORD": "word", "PYTHONPATH": str(tmp_path / "lib"), "PYTHONIOENCODING": "utf-8"}
    expected = fresh([*begins, ending], env, tmp_path)
    seen = warm.run([*begins, ending], env, tmp_path)
    assert ending in expected.stdout
    assert (expected.args, expected.returncode, expected.stdout) == (seen.args, seen.returncode, seen.stdout)
    # A traceback has the line that runs the program, too.
    assert (expected.stderr[:12], expected.stderr[-18:]) == (seen.stderr[:12], seen.stderr[-18:])


def test_a_program_that_hangs_is_ended_before_anybody_hears_of_it() -> None:
    before = warm.WARM.cpu
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(["-c", "import threading; threading.Event().wait()"], timeout=0.01)
    assert before < warm.WARM.cpu  # Known from the end of a process.
