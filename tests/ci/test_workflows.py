# SPDX-License-Identifier: Apache-2.0
"""The GitHub workflows call what anybody can run by hand, with actions pinned by their full commit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from matrix.cells import CELLS

from ..support.make import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_only_what_anybody_can_run_by_hand(workflow: Path) -> None:
    [targets] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    [parts] = re.findall(r"^readonly ALL_STEPS=\((.*)\)$", RUN, re.M)
    by_hand = {".ci/run": {*parts.split(), "release"}, "make": set(targets.split())}
    commands = [step["run"].partition(" |")[0].split() for step in steps(workflow) if "run" in step]
    assert commands
    assert [] == [command for command in commands if not set(command[1:]) <= by_hand.get(command[0], set())]
    assert ["make"] not in commands


def test_the_long_runs_have_the_servers_and_the_browser_that_their_tests_need() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "long.yml").read_text(encoding="utf-8"))["jobs"]
    programs, tests = [step["run"].split() for step in jobs["long"]["steps"] if "run" in step]
    assert (".ci/run", ["make", "long"]) == (programs[0], tests)
    assert {"browser", "monitoring"} <= set(programs)


def test_the_long_runs_have_the_whole_matrix_with_every_python_of_it() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "long.yml").read_text(encoding="utf-8"))["jobs"]
    assert "make matrix" in [step["run"].partition(" |")[0] for step in jobs["matrix"]["steps"] if "run" in step]
    settings = [step.get("with", {}) for step in jobs["matrix"]["steps"]]
    [versions] = [each["python-version"] for each in settings if "python-version" in each]
    assert {cell.python for cell in CELLS} == set(versions.split())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_the_token_can_only_read(workflow: Path) -> None:
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert uses
    assert [] == [action for action in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)]
    assert {"contents": "read"} == yaml.safe_load(workflow.read_text(encoding="utf-8"))["permissions"]


def test_the_newest_sdk_is_run_every_night() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "newest-sdk.yml").read_text(encoding="utf-8"))
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as true.
    [schedule] = triggers["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule["cron"])
    assert "workflow_dispatch" in triggers
