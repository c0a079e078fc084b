# SPDX-License-Identifier: Apache-2.0
"""Calls through LiteLLM, with the real package: each is recorded once, as what it was, whatever LiteLLM says of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import after200
from after200 import names
from after200.cli.endings import Ending
from after200.cli.reconcile import expected_ending
from after200.faults import FaultServer

from ..support.neighbours.environments import ROOT, CannotInstallError, interpreter
from ..support.neighbours.litellm import CLAIMS, LITELLM, Claim
from ..support.patience import PATIENCE_S
from .table import DOCUMENT, litellm

MIX = {
    "overloaded": 0.15,
    "overloaded_error_first_event": 0.05,
    "rate_limited": 0.1,
    "api_error": 0.05,
    "error_unnamed": 0.05,
    "truncated": 0.1,
    "reset": 0.05,
    "cut": 0.05,
    "http_529": 0.1,
    "http_429": 0.05,
    "refusal_cyber": 0.05,
}
"""What the calls of the crowd meet; the rest is answered."""

CROWD_IN_CI = 60

pytestmark = pytest.mark.repeats("libraries/test_scenarios.py")


@pytest.fixture(scope="module")
def crowding() -> Iterator[FaultServer]:
    """A server of its own, whose log has the calls of this file and no others."""
    with FaultServer(mix=MIX, seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def calls(request: pytest.FixtureRequest) -> int:
    """How many calls are made at once."""
    return int(request.config.getoption("--calls", CROWD_IN_CI))


@pytest.fixture(scope="module")
def recorded(crowding: FaultServer, calls: int, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What LiteLLM and after200 recorded of the calls, and of one by the SDK, with both doors of after200 open."""
    try:
        python = interpreter(LITELLM)
    except CannotInstallError as error:
        pytest.skip(f"the environment of LiteLLM cannot be made: {error}")
    folder = tmp_path_factory.mktemp("path")
    (folder / "after200").symlink_to(Path(after200.__file__).parent)
    task = {
        "url": crowding.url,
        "calls": [(claim.way, claim.scenario) for claim in CLAIMS],
        "crowd": calls,
    }
    done = subprocess.run(
        [str(python), "-m", f"{__package__}.through_litellm"],
        cwd=ROOT,
        # The prices of models are fetched from the network otherwise.
        env=os.environ
        | {"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S + calls,
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


def test_of_many_calls_at_once_through_litellm_and_httpx_each_is_counted_as_what_the_server_did(
    recorded: Any, crowding: FaultServer, calls: int
) -> None:
    served = [entry for entry in crowding.wait_idle() if entry.model == "claude-crowd"]
    stalled = [entry for entry in served if entry.scenario == "stall_mid_stream"]
    ended = Counter(expected_ending(entry, ()) for entry in served if entry not in stalled)
    left = {"closed": len(range(0, calls, 20)), "cancelled": len(range(10, calls, 20))}
    ended += Counter({Ending(outcome, None, 200, 200): number for outcome, number in left.items()})
    counted: Counter[Ending] = Counter()
    for client, *ending, number in recorded["crowd"]:
        assert "httpx" == client
        # LiteLLM's chat does not close the response of a stream that is closed: it drops it.
        counted[Ending(*ending)._replace(**({"outcome": "closed"} if ending[0] == "abandoned" else {}))] += number
    assert calls == len(served) == counted.total()
    assert sum(left.values()) == len(stalled)
    assert ({}, {}) == (dict(ended - counted), dict(counted - ended))


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
