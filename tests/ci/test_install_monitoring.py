# SPDX-License-Identifier: Apache-2.0
"""`.ci/install-monitoring` and `.ci/start_once.py`: a program that does not become ready is named, with what it did."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ..support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "install-monitoring"
SERVER = """\
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.end_headers()
    def log_message(self, *_): pass
print("starting")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1].rpartition(":")[2])), Handler).serve_forever()
"""


@pytest.fixture
def start_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module. Its programs are looked for in the test's own folder, where there is none yet."""
    spec = importlib.util.spec_from_file_location("start_once", ROOT / ".ci" / "start_once.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "start_once", module)  # A dataclass looks up its module.
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CACHE", tmp_path)
    return module


def put(folder: Path, name: str, program: str) -> None:
    """Make `name` a program that Python runs."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{program}", encoding="utf-8")
    path.chmod(0o755)


def started(start_once: ModuleType, part: str) -> tuple[int, list[str]]:
    """The exit status, and what the script says."""
    lines: list[str] = []
    return start_once.main([part], lines.append), lines


def test_a_server_that_answers_and_a_tool_that_ends_well_are_ready(start_once: ModuleType, tmp_path: Path) -> None:
    put(tmp_path, "prometheus", SERVER.format(status=200))
    put(tmp_path, "promtool", "print(open('rules.yml').read())")
    status, lines = started(start_once, "prometheus2")
    assert 0 == status
    assert re.fullmatch(r"prometheus: answered http://127\.0\.0\.1:\d+/-/ready after \d+\.\d s", lines[0])
    assert ["promtool: ran"] == lines[1:]


def test_a_server_that_refuses_its_configuration_is_named_with_its_output(
    start_once: ModuleType, tmp_path: Path
) -> None:
    put(tmp_path, "prometheus-alertmanager", "import sys; sys.exit('failed to parse templates')")
    put(tmp_path, "amtool", "")
    said = "prometheus-alertmanager: NOT READY, it ended with exit status 1; its output:\nfailed to parse templates"
    assert (1, [said, "amtool: ran"]) == started(start_once, "alertmanager")


def test_a_server_that_is_not_ready_in_time_is_named_and_stopped(
    start_once: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_once, "TIMEOUT", 3.0)
    pid = tmp_path / "pid"
    remember = f"import os; open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
    put(tmp_path, "prometheus3", remember + SERVER.format(status=503))
    status, [said] = started(start_once, "prometheus3")
    assert 1 == status
    assert re.fullmatch(r"prometheus3: NOT READY, it did not answer http://\S+ within 3 s; its output:\n.*", said, re.S)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_tool_that_fails_is_named_with_its_output(start_once: ModuleType, tmp_path: Path) -> None:
    put(tmp_path, "pint", "import sys; sys.exit('no such check')")
    said = "pint: NOT READY, it ended with exit status 1; its output:\nno such check"
    assert (1, [said]) == started(start_once, "pint")


def test_a_program_that_is_not_there_is_named(start_once: ModuleType) -> None:
    status, [said] = started(start_once, "pint")
    assert 1 == status
    assert said.startswith("pint: NOT READY, it cannot be started: [Errno 2] No such file or directory")


def test_every_part_that_is_installed_is_started(start_once: ModuleType) -> None:
    [parts] = re.findall(r"^readonly ALL=\((.*)\)$", SCRIPT.read_text(encoding="utf-8"), re.M)
    assert sorted(parts.split()) == sorted(start_once.PARTS)


def install(checkout: Path, path: str, *parts: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a checkout that holds nothing but it."""
    shutil.copytree(ROOT / ".ci", checkout / ".ci")
    return subprocess.run(
        ["/bin/bash", checkout / ".ci" / "install-monitoring", *parts],
        env={"PATH": path, "HOME": str(checkout)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("part", "program"), [("prometheus2", "apt-get"), ("alertmanager", "go"), ("pint", "go"), ("grafana-schema", "npm")]
)
def test_a_part_whose_installer_is_missing_is_named_with_the_reason(part: str, program: str, tmp_path: Path) -> None:
    needed = ("bash", "cat", "dirname", "id", "mkdir", "rm", "sed", "sleep", "tail")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in needed:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    (programs / "python3").symlink_to(sys.executable)
    finished = install(tmp_path / "checkout", str(programs), part)
    assert 1 == finished.returncode
    assert f"    needs {program}, which is not on PATH: " in finished.stdout
    assert f"not ready: {part}\n" == finished.stderr


def test_a_part_that_is_there_but_does_not_start_is_named_with_what_it_did(tmp_path: Path) -> None:
    tsc = tmp_path / ".cache" / "monitoring" / "npm" / "node_modules" / ".bin" / "tsc"
    tsc.parent.mkdir(parents=True)
    tsc.write_text("#!/bin/sh\necho this Node.js is too old\nexit 1\n", encoding="utf-8")
    tsc.chmod(0o755)
    finished = install(tmp_path, os.environ["PATH"], "grafana-schema")
    assert (1, "not ready: grafana-schema\n") == (finished.returncode, finished.stderr)
    assert finished.stdout.endswith(
        "    tsc: NOT READY, it ended with exit status 1; its output:\n    this Node.js is too old\n"
    )


def test_each_part_is_named_before_it_is_installed_and_while_it_is(tmp_path: Path) -> None:
    tsc = tmp_path / ".cache" / "monitoring" / "npm" / "node_modules" / ".bin" / "tsc"
    tsc.parent.mkdir(parents=True)
    tsc.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    tsc.chmod(0o755)
    finished = install(tmp_path, os.environ["PATH"], "grafana-schema")
    log = tmp_path / ".cache" / "monitoring" / "logs" / "grafana-schema.log"
    first, *_, last = finished.stdout.splitlines()
    assert (f"grafana-schema: being installed (what it says goes to {log})", "grafana-schema: ready") == (first, last)
    [goes_on] = re.findall(r"^say_that_it_goes_on\(\) \{.*?^\}$", SCRIPT.read_text(encoding="utf-8"), re.M | re.S)
    # The clock of this shell runs as fast as it can: its `sleep` does not wait, and the part takes 60 of its seconds.
    quick = "left=61; sleep() { :; }; kill() { ((left-- > 0)); }"
    said = subprocess.run(
        ["/bin/bash", "-c", f"{quick}\n{goes_on}\nsay_that_it_goes_on pint"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ["pint: being installed, 30 s so far", "pint: being installed, 60 s so far"] == said.stdout.splitlines()


def test_an_unknown_part_is_named_with_those_there_are(tmp_path: Path) -> None:
    finished = install(tmp_path, os.environ["PATH"], "grafana")
    assert 2 == finished.returncode
    assert finished.stderr.startswith("unknown part: grafana; there is: prometheus2 alertmanager ")
