# SPDX-License-Identifier: Apache-2.0
"""Calls through LiteLLM, with the real package: each is recorded once, as what it was, whatever LiteLLM says of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import after200
from after200 import names
from after200.faults import FaultServer

from ..support.neighbours.environments import ROOT, CannotInstallError, interpreter
from ..support.neighbours.litellm import CLAIMS, LITELLM, Claim
from ..support.patience import PATIENCE_S
from .table import DOCUMENT, litellm

pytestmark = pytest.mark.repeats("libraries/test_scenarios.py")


@pytest.fixture(scope="module")
def recorded(server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What LiteLLM and after200 recorded of the calls, and of one by the SDK, with both doors of after200 open."""
    try:
        python = interpreter(LITELLM)
    except CannotInstallError as error:
        pytest.skip(f"the environment of LiteLLM cannot be made: {error}")
    folder = tmp_path_factory.mktemp("path")
    (folder / "after200").symlink_to(Path(after200.__file__).parent)
    task = {"url": server.url, "calls": [(claim.way, claim.scenario) for claim in CLAIMS]}
    done = subprocess.run(
        [str(python), "-m", f"{__package__}.through_litellm"],
        cwd=ROOT,
        # The prices of models are fetched from the network otherwise.
        env=os.environ
        | {"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.way}-{claim.scenario}")
def test_a_call_through_litellm_is_recorded_once_as_what_it_was(claim: Claim, recorded: Any) -> None:
    expected = {
        "got": claim.got,
        "span": list(claim.span),
        "counted": list(claim.counted or ()),
        "after200": [f"httpx, {call}" for call in claim.recorded],
    }
    assert expected == recorded["calls"][CLAIMS.index(claim)]


def test_a_call_by_the_sdk_beside_it_is_one_of_the_sdk(recorded: Any) -> None:
    assert ["the SDK, completed, complete, 200"] == recorded["direct"]


def test_the_metrics_that_both_record_are_named_once(recorded: Any) -> None:
    ours = {name for name in recorded["metrics"]["after200"] if name.startswith("gen_ai.client.")}
    assert names.CALLS.name in recorded["metrics"]["after200"]
    assert set(LITELLM.overlap) == ours & set(recorded["metrics"][LITELLM.scope])
    [said] = recorded["said"]
    assert said.startswith("litellm records gen_ai.client.operation.duration, gen_ai.client.token.usage of the same")


def test_the_documentation_has_the_table() -> None:
    assert litellm() in DOCUMENT.read_text(encoding="utf-8")
