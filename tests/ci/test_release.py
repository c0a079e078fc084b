# SPDX-License-Identifier: Apache-2.0
"""A release is cut from a tag that agrees with the version and the changelog, and published without a secret."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from typing import Any

import pytest
import yaml

from after200 import __version__

from ..support.make import ROOT
from ..support.patience import PATIENCE_S

RELEASED = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-30\n\n### Added\n\n- A thing.\n"


def problems(tag: str, version: str, changelog: str) -> list[str]:
    specification = importlib.util.spec_from_file_location("check_release", ROOT / ".ci" / "check_release.py")
    assert specification is not None
    assert specification.loader is not None
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found: list[str] = module.problems(tag, version, changelog)
    return found


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "expected"),
    [
        ("v1.2.3", "1.2.3", RELEASED, []),
        ("v1.2.4", "1.2.3", RELEASED, ["the tag is v1.2.4, but src/after200/_version.py says 1.2.3"]),
        ("1.2.3", "1.2.3", RELEASED, ["the tag '1.2.3' is not a version: v1.2.3, or v1.2.3rc1"]),
        ("v1.2.4", "1.2.4", RELEASED, ["CHANGELOG.md has no section '## [1.2.4] - YYYY-MM-DD'"]),
        (
            "v1.2.3",
            "1.2.3",
            RELEASED.replace("- A thing.\n", ""),
            ["the section of 1.2.3 in CHANGELOG.md names no change"],
        ),
        (
            "v1.2.3",
            "1.2.3",
            RELEASED.replace("[Unreleased]\n", "[Unreleased]\n\n- Another.\n"),
            ["CHANGELOG.md has changes under [Unreleased]: move them to the section of the release"],
        ),
    ],
)
def test_what_keeps_a_tag_from_being_released(tag: str, version: str, changelog: str, expected: list[str]) -> None:
    assert expected == problems(tag, version, changelog)


def test_the_step_names_what_is_wrong_with_a_tag() -> None:
    environment = os.environ | {"TAG": "v99.0.0"}
    finished = subprocess.run(
        [".ci/run", "--step", "release"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert 1 == finished.returncode, finished.stderr
    assert f"the tag is v99.0.0, but src/after200/_version.py says {__version__}" in finished.stdout


def test_only_a_tag_publishes_and_without_a_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert {"push": {"tags": ["v*"]}} == workflow[True]  # YAML 1.1 reads the key `on` as true.
    assert ("build", "release") == (publish["needs"], publish["environment"])
    assert {"id-token": "write"} == publish["permissions"]
    assert {"contents": "read", "id-token": "write", "attestations": "write"} == build["permissions"]
    assert "secrets." not in text
    assert [".ci/run release", ".ci/run"] == [step["run"] for step in build["steps"] if "run" in step]
    assert all("with" not in step or "password" not in step["with"] for step in publish["steps"])
