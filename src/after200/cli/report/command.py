# SPDX-License-Identifier: Apache-2.0
"""The options of `after200 report`: which servers, which time, which form.

Exit status 0 when the report is written, 1 when there are no calls in that time or a server cannot be asked, 2 for a
wrong option.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from after200.cli.arguments import header, seconds, url
from after200.cli.report.client import Client, UnusableError
from after200.cli.report.forms import form_of, written
from after200.cli.report.history import History
from after200.cli.report.incident import Incident
from after200.cli.report.requests import from_loki, from_tempo
from after200.cli.report.window import window_of
from after200.names import baggage

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 90 * 86400


def main(argv: Sequence[str] | None = None) -> int:
    """Asks, writes the report and returns the exit status."""
    reader = parser()
    options = reader.parse_args(argv)
    try:
        begin, end = times(options.from_, options.to, options.since, time.time())
    except ValueError as error:
        reader.error(str(error))
    try:
        with waiting() as progress:
            found = ask(options, begin, end, progress)
    except UnusableError as error:
        print(f"after200 report: {error}", file=sys.stderr)
        return 1
    text = written(found, options.form or form_of(options.output))
    if options.output is None:
        print(text, end="")
    else:
        try:
            options.output.write_text(text, encoding="utf-8")
        except OSError as error:
            print(f"after200 report: cannot write {options.output}: {error}", file=sys.stderr)
            return 1
    return 0 if found.calls else 1


@contextmanager
def waiting() -> Iterator[Callable[[str], None]]:
    """Shows in a terminal what is waited for, and for how long; yields the function that says what it is."""
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as line:
        task = line.add_task("")
        yield lambda what: line.update(task, description=what, refresh=True)


def ask(options: argparse.Namespace, begin: float, end: float, progress: Callable[[str], None]) -> Incident:
    """Returns what the servers know; raises `UnusableError` when one of them cannot be asked."""
    headers = dict(options.header)

    def client(kind: str, address: str) -> Client:
        return Client(kind, address, headers, options.timeout, progress)

    window = window_of(begin, end)
    found = History(client("Prometheus", options.prometheus), window, options.job, options.by or "").read()
    for name, read in (("tempo", from_tempo), ("loki", from_loki)):
        address = getattr(options, name)
        if address is None:
            continue
        try:
            known = {each.request_id for each in found.requests}
            found.requests += [
                each for each in read(client(name.title(), address), window) if each.request_id not in known
            ]
            found.source += f" and {name.title()}"
        except UnusableError as error:
            # The numbers do not depend on it, so they are written down all the same.
            found.notes.append(f"No request ids from there: {error}.")
    return found


def times(begin: str | None, end: str | None, since: str | None, now: float) -> tuple[float, float]:
    """Returns the time that is asked for; raises `ValueError` that says what is wrong and what is accepted."""
    if since is not None and begin is not None:
        raise ValueError("--since and --from both say when the time begins; give one of them")
    until = now if end is None else moment(end, "--to", now)
    start = until - duration(since or "1h", "--since") if begin is None else moment(begin, "--from", now)
    if start >= until:
        raise ValueError("the time begins after its end; --from must be earlier than --to")
    if until - start > LONGEST_S:
        raise ValueError(f"the time is longer than {LONGEST_S // 86400} days; ask for less")
    return start, until


def duration(text: str, option: str) -> float:
    """Returns seconds from a text like 90s, 30m, 2h or 1d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if found is None or float(found[1]) == 0:
        raise ValueError(f"argument {option}: {text!r} is not a time like 90s, 30m, 2h or 1d")
    return float(found[1]) * UNITS[found[2]]


def moment(text: str, option: str, now: float) -> float:
    """Returns seconds since 1970 from a date and time, a time of today, or seconds since 1970."""
    text = text.strip()
    try:
        if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
            return float(text)
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            text = f"{datetime.datetime.fromtimestamp(now):%Y-%m-%d}T{text.zfill(5)}"
        return datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"argument {option}: {text!r} is not a time like 2026-11-29T12:00, 12:00 (today) or 1795953600; "
            "a date and time can end in Z or +01:00, and is local time without"
        ) from None


def entry(text: str) -> str:
    """Returns the name of an entry of the baggage; raises the error that argparse shows."""
    if not re.fullmatch(baggage.ENTRY, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an entry, as in tenant.id")
    return text


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    found = argparse.ArgumentParser(
        prog="after200 report",
        description="Say what happened to the calls to Claude in a time: when it began and ended, what HTTP claimed "
        "and what was true, why calls failed and whose fault it was, what users felt, what was billed for nothing, and "
        "the request ids for the provider's support.",
        epilog="Without a Prometheus: after200 watch --report FILE.",
    )
    found.add_argument(
        "--prometheus", metavar="URL", type=url, required=True, help="the Prometheus, or what has its API"
    )
    found.add_argument("--tempo", metavar="URL", type=url, help="a Tempo, for the request ids of failed calls")
    found.add_argument("--loki", metavar="URL", type=url, help="a Loki, for the same")
    found.add_argument(
        "--since", metavar="TIME", help="how long before the end it begins: 90s, 30m, 2h, 1d (default: 1h)"
    )
    found.add_argument(
        "--from", metavar="WHEN", dest="from_", help="when it begins: 2026-11-29T12:00Z, or 12:00 of today"
    )
    found.add_argument("--to", metavar="WHEN", help="when it ends (default: now)")
    found.add_argument("--job", metavar="NAME", help="only this job, which is the name of the service")
    by = "also count the calls by this entry of metric_baggage, such as tenant.id"
    found.add_argument("--by", metavar="NAME", type=entry, help=by)
    found.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=60.0, help="how long each answer may take (default: 60)"
    )
    words = "sent to all of them, for example a key; may be given several times"
    found.add_argument("--header", metavar="NAME:VALUE", type=header, action="append", default=[], help=words)
    forms = found.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json", help="write JSON")
    forms.add_argument("--html", dest="form", action="store_const", const="html", help="write a page of HTML")
    found.add_argument(
        "--output", metavar="FILE", type=Path, help="write there; .html and .json say the form (default: Markdown)"
    )
    return found
