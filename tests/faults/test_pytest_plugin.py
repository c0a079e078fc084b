# SPDX-License-Identifier: Apache-2.0
"""The fixture, in a test run of its own, as a user's project has it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from after200.installation import pip_install

from ..support.patience import PATIENCE_S

EXAMPLE = """
import anthropic
import pytest


def greet(base_url):
    client = anthropic.Anthropic(base_url=base_url, api_key="none", max_retries=0)
    with client.messages.stream(model="m", max_tokens=5, messages=[{"role": "user", "content": "hi"}]) as stream:
        return stream.get_final_text()


def test_greeting(claude_faults):
    assert greet(claude_faults.base_url("completed")) == "Hello from Claude."


def test_overload(claude_faults):
    with pytest.raises(anthropic.APIStatusError):
        greet(claude_faults.base_url("overloaded_error_mid_stream"))
    assert [served.failure for served in claude_faults.log] == ["overloaded_error"]
"""
WITHOUT_H11 = """
import sys

assert "h11" not in sys.modules
sys.modules["h11"] = None


def test_greeting(claude_faults):
    pass
"""


def run(directory: Path) -> subprocess.CompletedProcess[str]:
    installed = any(entry.name == "after200" for entry in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "after200.testing.pytest_plugin"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        *plugin,
        str(directory),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def test_a_test_of_the_users_gets_a_server(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(EXAMPLE)
    ended = run(tmp_path)
    assert (ended.returncode, ended.stdout.splitlines()[-1][:8]) == (0, "2 passed"), ended.stdout + ended.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(WITHOUT_H11)
    ended = run(tmp_path)
    assert ended.returncode == 1
    assert f"the fixture claude_faults needs h11: {pip_install('faults')}" in ended.stdout
