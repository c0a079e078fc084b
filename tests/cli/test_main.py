# SPDX-License-Identifier: Apache-2.0
"""The `after200` command itself: choosing a command, and what is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import after200
from after200.cli import COMMANDS, Command, main, run


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--help"])
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"{name} " in shown
        assert command.summary in shown


def test_no_command_shows_the_same_as_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main([])
    assert "usage: after200" in capsys.readouterr().out


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--version"])
    assert f"after200 {after200.__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(("name", "kind"), [("dmeo", "command"), ("--verbose", "option"), ("", "command")])
def test_what_it_does_not_know_is_named_with_what_it_knows(
    name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main([name])
    known = ", ".join([*COMMANDS, "--help", "--version"])
    assert f"after200: no {kind} {name!r}; there is {known}\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("demo", "rich", "cli"),
        ("demo", "google", "cli"),
        ("watch", "rich", "watch"),
        ("watch", "google", "watch"),
        ("verify", "rich", "verify"),
        ("faults", "h11", "faults"),
    ],
)
def test_a_missing_extra_is_one_line_that_says_what_to_install(command: str, package: str, extra: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\nfrom after200.cli import main\nsys.exit(main([{command!r}]))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert 2 == finished.returncode
    assert finished.stderr.startswith(f"after200 {command} needs {package}")
    assert finished.stderr.endswith(f", which is not installed: pip install 'after200[{extra}]'\n")
    assert 1 == finished.stderr.count("\n")


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """The handler that Python starts with; a test run that was started with SIGINT ignored (nohup, `&`) has none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "interrupted.py").write_text("import signal\ndef main(argv): signal.raise_signal(signal.SIGINT)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert 130 == run("interrupted", Command("interrupted", "", ""), [])


def test_the_faults_command_hands_its_options_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["faults", "--help"])
    assert 0 == ended.value.code
    assert "overloaded_error_mid_stream" in capsys.readouterr().out
