# SPDX-License-Identifier: Apache-2.0
"""`after200 verify`: does it work in this environment, with these settings, up to the backend?

Four calls (good, overloaded in mid-stream, truncated, dropped) go through the real SDK and the real exporters; what
was recorded is held against what happened. Exit status 0 when all is right, 1 when something is wrong, 2 for a wrong
option.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from rich.console import Console

from after200.cli.verify.checking import Options, run
from after200.cli.verify.diagnoses import diagnose
from after200.cli.verify.report import as_json, show
from after200.cli.verify.seen import SIGNALS


def main(argv: Sequence[str] | None = None) -> int:
    """Check, show the result, and return the exit status."""
    options, wants_json = parse(argv)
    progress = Console(stderr=True)
    with progress.status("starting") as status:
        seen = run(options, status.update)
    findings = diagnose(seen)
    if wants_json:
        print(json.dumps(as_json(seen, findings), indent=2))
    else:
        show(seen, findings, Console())
    return 1 if any(finding.wrong for finding in findings) else 0


def parse(argv: Sequence[str] | None) -> tuple[Options, bool]:
    """The options; a wrong one ends the program with status 2 and a line that says what is accepted."""
    parser = argparse.ArgumentParser(
        prog="after200 verify",
        description="Make four calls to a fault server through the SDK, the instrumentation and the exporters of this "
        "environment, and check what was recorded. Run it where the service runs, with the same OTEL_* settings.",
        epilog="What it sends is marked: the service is named NAME-after200-verify, the model after200-verify-... .",
    )
    parser.add_argument(
        "--setup",
        metavar="MODULE[:FUNCTION]",
        type=setup,
        help="set up OpenTelemetry as this does, for a service that does it in code; under opentelemetry-instrument "
        "both, one after the other (default: as opentelemetry-instrument does)",
    )
    parser.add_argument(
        "--signals",
        type=signals,
        default=SIGNALS,
        metavar="LIST",
        help="what has to be exported: traces, metrics or both (default: traces,metrics)",
    )
    parser.add_argument("--prometheus", type=url, metavar="URL", help="wait until the counts are in this Prometheus")
    parser.add_argument("--alertmanager", type=url, metavar="URL", help="wait for the alert in this Alertmanager")
    parser.add_argument(
        "--header",
        type=header,
        action="append",
        default=[],
        metavar="NAME:VALUE",
        help="sent to Prometheus and Alertmanager, for example a key; may be given several times",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for Prometheus, and for the alert (default: 60)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(argv)
    options = Options(
        given.timeout, given.signals, given.setup, given.prometheus, given.alertmanager, dict(given.header)
    )
    return options, given.json


def setup(text: str) -> str:
    """An argparse type: a module, and perhaps a function in it."""
    module, colon, function = text.partition(":")
    if not all(part.isidentifier() for part in module.split(".")) or (colon and not function.isidentifier()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not MODULE or MODULE:FUNCTION, as in my_service.telemetry:set_up"
        )
    return text


def signals(text: str) -> tuple[str, ...]:
    """An argparse type: a list of signals."""
    named = tuple(name.strip() for name in text.split(","))
    if not set(named) <= set(SIGNALS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {' and '.join(SIGNALS)}")
    return named


def url(text: str) -> str:
    """An argparse type: the URL of a server."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL, as in http://localhost:9090")
    return text


def header(text: str) -> tuple[str, str]:
    """An argparse type: a header."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a header, as in 'Authorization: Bearer KEY'")
    return name.strip(), value.strip()


def seconds(text: str) -> float:
    """An argparse type: how long to wait."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, at most 86400")
    return value


if __name__ == "__main__":
    sys.exit(main())
