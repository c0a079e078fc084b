# SPDX-License-Identifier: Apache-2.0
"""What each neighbour, after200 and both recorded of the same calls, gathered once for all tests."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import after200
from after200.faults import FaultServer

from ..support.neighbours.environments import ROOT, CannotInstallError, interpreter
from ..support.neighbours.expectations import NEIGHBOURS, Neighbour
from ..support.patience import PATIENCE_S
from .recorded import Recorded


def runs_of(neighbour: Neighbour) -> dict[str, dict[str, Any]]:
    """A run's name → what is activated in it, in this order, and the environment variables that are set."""
    name, off = neighbour.name, neighbour.without_metrics
    return {
        "bare": {"steps": []},
        "ours": {"steps": ["after200"]},
        "theirs": {"steps": [name]},
        "ours first": {"steps": ["after200", name]},
        "theirs first": {"steps": [name, "after200"]},
        "ours taken off": {"steps": ["after200", name, "-after200"]},
        "ours put on again": {"steps": ["after200", name, "-after200", "after200"]},
        "as advised": {"steps": ["after200", name], "environment": neighbour.advice},
        **({"their metrics off": {"steps": ["after200", name], "environment": off}} if off else {}),
    }


@pytest.fixture(scope="package", params=NEIGHBOURS, ids=lambda neighbour: neighbour.name)
def recorded(request: pytest.FixtureRequest, server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The runs beside one neighbour."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    neighbour: Neighbour = request.param
    try:
        python = interpreter(neighbour)
    except CannotInstallError as error:
        pytest.skip(f"the environment of {neighbour.title} cannot be made: {error}")
    runs = runs_of(neighbour)
    path = tmp_path_factory.mktemp("path")
    (path / "after200").symlink_to(Path(after200.__file__).parent)
    done = subprocess.run(
        [str(python), "-m", f"{__package__}.program"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(path), "PYTHONWARNINGS": "ignore"},
        input=json.dumps({"neighbour": neighbour.name, "url": server.url, "runs": list(runs.values())}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Recorded(neighbour, dict(zip(runs, json.loads(done.stdout), strict=True)))
