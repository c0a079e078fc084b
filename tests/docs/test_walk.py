# SPDX-License-Identifier: Apache-2.0
"""Every command that README, docs/ and dashboards/README.md show is one that exists, with options that it takes.

What the commands do is tested beside (`test_commands.py`, `test_empty_environment.py`, `test_servers.py`). Here each
line of every page is walked, and a program that nobody has entered below is a failure.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import metadata
from typing import NamedTuple

import pytest

from after200.cli import COMMANDS
from after200.settings import PREFIX, Settings

from .pages import DOCS, ROOT

PAGES = [ROOT / "README.md", ROOT / "dashboards" / "README.md", *sorted(DOCS.glob("*.md"))]
KNOWN = {
    "celery", "cp", "curl", "docker", "gunicorn", "helm", "kubectl", "mimirtool", "opentelemetry-instrument", "pytest",
    "python", "uvicorn",
}  # fmt: skip
"""Programs of others that a page may call. `after200`, `make`, `pip` and `export` are looked at more closely."""
FOLDERS = re.compile(r"^(?:examples|dashboards|docs|src)/\S+$")


class Line(NamedTuple):
    """A command line of a page, in words, without the settings before it."""

    page: str
    words: tuple[str, ...]
    settings: tuple[str, ...]


def lines() -> Iterator[Line]:
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
            for line in re.sub(r"\\\n\s*", " ", block).splitlines():
                words = shlex.split(line, comments=True)
                settings = [word for word in words if re.match(r"^[A-Z][A-Z0-9_]*=", word)]
                if words and words[0] != "export":
                    words = words[len(list(_leading(words))) :]
                if words:
                    yield Line(page.name, tuple(words), tuple(settings))


def _leading(words: list[str]) -> Iterator[str]:
    for word in words:
        if not re.match(r"^[A-Z][A-Z0-9_]*=", word):
            return
        yield word


LINES = sorted(set(lines()))


@pytest.mark.parametrize("line", LINES, ids=[f"{line.page}: {' '.join(line.words)[:60]}" for line in LINES])
def test_a_command_of_the_documentation_exists_and_takes_its_options(line: Line) -> None:
    words = list(line.words)
    if words[0] == "opentelemetry-instrument" and words[1] == "after200":
        words = words[1:]
    if words[0] == "after200":
        options_are_taken(words[1], words[2:])
    elif words[:3] == ["python", "-m", "pip"] or words[0] == "pip":
        extras = {one for word in words for found in re.findall(r"\[([\w,-]+)\]", word) for one in found.split(",")}
        assert extras <= set(metadata("after200").get_all("Provides-Extra") or ())
        assert not any(word.startswith("after200") for word in words), "there is no release that this could install"
    elif words[0] == "make":
        targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[0].split()
        assert {word for word in words[1:] if "=" not in word} <= set(targets)
    elif words[0] == "export":
        console = [word for word in words if word.endswith("=console")]
        assert [] == console, "every later command of the page would print its telemetry: set it for one command only"
    else:
        assert words[0] in KNOWN, f"{line.page} calls a program that no test knows: {' '.join(words)}"
    for word in words:
        if FOLDERS.match(word):
            assert list(ROOT.glob(word)), f"{line.page} names {word}, which is not there"
    for setting in line.settings:
        name, _, _ = setting.partition("=")
        assert not name.startswith(PREFIX) or name.removeprefix(PREFIX).lower() in vars(Settings())


INCLUDED = [
    (page.name, program, before)
    for page in PAGES
    for before, program in re.findall(
        r'^(.*)\n\n```\w+\n--8<-- "(examples/.+)"', page.read_text(encoding="utf-8"), re.M
    )
]


@pytest.mark.parametrize(("page", "program", "before"), INCLUDED, ids=[f"{page}: {one}" for page, one, _ in INCLUDED])
def test_a_program_that_only_the_site_shows_is_linked_for_those_who_read_the_file(
    page: str, program: str, before: str
) -> None:
    assert f"[{program}](https://github.com/after200/after200/blob/main/{program}):" == before, page


def options_are_taken(command: str, options: list[str]) -> None:
    """Fails where the command's own parser does not take the options."""
    assert command in COMMANDS
    parser = importlib.import_module(COMMANDS[command].module).parser()
    said, status = io.StringIO(), 0
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            parser.parse_args(options)
    except SystemExit as ended:  # --help ends with 0
        status = int(ended.code or 0)
    assert (0, "") == (status, said.getvalue())
