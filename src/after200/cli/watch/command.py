# SPDX-License-Identifier: Apache-2.0
"""The options of `after200 watch`, and the loop that shows what comes until somebody has seen enough.

Exit status 0; 1 with `--once` when nothing of after200 came, or when the port cannot be had; 2 for a wrong option.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from after200.cli.arguments import seconds, whole_number
from after200.cli.otlp import Telemetry
from after200.cli.receiver import Receiver
from after200.cli.report.forms import form_of, written
from after200.cli.report.incident import Incident
from after200.cli.report.watched import incident_of
from after200.cli.watch.rows import LEAVE, Choice
from after200.cli.watch.summary import Part, Summary, is_relevant, summarize
from after200.cli.watch.view import as_json, as_text, closing, live
from after200.faults.stopping import stop_signals

KEPT = 1000
"""How many spans and log records of failed calls are kept."""

TICK_S = 0.25

KEY = re.compile(r"\x1b[\[O][A-Z]|.", re.DOTALL)
"""One key in what a terminal sends: an arrow is several characters."""


def main(argv: Sequence[str] | None = None) -> int:
    """Receives and shows until `q`, a signal or the end of the time; returns the exit status."""
    options = parser().parse_args(argv)
    try:
        receiver = Receiver(options.port, host=options.host, telemetry=Telemetry(KEPT, is_relevant))
    except OSError as error:
        print(f"after200 watch: {refusal(options, error)}", file=sys.stderr)
        return 1
    console = Console(stderr=options.json)
    started, began = time.monotonic(), time.time()
    with receiver, stop_signals() as stopped:
        if options.once is None and console.is_terminal:
            show_live(receiver, console, stopped)
        else:
            until = "until a signal (SIGINT, SIGTERM) comes; --once SECONDS sets a time"
            if options.once is not None:
                until = f"for {options.once:g} seconds"
            print(f"receiving at {receiver.url} {until}", file=sys.stderr, flush=True)
            stopped.wait(options.once)
        summary = summarize(receiver)
        points = Part(receiver, None)
    if options.report is not None and not write_report(
        options.report, incident_of(summary, points, began, time.time())
    ):
        return 1
    if options.json:
        print(json.dumps(as_json(summary, time.monotonic() - started), indent=2))
    elif console.is_terminal:
        console.print(closing(summary, console.width))
    else:
        print(as_text(summary), end="")
    for reason, times in summary.refused.most_common(3):
        number = "a request was" if times == 1 else f"{times} requests were"
        print(f"after200 watch: {number} refused: {reason}", file=sys.stderr)
    return 1 if options.once is not None and not summary.models else 0


def write_report(path: Path, incident: Incident) -> bool:
    """Writes the report into a file whose name says its form; returns whether that was possible."""
    try:
        path.write_text(written(incident, form_of(path)), encoding="utf-8")
    except OSError as error:
        print(f"after200 watch: cannot write {path}: {error}", file=sys.stderr)
        return False
    return True


def show_live(receiver: Receiver, console: Console, stopped: threading.Event) -> None:
    """Shows what comes, until the event is set or `q` is pressed."""
    started = time.monotonic()
    choice = Choice()
    summary = summarize(receiver)
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as screen:
        while not stopped.is_set():
            for key in KEY.findall(pressed(TICK_S)):
                if key == LEAVE:
                    return
                choice.press(key, summary.models)
            summary = summarize(receiver, choice.only)
            words = header(receiver, summary, time.monotonic() - started, choice, console.width)
            screen.update(live(summary, console, words, choice), refresh=True)


def header(receiver: Receiver, summary: Summary, passed: float, choice: Choice, width: int) -> str:
    """Returns what stands above the tables: a line of at most `width` columns, or two where the keys need their own."""
    names = ", ".join(summary.services) or "no service yet"
    number = f"{len(summary.services)} services" if len(summary.services) > 1 else names
    keys = "q leaves"
    if len(summary.models) > 1:
        keys += f", s sorts (now: {choice.sort}), \u2191\u2193 choose" + (", a: all" if choice.only else "")
    start = f"after200 watch  {receiver.url}  {passed // 60:.0f}:{passed % 60:02.0f}"
    ways = (f"{start}  {services}{gap}{keys}" for gap in ("  ", "\n") for services in (names, number))
    return next((each for each in ways if max(map(len, each.splitlines())) <= width), f"{start}  {number}\n{keys}")


@contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """Yields a function that waits so many seconds for keys, and returns them; where there is no terminal, it waits."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield wait_only
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)  # keys come one by one, and are not shown
    try:
        yield (
            lambda wait: (
                os.read(terminal, 64).decode(errors="replace") if select.select([terminal], [], [], wait)[0] else ""
            )
        )
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def wait_only(wait: float) -> str:
    """Waits so many seconds, and returns no key."""
    time.sleep(wait)
    return ""


def refusal(options: argparse.Namespace, error: OSError) -> str:
    """Returns why the port cannot be had, and what to do."""
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen at {options.host}, port {options.port}: {error}"
    other = options.port + 1
    return (
        f"port {options.port} is in use: does a Collector, or another after200 watch, run here? Stop it, or use "
        f"another: after200 watch --port {other}, and for the service OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:{other}"
    )


def parser() -> argparse.ArgumentParser:
    """Returns the parser; it ends the program with status 2 and a line that says what is accepted."""
    found = argparse.ArgumentParser(
        prog="after200 watch",
        description="Receive OTLP from a service, and show what its calls to Claude really did. The service needs "
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf; its exporters then send to port 4318 by default.",
        epilog="q or Ctrl-C leaves, and prints the summary.",
    )
    port = whole_number(0, 65535)
    found.add_argument("--port", type=port, default=4318, help="the port to listen on (default: 4318; 0: any free one)")
    found.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, this machine)"
    )
    found.add_argument("--once", type=seconds, metavar="SECONDS", help="receive for so long, then print the summary")
    found.add_argument("--json", action="store_true", help="print the summary as JSON at the end")
    words = "also write a report of what was seen; .html and .json say the form (default: Markdown)"
    found.add_argument("--report", metavar="FILE", type=Path, help=words)
    return found
