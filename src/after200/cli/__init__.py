# SPDX-License-Identifier: Apache-2.0
"""The command line: `after200 <command> ...`.

In come the arguments, out goes an exit status: 0 right, 1 something differs, 2 bad usage or something is not installed,
130 interrupted.
Each command is a module of its own with `main(argv) -> int`, loaded only when it is called: nothing is imported here
that an extra brings, so that a missing one can be named.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from after200._version import __version__
from after200.installation import pip_install


@dataclass(frozen=True)
class Command:
    """Where a command lives, what it does in one line, and the extra that it needs."""

    module: str
    summary: str
    extra: str


COMMANDS = {
    "demo": Command("after200.cli.demo", "500 calls with faults: what HTTP says and what was true", "cli"),
    "verify": Command(
        "after200.cli.verify.command", "does it work here, with these settings, up to the backend?", "verify"
    ),
    "watch": Command("after200.cli.watch.command", "what your calls really did, live in the terminal", "watch"),
    "report": Command("after200.cli.report.command", "what to say after an incident, from your Prometheus", "report"),
    "dashboards": Command("after200.monitoring.__main__", "write dashboards, rules, alerts and runbooks", "monitoring"),
    "faults": Command("after200.faults.__main__", "a server that fails the way the Claude API does", "faults"),
    "completion": Command("after200.cli.completion", "the script that completes all this in a shell", "completion"),
}

HELP_OPTIONS = ("-h", "--help")
VERSION_OPTIONS = ("-V", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["help"]:  # `help` is `--help`, and `help watch` is `watch --help`
        arguments = [*arguments[1:2], "--help"]
    name = arguments[0] if arguments else "--help"
    if name in HELP_OPTIONS:
        print(usage())
        return 0 if arguments else 2
    if name in VERSION_OPTIONS:
        print(f"after200 {__version__}")
        return 0
    command = COMMANDS.get(name)
    if command is None:
        print(f"after200: {unknown(name)}", file=sys.stderr)
        return 2
    return run(name, command, arguments[1:])


def unknown(name: str) -> str:
    """Returns that there is no such command or option, the nearest one, and all that there are."""
    kind = "option" if name.startswith("-") else "command"
    known = [*COMMANDS, "help", "--help", "--version"]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"no {kind} {name!r}{hint}; there is {', '.join(known)}"


def run(name: str, command: Command, arguments: list[str]) -> int:
    """Load the command's module and call it; a package that is not installed becomes one line that says what to do."""
    try:
        return int(importlib.import_module(command.module).main(arguments))
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] == "after200":
            raise
        install = pip_install(command.extra)
        print(f"after200 {name} needs {missing.name}, which is not installed: {install}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    """What `after200 --help` prints."""
    commands = "\n".join(f"  {name:<10} {command.summary}" for name, command in COMMANDS.items())
    last = "after200 <command> --help says what a command takes."
    return f"usage: after200 [-h] [-V] <command> [options]\n\n{commands}\n\n{last}"
