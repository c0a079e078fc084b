# SPDX-License-Identifier: Apache-2.0
"""Every block of the README does what the README says it does."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from after200 import names
from after200.cli.chat import find_chat_service
from after200.cli.receiver import Receiver
from after200.faults import FaultServer
from after200.settings import PREFIX, Settings

from ..support import warm
from ..support.make import make
from ..support.patience import PATIENCE_S
from ..support.ports import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPOSITORY = ("https://github.com/after200/after200/", "https://raw.githubusercontent.com/after200/after200/")
BLOCKS = re.findall(r"^```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

RUN_BELOW = (
    "make demo\n",
    "make test\n",
    "pip install",
    "after200 verify",
    "OTEL_SERVICE_NAME",
    "after200 watch",
    "OTEL_LOGS_EXPORTER",
    "after200 report",  # in tests/report
    "import classify",
    "AnthropicInstrumentor().instrument(",
    "after200 faults",
    "ANTHROPIC_BASE_URL",
    "METRIC_BAGGAGE",  # these two in tests/docs/test_servers.py
    "curl",
    "What HTTP says",
)
"""What each block holds that no other does; the tests below find it by that."""


def block(holding: str) -> str:
    [found] = [text for text in BLOCKS if holding in text]
    return str(found)


def run(
    command: list[str], folder: Path | None = None, asked: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with the environment's programs on PATH and no proxy between it and the servers of the test."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "NO_PROXY": "127.0.0.1", "ANTHROPIC_API_KEY": "none"} | settings
    return warm.run_command(command, environment, folder, asked)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with an `app.py`: the example's chat service."""
    shutil.copy(find_chat_service(), tmp_path / "app.py")
    return tmp_path


def test_every_block_is_run_by_a_test() -> None:
    covered = [[holding for holding in RUN_BELOW if holding in text] for text in BLOCKS]
    assert sorted([holding] for holding in RUN_BELOW) == sorted(covered)


def test_make_demo_runs_the_demo_and_prints_what_the_readme_shows() -> None:
    assert "make demo\n" == block("make demo\n")
    finished = make("demo", "--calls=40")
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    shown = block("What HTTP says").splitlines()
    printed = [re.sub(r"\s+", " ", line.strip()) for line in finished.stdout.splitlines()]
    headings = [re.sub(r"\s+", " ", line.strip()) for line in (shown[0], shown[2])]
    sentences = [re.sub(r"\d+", "#", line) for line in shown[-4:]]
    assert headings == [line for line in headings if line in printed]
    assert sentences == [re.sub(r"\d+", "#", line) for line in printed[-4:]]


def test_make_test_runs_the_tests() -> None:
    assert "make test\n" == block("make test\n")
    finished = make("test", "--collect-only -q tests/cli/test_readme.py")
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert "tests/cli/test_readme.py::test_make_test_runs_the_tests" in finished.stdout


@pytest.mark.repeats("docs/test_commands.py")
def test_pip_can_install_what_the_readme_installs() -> None:
    """The installation itself is a step of .ci/run; here, that pip takes the line, builds the package and finds it."""
    command = block("pip install").split()
    assert ["python", "-m", "pip", "install", "'.[sdk,verify]'"] == command[:5]
    command[4] = ".[sdk,verify]"
    finished = run([sys.executable, *command[1:], "--dry-run", "--no-deps", "--ignore-installed", "--quiet"], ROOT)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    needed = [requirement.split()[0] for requirement in metadata("after200").get_all("Requires-Dist") or ()]
    assert set(command[5:]) <= {re.split(r"[<>=;]", requirement)[0] for requirement in needed}


@pytest.mark.repeats("docs/test_commands.py")
def test_verify_says_that_it_works(tmp_path: Path) -> None:
    with Receiver() as receiver:
        otlp = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        finished = run(["bash", "-euc", block("after200 verify")], tmp_path, **otlp)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert "\nRight: " in finished.stdout


