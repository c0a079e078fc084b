# SPDX-License-Identifier: Apache-2.0
"""`after200 completion SHELL`: prints the script that completes commands and options in a shell.

The parsers of the commands go in, a script of the library `shtab` comes out. A command whose extra is not installed is
completed by its name only.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

import shtab

from after200.cli import COMMANDS, VERSION_OPTIONS


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the script for the shell that is named and returns 0."""
    options = parser().parse_args(argv)
    print(shtab.complete(parser_of_all(), shell=options.shell))
    return 0


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this command."""
    found = argparse.ArgumentParser(
        prog="after200 completion",
        description="Print the script that completes the commands and their options in a shell.",
        epilog='For bash: eval "$(after200 completion bash)", or write the output to a file that your shell reads when '
        "it starts.",
    )
    found.add_argument("shell", choices=sorted(shtab.SUPPORTED_SHELLS), help="the shell")
    return found


def parser_of_all() -> argparse.ArgumentParser:
    """Returns one parser with every command and its options."""
    found = argparse.ArgumentParser(prog="after200")
    found.add_argument(*VERSION_OPTIONS, action="store_true", help="show the version")
    commands = found.add_subparsers()
    for name, command in COMMANDS.items():
        try:
            module = importlib.import_module(command.module)
        except ModuleNotFoundError:
            commands.add_parser(name, help=command.summary)
            continue
        own = module.parser()
        own.add_help = False
        commands.add_parser(name, help=command.summary, parents=[own], conflict_handler="resolve")
    return found
