# SPDX-License-Identifier: Apache-2.0
"""The README's paths work in an environment that holds what its line installs, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from after200 import names
from after200.faults import FaultServer

from ..support.installing import find_uv, to_install
from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .pages import ROOT
from .programs import environment, wait_until_open

pytestmark = pytest.mark.repeats("cli/test_readme.py")

BLOCKS = re.findall(r"^```(?:sh|python)\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
CONSOLE = {f"OTEL_{signal}_EXPORTER": "console" for signal in ("TRACES", "METRICS", "LOGS")}


def block(holding: str) -> str:
    [found] = [text for text in BLOCKS if holding in text]
    return str(found)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs that the README's line installs, into an environment that was empty."""
    uv = find_uv()
    assert uv is not None, "the group test brings uv"
    folder = tmp_path_factory.mktemp("empty") / "venv"
    line = block("pip install").split()
    assert ["python", "-m", "pip", "install"] == line[:4]
    packages = [word.strip("'") for word in line[4:]]
    made = [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)]
    installed = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(folder / "bin" / "python")]
    for command in (made, [*installed, *packages]):
        done = subprocess.run(
            command, cwd=ROOT, env=to_install(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert 0 == done.returncode, done.stderr
    return folder / "bin"


@pytest.fixture
def run(programs: Path, app: Path):
    """Runs a block of the README beside an `app.py`, with the programs of that environment only."""

    def run(script: str, asked: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        given = environment(settings) | {"PATH": os.pathsep.join([str(programs), "/usr/bin", "/bin"])}
        given.pop("PYTHONPATH", None)
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=app,
            env=given,
            input=asked,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run


def test_the_console_shows_all_three_signals(run, server: FaultServer) -> None:
    base_url = server.base_url("overloaded_error_mid_stream")
    finished = run(block("OTEL_LOGS_EXPORTER"), "What is entropy?\n", ANTHROPIC_BASE_URL=base_url)
    assert 0 == finished.returncode, finished.stderr
    for shown in ('"after200.outcome": "failed"', '"name": "after200.calls"', names.EXCEPTION_EVENT):
        assert shown in finished.stdout, finished.stderr


def test_a_retry_needs_nothing_else(run, server: FaultServer) -> None:
    base_url = server.base_url("overloaded_mid_stream_then_completed")
    finished = run(f"python - <<'PROGRAM'\n{block('import classify')}\nPROGRAM", ANTHROPIC_BASE_URL=base_url)
    assert (0, "Hello from Claude.\n") == (finished.returncode, finished.stdout), finished.stderr


def test_verify_says_right(run) -> None:
    finished = run(block("after200 verify"), **CONSOLE)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert "\nRight: " in finished.stdout


def test_what_a_service_exports_is_seen_by_watch(run, programs: Path, server: FaultServer) -> None:
    port = free_port()
    command = [*block("after200 watch").split(), "--json", f"--port={port}"]
    given = environment({"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin"})
    with subprocess.Popen(
        [str(programs / command[0]), *command[1:]],
        env=given,
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        try:
            wait_until_open(port)
            script = block("OTEL_SERVICE_NAME").replace("http://localhost:4318", f"http://127.0.0.1:{port}")
            base_url = server.base_url("overloaded_error_mid_stream")
            finished = run(script, "What is entropy?\n", ANTHROPIC_BASE_URL=base_url)
            assert 0 == finished.returncode, finished.stderr
            watch.terminate()
            printed, _ = watch.communicate(timeout=PATIENCE_S)
        finally:
            watch.kill()
    assert "overloaded" in printed


def test_the_fault_server_can_be_asked_what_it_plays(run) -> None:
    finished = run("after200 faults --help")
    assert 0 == finished.returncode, finished.stderr
    assert "overloaded_error_mid_stream" in finished.stdout


def test_a_service_fails_at_the_fault_server(run, programs: Path) -> None:
    command = block("after200 faults").replace("--port 8529", "--port 0").split()
    given = environment({"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin"})
    with subprocess.Popen(
        [str(programs / command[0]), *command[1:]],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as faults:
        try:
            assert faults.stdout is not None
            url = faults.stdout.readline().strip()
            script = block("ANTHROPIC_BASE_URL").replace("http://127.0.0.1:8529", url)
            finished = run(script, "What is entropy?\n")
        finally:
            faults.terminate()
    assert 0 == finished.returncode, finished.stderr
    assert '"result": "answered"' in finished.stdout
