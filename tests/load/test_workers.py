# SPDX-License-Identifier: Apache-2.0
"""Workers that are forked after instrumenting, each under a load of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import after200
from after200.faults import FaultServer

from ..support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
WORKERS = 4
HELD = 5
"""Streams that the parent opens before it forks, one of which it reads before that, the others after."""


@pytest.mark.repeats("context/test_fork.py")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_each_worker_accounts_for_its_own_calls(calls: int, seed: int) -> None:
    with FaultServer() as server:
        arguments = [server.url, str(WORKERS), str(calls // WORKERS // 2), str(seed)]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.load.workers", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{Path(after200.__file__).parents[1]}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        served = server.wait_idle(60)
    assert (0, "") == (done.returncode, done.stderr)
    result = json.loads(done.stdout)
    told = result.pop("workers")
    assert WORKERS == len(told)
    for worker in told:
        assert worker["expected"] == worker["counted"]
        assert worker["expected"] == worker["spans"]
        assert worker["attempts"][0] == worker["attempts"][1]
        assert [0, 0] == worker["open"]
    assert len(served) == HELD + sum(worker["attempts"][0] for worker in told)
    completed = "Account(outcome='completed', error_type=None, status=200, wire_status=200)"
    assert {"statuses": [0] * WORKERS, "parent": [f"{completed}: {HELD}"]} == result
