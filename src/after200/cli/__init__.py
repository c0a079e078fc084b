# SPDX-License-Identifier: Apache-2.0
"""The command line: `after200 <command> ...`.

In come the arguments, out goes an exit status: 0 right, 1 something differs, 2 bad usage or something is not installed,
130 interrupted.
Each command is a module of its own with `main(argv) -> int`, loaded only when it is called: nothing is imported here
that an extra brings, so that a missing one can be named.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from after200._version import __version__


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
    "dashboards": Command("after200.monitoring.__main__", "write dashboards, rules, alerts and runbooks", "monitoring"),
    "faults": Command("after200.faults.__main__", "a server that fails the way the Claude API does", "faults"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if name == "--version":
        print(f"after200 {__version__}")
        return 0
    command = COMMANDS.get(name)
    if command is None:
        kind = "option" if name.startswith("-") else "command"
        print(
            f"after200: no {kind} {name!r}; there is {', '.join([*COMMANDS, '--help', '--version'])}", file=sys.stderr
        )
        return 2
    return run(name, command, arguments[1:])


def run(name: str, command: Command, arguments: list[str]) -> int:
    """Load the command's module and call it; a package that is not installed becomes one line that says what to do."""
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] == "after200":
            raise
        install = f"pip install 'after200[{command.extra}]'"
        print(f"after200 {name} needs {missing.name}, which is not installed: {install}", file=sys.stderr)
        return 2
    try:
        return int(module.main(arguments))
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    """What `after200 --help` prints."""
    commands = "\n".join(f"  {name:<10} {command.summary}" for name, command in COMMANDS.items())
    last = "after200 <command> --help says what a command takes."
    return f"usage: after200 [--version] <command> [options]\n\n{commands}\n\n{last}"
