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
from after200.cli import COMMANDS, Command, main, run, usage
from after200.installation import pip_install, source_of

from ..support.patience import PATIENCE_S


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--help"])
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"{name} " in shown
        assert command.summary in shown


def test_no_command_shows_the_same_as_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main([])
    assert "usage: after200" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_the_package_s(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main([option])
    assert f"after200 {after200.__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("dmeo", "command 'dmeo' (did you mean demo?)"),
        ("wacth", "command 'wacth' (did you mean watch?)"),
        ("--verison", "option '--verison' (did you mean --version?)"),
        ("--quiet", "option '--quiet'"),
        ("", "command ''"),
    ],
)
def test_what_it_does_not_know_is_named_with_the_nearest_and_all_that_it_knows(
    name: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main([name])
    known = ", ".join([*COMMANDS, "help", "--help", "--version"])
    assert f"after200: no {what}; there is {known}\n" == capsys.readouterr().err


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["help"])
    assert f"{usage()}\n" == capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["help", "watch"])
    assert 0 == ended.value.code
    assert capsys.readouterr().out.startswith("usage: after200 watch")


def test_python_can_run_the_package() -> None:
    command = [sys.executable, "-m", "after200", "-V"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (0, f"after200 {after200.__version__}\n", "") == (finished.returncode, finished.stdout, finished.stderr)


def test_a_shell_completes_the_commands_and_their_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["completion", "bash"])
    (tmp_path / "after200.bash").write_text(capsys.readouterr().out, encoding="utf-8")
    completed = """
        source after200.bash
        complete_words() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            "$(complete -p after200 | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
            echo "${COMPREPLY[@]}"
        }
        complete_words after200 wa
        complete_words after200 watch --on
        complete_words after200 faults --mi
    """
    finished = subprocess.run(
        ["bash", "-uc", completed], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (["watch", "--once", "--mix"], "") == (finished.stdout.split(), finished.stderr)


def test_a_report_needs_only_what_its_extra_brings() -> None:
    absent = (
        "anthropic",
        "google",
        "grafana_foundation_sdk",
        "h11",
        "opentelemetry.proto",
        "opentelemetry.sdk",
        "yaml",
    )
    program = (
        f"import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
        "from after200.cli import main\nsys.exit(main(['report', '--prometheus=http://127.0.0.1:9']))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    said = "after200 report: Prometheus does not answer at http://127.0.0.1:9: Connection refused\n"
    assert (1, "", said) == (finished.returncode, finished.stdout, finished.stderr)


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("report", "rich", "report"),
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
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert 2 == finished.returncode
    assert finished.stderr.startswith(f"after200 {command} needs {package}")
    assert finished.stderr.endswith(f", which is not installed: {pip_install(extra)}\n")
    assert 1 == finished.stderr.count("\n")


@pytest.mark.parametrize(
    ("direct", "source"),
    [
        ({}, "'after200[cli]'"),
        ({"url": "file:///a%20b/after200", "dir_info": {"editable": True}}, "-e '/a b/after200[cli]'"),
        ({"url": "file:///home/me/after200", "dir_info": {}}, "'/home/me/after200[cli]'"),
        ({"url": "file:///tmp/a-1-py3-none-any.whl", "archive_info": {}}, "'/tmp/a-1-py3-none-any.whl[cli]'"),
        ({"url": "https://example.com/a.whl", "archive_info": {}}, "'after200[cli] @ https://example.com/a.whl'"),
        (
            {"url": "https://example.com/a", "vcs_info": {"vcs": "git", "commit_id": "1f1fb8d"}},
            "'after200[cli] @ git+https://example.com/a'",
        ),
    ],
    ids=["index", "editable", "folder", "wheel", "url", "git"],
)
def test_an_extra_is_installed_from_where_the_package_came(direct: dict[str, object], source: str) -> None:
    assert source == source_of(direct, "cli")


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
