# SPDX-License-Identifier: Apache-2.0
"""Random lives of processes against a model that says how many calls each provider must be given (`lives.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import after200
from after200.faults import FaultServer
from tests.load.lives import differences

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_no_life_of_a_process_loses_a_call_or_counts_one_twice_or_hangs() -> None:
    """`AFTER200_LIVES=100,2000` plays 2,000 lives from seed 100 on. A life that hangs says where, and has failed.

    `python -m tests.load.lives URL SEED 1` plays a life that failed once more.
    """
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
    *failed, summary = [json.loads(line) for line in done.stdout.splitlines()] or [{}]
    seeds = [life["seed"] for life in failed]
    assert (0, "", {"lives": lives, "failed": 0}, []) == (done.returncode, done.stderr, summary, seeds), done.stdout


PARENT, PROCESS, PROVIDER = 10, 20, 0
EXPECTED = ["expected", PROCESS, PROVIDER, [{"completed": 1}, {"completed": 1}]]
COUNTED = ["metrics", PROCESS, PROVIDER, {"completed": 1}]
OPEN = ["metrics", PROCESS, PROVIDER, {"completed": 1, "open": 1}]
ENDED = ["spans", PROCESS, PROVIDER, ["completed"]]


@pytest.mark.parametrize(
    ("exported", "found"),
    [
        pytest.param([COUNTED, ENDED], None, id="all"),
        pytest.param([ENDED], [{}, {"completed": 1}], id="no_count"),
        pytest.param([COUNTED], [{"completed": 1}, {}], id="no_span"),
        pytest.param([COUNTED, ENDED, ENDED], [{"completed": 1}, {"completed": 2}], id="span_twice"),
        pytest.param([OPEN, ENDED], [{"completed": 1, "open": 1}, {"completed": 1}], id="open"),
    ],
)
def test_the_machine_says_what_a_process_exported_other_than_its_model_expects(exported: Any, found: Any) -> None:
    assert ([] if found is None else [[PROCESS, PROVIDER, EXPECTED[3], found]]) == differences([EXPECTED, *exported])


@pytest.mark.parametrize(
    ("before", "reported"),
    [
        pytest.param([], 1, id="parent_exported_nothing"),
        pytest.param([["metrics", PARENT, PROVIDER, {"completed": 2, "open": 1}]], 3, id="parent_exported"),
        pytest.param(
            [["metrics", 9, PROVIDER, {"completed": 2}], ["begins", PARENT, PROVIDER, 9]], 3, id="its_parent_exported"
        ),
    ],
)
def test_what_a_forked_process_counts_begins_where_the_export_of_its_parent_ended(before: Any, reported: int) -> None:
    begins = ["begins", PROCESS, PROVIDER, PARENT]
    assert [] == differences(
        [*before, begins, EXPECTED, ["metrics", PROCESS, PROVIDER, {"completed": reported}], ENDED]
    )


def test_the_machine_sees_that_a_forked_process_reports_a_call_of_its_parent() -> None:
    """The parent had not exported the call when it forked."""
    exported = [["begins", PROCESS, PROVIDER, PARENT], ["metrics", PROCESS, PROVIDER, {"completed": 1}]]
    nothing: Any = [{}, {}]
    assert [[PROCESS, PROVIDER, nothing, [{"completed": 1}, {}]]] == differences(
        [*exported, ["expected", PROCESS, PROVIDER, nothing]]
    )
