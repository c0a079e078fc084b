# SPDX-License-Identifier: Apache-2.0
"""Instrumented, then forked: each process records its own calls, and a stream that was open stays the parent's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import after200
from after200.faults import FaultServer

PROGRAM = Path(__file__).with_name("forking.py")
ANYTIME = Path(__file__).with_name("forking_anytime.py")


@pytest.fixture
def forks() -> int:
    """How many children the program forks: a few here, `AFTER200_FORKS` of them where somebody looks for more."""
    return int(os.environ.get("AFTER200_FORKS", "8"))


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `program` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", str(program), *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(after200.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_instrumenting_loses_no_call_and_counts_none_twice(server: FaultServer) -> None:
    done = run(PROGRAM, server.url)
    assert (0, "") == (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    before = {"calls": {}, "spans": [], "open": 0}
    after = {"calls": {"failed": 1, "completed": 1}, "spans": ["completed", "failed"], "open": 0}
    assert [{"before": before, "after": after}] * 2 == told["children"]
    assert {"calls": {"completed": 2}, "spans": ["completed", "completed"], "open": 0} == told["parent"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_that_is_forked_at_any_moment_never_waits_for_a_lock_of_the_parents(
    server: FaultServer, forks: int
) -> None:
    done = run(ANYTIME, server.url, str(forks))
    assert (0, "") == (done.returncode, done.stderr)
    assert {"statuses": {"0": forks}, "threads left": 0} == json.loads(done.stdout)
