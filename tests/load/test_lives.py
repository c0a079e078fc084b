# SPDX-License-Identifier: Apache-2.0
"""Random lives of processes against a model that says how many calls each provider must be given (`lives.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import after200
from after200.faults import FaultServer

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_no_life_of_a_process_loses_a_call_or_counts_one_twice_or_hangs() -> None:
    """`AFTER200_LIVES=100,2000` plays 2,000 lives from seed 100 on. A life that hangs says where, and has failed."""
    first, lives = map(int, os.environ.get("AFTER200_LIVES", "1,4").split(","))
    with FaultServer() as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.load.lives", server.url, str(first), str(lives)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{Path(after200.__file__).parents[1]}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )
    assert (0, "", {"lives": lives, "failed": 0}) == (done.returncode, done.stderr, json.loads(done.stdout or "{}"))
