# SPDX-License-Identifier: Apache-2.0
"""What a report says of the effects of an incident: waits, retries, billed tokens, rate limits, and the request ids."""

from __future__ import annotations

from collections.abc import Iterator

from after200 import names
from after200.cli.report.incident import Incident, Wait
from after200.cli.report.requests import MOST
from after200.cli.report.sections import Section, and_more
from after200.cli.report.wording import calls, share, short_clock
from after200.cli.wording import seconds_of

FELT = {
    "until the first text": "first text",
    "until a call had failed": "failure",
    "until a call had ended": "any end",
}
"""What users waited for (`Wait.what`), and how the head of a column says it."""


def users(incident: Incident) -> Iterator[Section]:
    """How long users waited, and what retries were worth."""
    lines = []
    attempts = incident.attempts.total()
    if attempts:
        refused = {status: number for status, number in incident.attempts.items() if not status.startswith("2")}
        by = ", ".join(f"{number} with {status or 'no response'}" for status, number in sorted(refused.items()))
        lines.append(
            f"The SDK sent {attempts} requests for {calls(incident.ended.calls)}; {sum(refused.values())} were "
            f"refused{f': {by}' * bool(by)}."
        )
    if incident.retry_waits:
        waited = ", ".join(f"{seconds_of(seconds)} because of {name}" for name, seconds in incident.retry_waits.items())
        lines.append(f"It waited between attempts: {waited}.")
    waits = {(each.model, each.what): each for each in incident.waits}
    order = dict.fromkeys([each.model for each in incident.models] + [each.model for each in incident.waits])
    rows = [
        (model or "-", *(cell for what in FELT for cell in _wait(waits.get((model, what)))))
        for model in order
        if any((model, what) in waits for what in FELT)
    ]
    if rows:
        lines.append("How many seconds users waited:")
    if lines:
        head = ("model", *(f"{what}, {part}" for what in FELT.values() for part in ("median", "95%")))
        yield Section("What users felt: waits and retries", lines, head if rows else (), and_more(rows))


def _wait(wait: Wait | None) -> tuple[str, str]:
    return ("-", "-") if wait is None else (f"{wait.median:.2f}", f"{wait.p95:.2f}")


def tokens(incident: Incident) -> Iterator[Section]:
    """The tokens that were billed for calls that failed."""
    if not incident.tokens:
        return
    wasted, all_of_them = incident.wasted_tokens, incident.tokens
    part = f"{wasted.total():,} of {all_of_them.total():,} tokens ({share(wasted.total(), all_of_them.total())})"
    lines = [f"{part} were used by calls that failed. The provider bills what it reported before the failure."]
    kinds = [kind for kind in names.TOKEN_TYPES if all_of_them[kind]]
    rows = [(kind, f"{all_of_them[kind]:,}", f"{wasted[kind]:,}") for kind in kinds]
    yield Section("Tokens billed for calls that failed", lines, ("type", "all calls", "failed calls"), rows)


def limits(incident: Incident) -> Iterator[Section]:
    """The rate limits at the time."""
    said = short_clock(incident.begin, incident.end)
    rows = [
        (
            each.model or "-", each.kind, f"{each.used:.0%}", "-" if each.time is None else said(each.time),
            "-" if each.limit is None else f"{each.limit:,.0f}",
        )
        for each in sorted(incident.limits, key=lambda each: -each.used)
    ]  # fmt: skip
    if rows:
        head = ("model", "of", "highest use", "at, UTC", "limit a minute")
        yield Section("Rate limits at the time", [], head, and_more(rows))


def requests(incident: Incident) -> Section:
    """The request ids for the provider's support."""
    heading = "Request ids for the provider's support"
    if not incident.requests:
        line = (
            "No request ids are known: metrics do not have them. Name a trace store with --tempo URL, or logs with "
            "--loki URL."
        )
        return Section(heading, [line])
    failed = incident.ended.hidden + incident.ended.failed
    lines = [f"{calls(failed)} failed; {len(incident.requests)} of them are known one by one."]
    if len(incident.requests) >= MOST:
        lines.append(f"Not more than the last {MOST} are asked for.")
    times = [incident.begin, incident.end, *(each.time for each in incident.requests)]
    said = short_clock(min(times), max(times))
    rows = [(said(each.time), each.model or "-", each.error_type, each.request_id or "-") for each in incident.requests]
    return Section(heading, lines, ("ended, UTC", "model", "error.type", "request id"), rows)