@pytest.mark.repeats("docs/test_commands.py")
def test_watch_shows_what_the_service_exports(server: FaultServer, app: Path) -> None:
    port = free_port()
    watch = [sys.executable, "-m", "after200.cli", *block("after200 watch").split()[1:], f"--port={port}", "--json"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        try:
            assert watching.stderr is not None
            assert f"receiving at http://127.0.0.1:{port}" in watching.stderr.readline()
            script = block("OTEL_SERVICE_NAME").replace("localhost:4318", f"127.0.0.1:{port}")
            base_url = server.base_url("overloaded_error_mid_stream")
            finished = run(["bash", "-euc", script], app, asked="What is entropy?\n", ANTHROPIC_BASE_URL=base_url)
            assert 0 == finished.returncode, finished.stderr
            watching.send_signal(signal.SIGINT)
            shown = json.loads(watching.communicate(timeout=PATIENCE_S)[0])
        finally:
            watching.kill()
    assert {"services": ["chat-service"], "http_ok": 1, "completed": 0, "hidden": 1} == {
        name: shown[name] for name in ("services", "http_ok", "completed", "hidden")
    }


def test_opentelemetry_instrument_finds_it(server: FaultServer, app: Path) -> None:
    with Receiver() as receiver:
        script = block("OTEL_SERVICE_NAME").replace("http://localhost:4318", receiver.url)
        finished = run(
            ["bash", "-euc", script],
            app,
            asked="What is entropy?\n",
            ANTHROPIC_BASE_URL=server.base_url("error_unnamed"),
        )
        assert 0 == finished.returncode, finished.stderr
        overloaded = {names.ERROR_TYPE: "overloaded_error", names.HTTP_STATUS: 529, names.WIRE_STATUS: 200}
        assert 1 == receiver.total(names.CALLS.name, overloaded)
        assert {"chat-service"} == {span.resource["service.name"] for span in receiver.spans}


@pytest.mark.repeats("docs/test_commands.py")
def test_the_console_shows_all_three_signals(server: FaultServer, app: Path) -> None:
    base_url = server.base_url("overloaded_error_mid_stream")
    script = block("OTEL_LOGS_EXPORTER")
    finished = run(["bash", "-euc", script], app, asked="What is entropy?\n", ANTHROPIC_BASE_URL=base_url)
    assert 0 == finished.returncode, finished.stderr
    for shown in ('"after200.outcome": "failed"', '"name": "after200.calls"', names.EXCEPTION_EVENT):
        assert shown in finished.stdout


def test_a_retry_asks_again_after_an_overload_in_mid_stream(server: FaultServer) -> None:
    base_url = server.base_url("overloaded_mid_stream_then_completed")
    finished = run([sys.executable, "-c", block("import classify")], ANTHROPIC_BASE_URL=base_url)
    assert (0, "Hello from Claude.\n") == (finished.returncode, finished.stdout), finished.stderr


def test_a_retry_takes_a_stream_without_its_end_for_no_answer(server: FaultServer) -> None:
    base_url = server.base_url("end_without_message_stop", key="retry-of-the-readme")
    finished = run([sys.executable, "-c", block("import classify")], ANTHROPIC_BASE_URL=base_url)
    assert (1, "") == (finished.returncode, finished.stdout)
    assert "ConnectionError: the stream ended before the answer did\n" in finished.stderr
    assert 3 == sum(entry.key == "retry-of-the-readme" for entry in server.log)


def test_by_hand_it_records_a_call_that_is_answered(server: FaultServer) -> None:
    base_url = server.base_url("completed")
    finished = run([sys.executable, "-c", block("AnthropicInstrumentor()")], ANTHROPIC_BASE_URL=base_url)
    assert 0 == finished.returncode, finished.stderr
    assert finished.stdout.startswith("Hello from Claude.")
    assert '"after200.outcome": "completed"' in finished.stdout


def test_by_hand_it_records_a_call_that_fails_after_the_200(server: FaultServer) -> None:
    base_url = server.base_url("overloaded_error_mid_stream")
    finished = run([sys.executable, "-c", block("AnthropicInstrumentor()")], ANTHROPIC_BASE_URL=base_url)
    assert 1 == finished.returncode
    assert "anthropic.APIStatusError" in finished.stderr or "OverloadedError" in finished.stderr
    assert '"http.response.status_code": 529' in finished.stdout


def test_a_service_can_be_pointed_at_the_fault_server(app: Path) -> None:
    claim = r"After (\d+) calls the fault server has played (\w+) overloads and (\w+) truncated stream"
    [(calls, *numbers)] = re.findall(claim, README)
    overloads, truncated = map(("none", "one", "two", "three", "four", "five").index, numbers)
    command = block("after200 faults").replace("--port 8529", "--port 0").split()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        command, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as faults:
        try:
            assert faults.stdout is not None
            url = faults.stdout.readline().strip()
            script = block("ANTHROPIC_BASE_URL").replace("http://127.0.0.1:8529", url)
            with Receiver() as receiver:
                above = block("OTEL_SERVICE_NAME").replace("http://localhost:4318", receiver.url)
                exports = "".join(line for line in above.splitlines(keepends=True) if line.startswith("export "))
                finished = run(["bash", "-euc", exports + script], app, asked=int(calls) * "What is entropy?\n")
        finally:
            faults.terminate()
    assert 0 == finished.returncode, finished.stderr
    assert '"result": "answered"' in finished.stdout
    hidden = {names.WIRE_STATUS: 200}
    assert (int(calls), overloads, truncated) == (
        receiver.total(names.CALLS.name, hidden),
        receiver.total(names.CALLS.name, {names.ERROR_TYPE: "overloaded_error", **hidden}),
        receiver.total(names.CALLS.name, {names.ERROR_TYPE: "stream_truncated", **hidden}),
    )


def test_the_settings_are_those_there_are() -> None:
    rows = re.findall(rf"^\| `(\w+)` \| `({PREFIX}\w+)` \| `?(\w+)`? \|", README, re.MULTILINE)
    defaults = {name: value for name, value in vars(Settings()).items() if value is not None}
    shown = {name: "none" if value == () else str(value).lower() for name, value in defaults.items()}
    assert [(name, PREFIX + name.upper(), value) for name, value in shown.items()] == rows


def test_the_metrics_are_those_there_are() -> None:
    [table] = re.findall(r"^\| metric \|.*?\n\n", README, re.MULTILINE | re.DOTALL)
    named = {name for name in re.findall(r"`([a-z0-9_.]+)`", table) if name.startswith(("after200.", "gen_ai."))}
    on_by_default = {metric.name for metric in names.METRICS} - {names.TIME_PER_OUTPUT_CHUNK.name}
    attributes = {attribute for metric in names.METRICS for attribute in metric.attributes}
    assert on_by_default == named - attributes


def test_links_to_files_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{name} links to {target}"


def test_on_a_package_index_every_link_and_picture_leads_somewhere() -> None:
    said = metadata("after200")
    targets = re.findall(r"\]\(([^)]+)\)", str(said.get_payload()))
    assert len(targets) > 10
    assert [] == [target for target in targets if not target.startswith(("https://", "#"))]
    for target in targets:
        if target.startswith(REPOSITORY):
            path = re.sub("|".join(REPOSITORY), "", target).partition("#")[0]
            assert (ROOT / re.sub(r"^(blob/)?main/", "", path)).exists(), target
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} == {
        line.partition(",")[0] for line in said.get_all("Project-URL") or ()
    }
