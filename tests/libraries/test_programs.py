# SPDX-License-Identifier: Apache-2.0
"""Programs that stand on LiteLLM, with the real packages: each of their requests is one call, and what it was.

`pytest tests/libraries/test_programs.py` runs this, and `make long` does.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from after200.cli.endings import Ending
from after200.cli.reconcile import expected_ending
from after200.faults import FaultServer

from ..support.neighbours.environments import ROOT, CannotInstallError, interpreter, package_in
from ..support.neighbours.expectations import Framework
from ..support.neighbours.litellm import LITELLM
from ..support.patience import PATIENCE_S
from .programs import SCENARIOS

PROGRAMS = ("smolagents", "openai_agents")
ENVIRONMENT = Framework(
    "programs",
    "smolagents[litellm] == 1.26.0",
    "litellm",
    (),
    also=("openai-agents[litellm] == 0.24.0", LITELLM.requirement),
)


@pytest.fixture(scope="module")
def serving() -> Any:
    """A server of its own, whose log has the calls of this file and no others."""
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def recorded(serving: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    """What was recorded of the calls of each program."""
    try:
        python: Path = interpreter(ENVIRONMENT)
    except CannotInstallError as error:
        pytest.skip(f"the environment of the programs cannot be made: {error}")
    done = subprocess.run(
        [str(python), "-m", f"{__package__}.programs"],
        cwd=ROOT,
        # The prices of models are fetched from the network otherwise.
        env=os.environ
        | {"PYTHONPATH": package_in(tmp_path_factory.mktemp("path")), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        input=json.dumps(
            {program: [serving.base_url(scenario, program) for scenario in SCENARIOS] for program in PROGRAMS}
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[list[Any]]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_request_of_a_program_is_recorded_once_as_what_the_server_did(
    program: str, serving: FaultServer, recorded: dict[str, list[list[Any]]]
) -> None:
    served = [entry for entry in serving.wait_idle() if entry.key == program]
    counted = Counter({Ending(*ending): number for _, *ending, number in recorded[program]})
    assert Counter(expected_ending(entry, ()) for entry in served) == counted
    assert set(SCENARIOS) == {entry.scenario for entry in served}
    assert {"httpx"} == {client for client, *_ in recorded[program]}
