# SPDX-License-Identifier: Apache-2.0
"""The fault server as a program: `python -m after200.faults`. The URL is the first line it prints.

SIGINT and SIGTERM stop it cleanly. Exit status 0, 1 when the port cannot be had, 2 for arguments that are not valid.
"""

from __future__ import annotations

import argparse
import errno
import sys
import textwrap
from collections.abc import Sequence

from . import SCENARIOS, FaultServer, Scenario, parse_mix
from .catalog import FAMILIES
from .limits import parse_limits
from .mix import ALIASES, MIX
from .stopping import stop_signals

_DESCRIPTION = """\
A server that fails the way the Claude API fails. It binds 127.0.0.1.
The scenario is the first segment of the path: point a client at URL/SCENARIO, for example
  ANTHROPIC_BASE_URL=http://127.0.0.1:8529/overloaded_error_mid_stream
or at URL/SCENARIO@KEY to count attempts separately for KEY; URL/mix plays the mix that --mix names."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; returns the exit status."""
    options = parser().parse_args(argv)
    if (options.tls_cert is None) != (options.tls_key is None):
        return _fail("--tls-cert and --tls-key belong together: give both, or neither", 2)
    try:
        server = FaultServer(**vars(options))
    except (OSError, ValueError) as error:
        return _fail(f"cannot read the TLS certificate or its key: {error}", 2)
    with stop_signals() as stopped:
        try:
            server.start()
        except (OSError, OverflowError) as error:
            return _fail(_refusal(options.port, error), 1)
        try:
            print(server.url, flush=True)
            print(f"{len(SCENARIOS)} scenarios (--help lists them); press Ctrl-C to stop", file=sys.stderr, flush=True)
            stopped.wait()
        finally:
            server.stop()
    return 0


def _refusal(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another, or --port 0 for any that is free"
    return f"cannot listen on port {port}: {error}"


def _fail(message: str, status: int) -> int:
    print(f"after200 faults: {message}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """Returns the parser; its options are the keywords of `FaultServer`."""
    found = argparse.ArgumentParser(
        prog="after200 faults",
        description=_DESCRIPTION,
        epilog=_catalog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--port", type=_port, default=0, help="the port to listen on (default: any free one)")
    found.add_argument(
        "--mix",
        type=_mix,
        default=None,
        metavar="NAME=SHARE,...",
        help="what URL/mix plays, for example overloaded=5%%,truncated=1%%; the rest is completed",
    )
    found.add_argument("--seed", type=_seed, default=0, help="the seed of the mix (default: 0)")
    found.add_argument("--latency", type=_milliseconds, default=0.0, metavar="MS", help="wait before each answer")
    found.add_argument("--chunk-delay", type=_milliseconds, default=0.0, metavar="MS", help="wait before each chunk")
    found.add_argument(
        "--rate-limits",
        type=_rate_limits,
        default=None,
        metavar="KIND=LIMIT,...",
        help="limits a minute that the answers name and that run down, for example requests=50,output_tokens=16000",
    )
    found.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate (PEM)")
    found.add_argument("--tls-key", metavar="FILE", help="the certificate's key (PEM)")
    return found


def _catalog() -> str:
    aliases = textwrap.fill(", ".join(f"{short} = {name}" for short, name in ALIASES.items()), 110)
    families = [f"{title}:\n{_family(scenarios)}\n" for title, scenarios in FAMILIES.items()]
    mix = f"A mix:\n  {MIX}  one of the above per call, as --mix and --seed say\n"
    return "\n".join(["scenarios:\n", *families, mix, "short names for --mix:", textwrap.indent(aliases, "  ")])


def _family(scenarios: Sequence[Scenario]) -> str:
    width = max(len(entry.name) for entry in scenarios)
    lines = []
    for entry in scenarios:
        only = f" ({entry.only} only)" if entry.only else ""
        lines.append(f"  {entry.name:<{width}}  {entry.description}{only}")
    return "\n".join(lines)


def _rate_limits(text: str) -> dict[str, int]:
    try:
        return parse_limits(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; write a number from 0 to 65535")
    return int(text)


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; write a whole number, as in 7") from None


def _milliseconds(text: str) -> float:
    """Milliseconds in, seconds out."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds, 0 or more")
    return value / 1000


def _mix(text: str) -> dict[str, float]:
    try:
        return parse_mix(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(main())
