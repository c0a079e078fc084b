# SPDX-License-Identifier: Apache-2.0
"""Frameworks that record metrics of the calls that go through them: after200 says so, and its advice loses no call."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import after200
from after200 import names
from after200.faults import FaultServer

from ..support.neighbours.environments import ROOT, CannotInstallError, interpreter
from ..support.neighbours.expectations import DURATION, FIRST_CHUNK, FRAMEWORKS, TOKENS, Framework
from ..support.patience import PATIENCE_S

pytestmark = pytest.mark.repeats("neighbours/test_neighbours.py")

CALLS = 2
"""The calls that a framework makes: one whole, one streamed."""

OURS = {names.CALLS.name: CALLS, DURATION: CALLS, TOKENS: 2 * CALLS, FIRST_CHUNK: 1}
"""What after200 records of them."""


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request: pytest.FixtureRequest) -> Framework:
    found: Framework = request.param
    return found


@pytest.fixture(scope="module")
def python(framework: Framework) -> Path:
    try:
        return interpreter(framework)
    except CannotInstallError as error:
        pytest.skip(f"the environment of {framework.title} cannot be made: {error}")


Runs = dict[str, dict[str, Any]]
"""What the steps of each run recorded, and what after200 said."""


@pytest.fixture(scope="module")
def runs(framework: Framework, python: Path, server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    steps = {
        "alone": [framework.name],
        "together": ["span_between", "after200", framework.name],
        "beside": [framework.name, "after200", "direct"],
    }
    folder = tmp_path_factory.mktemp("path")
    (folder / "after200").symlink_to(Path(after200.__file__).parent)
    task = {"framework": framework.name, "url": server.base_url("completed"), "runs": list(steps.values())}
    done = subprocess.run(
        [str(python), "-m", f"{__package__}.frameworks"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(steps, json.loads(done.stdout), strict=True))


def test_metrics_that_both_record_are_named_whatever_stands_between_and_no_advice_loses_a_call(
    framework: Framework, runs: Runs
) -> None:
    alone, together = runs["alone"], runs["together"]
    assert {framework.scope: alone["recorded"][framework.scope], "after200": OURS} == together["recorded"]
    theirs = together["recorded"][framework.scope]
    assert set(framework.overlap) == theirs.keys() & OURS.keys()
    [said] = together["said"]
    assert said.startswith(f"{known_as(framework)} records ")
    assert set(framework.overlap) == set(re.findall(r"gen_ai\.client\.[a-z_.]*[a-z]", said))
    assert "GENAI_METRICS" not in said
    assert "sum only the series whose otel.scope.name is after200" in said


def test_a_call_past_the_framework_is_not_said_to_be_recorded_by_it(framework: Framework, runs: Runs) -> None:
    beside = runs["beside"]
    assert CALLS == beside["recorded"][framework.scope].get(DURATION, CALLS)
    assert 1 == beside["recorded"]["after200"][DURATION]
    assert [] == [line for line in beside["said"] if line.startswith(known_as(framework))]
    if framework.name != "langchain":
        assert [] == beside["said"]
        return
    # OpenLLMetry's package for the SDK records this call, and not those that go through LangChain.
    assert 1 == beside["recorded"]["opentelemetry.instrumentation.anthropic"][DURATION]
    [said] = beside["said"]
    assert said.startswith("opentelemetry-instrumentation-anthropic records ")
    assert "GENAI_METRICS" not in said


def known_as(framework: Framework) -> str:
    """The name in the warning: of the project, where the package is a part of it."""
    parts = {"agent_framework": "agent-framework", "pydantic_ai": "pydantic-ai"}
    return parts.get(framework.name, framework.title)
