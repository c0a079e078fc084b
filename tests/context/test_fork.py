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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_instrumenting_loses_no_call_and_counts_none_twice(server: FaultServer) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(after200.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", str(PROGRAM), server.url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    before = {"calls": {}, "spans": [], "open": 0}
    after = {"calls": {"failed": 1, "completed": 1}, "spans": ["completed", "failed"], "open": 0}
    assert [{"before": before, "after": after}] * 2 == told["children"]
    assert {"calls": {"completed": 2}, "spans": ["completed", "completed"], "open": 0} == told["parent"]
