# SPDX-License-Identifier: Apache-2.0
"""The options of `after200 verify`, and the process that the check runs in.

That process has the caller's environment, with the name of the service marked, so that what the check sends can be
distinguished from what the service sends. Exit status 0 when everything is right, 1 when something is wrong, 2 for a
wrong option.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console

from after200.cli.arguments import header, list_of, seconds, setup_function, url
from after200.cli.exporters import Exporters, Messages
from after200.cli.marks import VERIFY_MODEL, VERIFY_SERVICE
from after200.cli.verify import libraries, probe
from after200.cli.verify.backend import Server, alert_problem, has_scraped_all, prometheus_problem, wait
from after200.cli.verify.checks import CHECKS, Seen
from after200.cli.verify.findings import diagnose
from after200.cli.verify.report import as_json, console_for, show
from after200.faults import FaultServer

REQUIRED = ("traces", "metrics")
"""The signals that must be exported by default. Log records are the errors once more."""

RIGHT, WRONG = 100, 101
EXIT_STATUS = {RIGHT: 0, WRONG: 1}
"""What the process of a check ends with → the exit status. The service's own code may end it with any other status."""

FLUSH_S = 12.0
"""How long what is recorded may take to be exported: a little more than an OTLP exporter tries by default."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the check in a process of its own and returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parse(arguments)
    instrument = options.setup is None or "opentelemetry.instrumentation.auto_instrumentation" in sys.modules
    model = f"{VERIFY_MODEL}{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "after200.cli.verify.command", model, str(instrument), *arguments]
    status = subprocess.run(command, env=environment(os.environ, model), check=False).returncode
    if status in EXIT_STATUS:
        return EXIT_STATUS[status]
    said = f"the process that was to be checked ended by itself, with status {status}, and what it printed says why"
    print(f"after200 verify: {said}. Does the service itself start here?", file=sys.stderr)
    return 1


def environment(inherited: Mapping[str, str], model: str) -> dict[str, str]:
    """Returns the caller's environment with the marks of a check in it.

    `PYTHONPATH` loses the folder of `opentelemetry-instrument`: the check does the same itself, and observes it.
    """
    attributes = inherited.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = re.search(r"(?:^|,)\s*service\.name\s*=([^,]*)", attributes)
    service = inherited.get("OTEL_SERVICE_NAME") or (named[1].strip() if named else "unknown_service")
    folders = inherited.get("PYTHONPATH", "").split(os.pathsep)
    marks = f"after200.verify={model},service.instance.id={model}"
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(one for one in folders if one and not one.endswith("auto_instrumentation")),
        "OTEL_SERVICE_NAME": f"{service}{VERIFY_SERVICE}",
        "OTEL_RESOURCE_ATTRIBUTES": f"{attributes},{marks}".lstrip(","),
    }


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the options; a wrong one ends the program with status 2 and a line that says what is accepted."""
    reader = parser()
    given = reader.parse_args(argv)
    if given.prometheus and "metrics" not in given.signals:
        reader.error("argument --prometheus: it needs metrics among the --signals")
    return given


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    found = argparse.ArgumentParser(
        prog="after200 verify",
        description="Make five calls to a fault server with the SDK, and five through each HTTP library that is "
        "instrumented, and check what the exporters of this environment were given. Run it where the service runs, "
        "with the same OTEL_* settings.",
        epilog=f"What it sends is marked: the service is named NAME{VERIFY_SERVICE}, the model {VERIFY_MODEL}... .",
    )
    options = (
        (
            "--setup",
            "MODULE[:FUNCTION]",
            setup_function,
            None,
            "call this function to set OpenTelemetry up",
        ),
        (
            "--signals",
            "LIST",
            list_of(*REQUIRED),
            REQUIRED,
            "what must be exported: traces, metrics, or both (default: traces,metrics)",
        ),
        ("--prometheus", "URL", url, None, "wait until the counts are in this Prometheus"),
        ("--alertmanager", "URL", url, None, "wait for the alert in this Alertmanager"),
        ("--timeout", "SECONDS", seconds, 60.0, "how long to wait for each of them (default: 60)"),
    )
    for option, metavar, kind, default, words in options:
        found.add_argument(option, metavar=metavar, type=kind, default=default, help=words)
    words = "sent to both, for example a key; may be given several times"
    found.add_argument("--header", metavar="NAME:VALUE", type=header, action="append", default=[], help=words)
    found.add_argument("--json", action="store_true", help="print the result as JSON")
    return found


def check(model: str, instrument: str, *arguments: str) -> int:
    """Checks this process, prints the result and returns `RIGHT` or `WRONG`."""
    # Exporters for the console print to standard output too; from here on, that is standard error for them.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    options = parse(arguments)
    messages = Messages("opentelemetry", "after200")
    exporters = Exporters(messages)
    seen = Seen(model, os.environ["OTEL_SERVICE_NAME"], options.setup, options.signals)
    seen.exporters, seen.log = exporters.found, messages.lines
    with Console(stderr=True).status("setting OpenTelemetry up, making calls, exporting") as progress:
        probe.set_up(seen, instrument=instrument == "True")
        probe.inspect(seen)
        if seen.sdk_error is None:
            exporters.find()
            with FaultServer() as server:
                make_calls(seen, {one.name: server.base_url(one.scenario) for one in CHECKS})
            exporters.flush({signal: FLUSH_S if signal in seen.required else 2.0 for signal in (*REQUIRED, "logs")})
        progress.update("waiting for Prometheus and Alertmanager")
        follow(seen, options)
    findings = diagnose(seen)
    if options.json:
        print(json.dumps(as_json(seen, findings), indent=2), file=output)
    else:
        show(seen, findings, console_for(output))
    output.flush()
    return WRONG if any(finding.wrong for finding in findings) else RIGHT


def make_calls(seen: Seen, urls: Mapping[str, str]) -> None:
    """Makes one call for each check, whose base URL is in `urls`: with the SDK, then through each library."""
    if not seen.sdk_missing:
        seen.application |= {name: probe.make_call(url, seen.model) for name, url in urls.items()}
    for package in libraries.instrumented():
        model = seen.model_of(package)
        seen.libraries[package] = {name: libraries.make_call(package, url, model) for name, url in urls.items()}


def follow(seen: Seen, options: argparse.Namespace) -> None:
    """Follows the calls to the servers that the options name, if any metric left the process."""
    arrives = any(exporter.scraped or exporter.accepted for exporter in seen.of("metrics"))
    prometheus = Server(options.prometheus, dict(options.header)) if options.prometheus else None
    if prometheus:
        seen.prometheus = Counter()
        if arrives:
            scraped = partial(has_scraped_all, prometheus)
            seen.problems |= wait(options.timeout, lambda: prometheus_problem(prometheus, seen), scraped)
    if options.alertmanager and arrives and not seen.problems:
        alertmanager = Server(options.alertmanager, dict(options.header))
        seen.problems |= wait(options.timeout, lambda: alert_problem(alertmanager, prometheus, seen))


if __name__ == "__main__":
    # Not sys.exit: an exporter that reaches nobody would keep the process alive for as long as it retries.
    os._exit(check(*sys.argv[1:]))
