# SPDX-License-Identifier: Apache-2.0
"""What a report says, in its order: an `Incident` goes in, headings, sentences and tables of plain text come out.

Markdown and HTML are two ways to write these down. Nothing is escaped here, and everything must be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from after200 import names
from after200.cli.report.incident import OURS, PROVIDER, Incident, Step
from after200.cli.report.wording import clock, length, share

MOST_STEPS = 60
"""How many steps with failures the table of them shows."""

MOST_MODELS = 40
"""How many models and kinds of failure a table shows."""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, sentences, and perhaps a table (its head and its rows)."""

    heading: str
    sentences: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)
    chart: bool = False
    """Whether the picture of the calls over time belongs here."""


def contents(incident: Incident) -> Iterator[Section]:
    """Yields the parts that have something to say."""
    yield summary(incident)
    if not incident.calls:
        return
    yield when(incident)
    yield models(incident)
    yield causes(incident)
    yield from over_time(incident)
    yield from users(incident)
    yield from tokens(incident)
    yield from limits(incident)
    yield requests(incident)


def summary(incident: Incident) -> Section:
    """From when to when, and what it comes down to."""
    ended = incident.ended
    lines = [f"From {clock(incident.begin)} to {clock(incident.end)}, by {incident.source}."]
    if ended.calls:
        failed = ended.hidden + ended.failed
        lines += [
            f"HTTP says {ended.http_ok} of {ended.calls} calls succeeded; {ended.completed} did.",
            f"{failed} calls failed ({share(failed, ended.calls)}): {ended.hidden} after a successful HTTP status "
            f"line, {ended.failed} where HTTP shows it. The application left {ended.left} early, which is no failure.",
        ]
        if incident.answers:
            complete, answers = incident.answers["complete"], incident.answers.total()
            lines.append(f"Of {answers} answers, {complete} are complete.")
    return Section("What happened to the calls to Claude", [*lines, *incident.notes])


def when(incident: Incident) -> Section:
    """When it began and ended, and by what evidence."""
    lines = []
    for each in incident.periods:
        still = " It had not ended at the end of the report's time." if each.end >= incident.end else ""
        lines.append(
            f"From {clock(each.begin)} to {clock(each.end)}: {each.failed} of {each.calls} calls failed "
            f"({share(each.failed, each.calls)}).{still}"
        )
    if incident.steps and not lines:
        lines = ["There is no time in which many calls failed: the failures are single ones."]
    if not incident.steps:
        lines = ["These numbers have no history, so when it began and ended is known from the failed calls below only."]
    else:
        outside = sum(each.ended.hidden + each.ended.failed for each in incident.steps)
        outside -= sum(each.failed for each in incident.periods)
        lines.append(
            f"The evidence is the number of failed calls in each {length(incident.step)}. Outside of these times, "
            f"{outside} calls failed."
        )
    rows = [
        (
            each.name,
            each.severity,
            each.model,
            clock(each.begin),
            "still firing" if each.end is None else clock(each.end),
        )
        for each in incident.alerts
    ]
    head = ("alert", "severity", "model", "fired from", "until") if rows else ()
    return Section("When it began and ended", lines, head, rows)


def models(incident: Incident) -> Section:
    """What HTTP claimed and what was true, by model and provider."""
    rows: list[Sequence[str]] = [
        (each.provider, each.model, *map(str, each.ended), share(each.ended.completed, each.ended.calls))
        for each in incident.models[:MOST_MODELS]
    ]
    if len(incident.models) > MOST_MODELS:
        rows.append(("", f"and {len(incident.models) - MOST_MODELS} more", *[""] * 7))
    counts = ("calls", "HTTP says ok", "completed", "failed after 200", "failed", "left")
    head = ("provider", "model", *counts, "completed, share")
    return Section("What HTTP claimed, and what was true", [], head, rows)


def causes(incident: Incident) -> Section:
    """Failures by type and code, and whose they were."""
    by = incident.by_whose()
    total = by.total()
    lines = [
        f"{number} of {total} failed calls point to {whose}." for whose, number in by.most_common() if whose != OURS
    ]
    lines.append(
        f"{by[OURS]} of {total} are not the provider's fault: the request, the key, the account or the caller's own "
        "time limit was the cause."
    )
    if by[PROVIDER]:
        pages = [page for each in incident.models if (page := names.STATUS_PAGES.get(each.provider))]
        lines.append("What the provider says about it: " + ", ".join(dict.fromkeys(pages)) + ".")
    rows: list[Sequence[str]] = [
        (
            each.failure, each.error_type, each.code or "-", str(each.status or "-"), str(each.wire_status or "-"),
            each.whose, str(each.calls),
        )
        for each in incident.failed[:MOST_MODELS]
    ]  # fmt: skip
    if len(incident.failed) > MOST_MODELS:
        rows.append((f"and {len(incident.failed) - MOST_MODELS} more", *[""] * 6))
    head = ("failure", "error.type", "code", "status", "HTTP said", "points to", "calls")
    return Section("Why calls failed, and whose fault it was", lines, head, rows)


def over_time(incident: Incident) -> Iterator[Section]:
    """The failures, step by step."""
    if not incident.steps:
        return
    bad = [each for each in incident.steps if each.failures]
    shown = bad if len(bad) <= MOST_STEPS else sorted(sorted(bad, key=_failed)[-MOST_STEPS:])
    left = [] if len(bad) <= MOST_STEPS else [f"The {MOST_STEPS} worst of {len(bad)} are shown."]
    rows = [
        (
            clock(each.time),
            str(each.ended.calls),
            str(each.ended.http_ok),
            str(each.ended.completed),
            ", ".join(f"{number} {name}" for name, number in sorted(each.failures.items(), key=lambda item: -item[1])),
        )
        for each in shown
    ]
    head = ("from", "calls", "HTTP says ok", "completed", "failed") if rows else ()
    yield Section(f"The failures, by {length(incident.step)}", left, head, rows, chart=True)


def _failed(step: Step) -> int:
    return step.ended.hidden + step.ended.failed


def users(incident: Incident) -> Iterator[Section]:
    """How long users waited, and what retries were worth."""
    lines = []
    calls, attempts = incident.ended.calls, incident.attempts.total()
    if attempts:
        refused = {status: number for status, number in incident.attempts.items() if not status.startswith("2")}
        by = ", ".join(f"{number} with {status or 'no response'}" for status, number in sorted(refused.items()))
        lines.append(
            f"The SDK sent {attempts} requests for {calls} calls; {sum(refused.values())} were "
            f"refused{f': {by}' * bool(by)}."
        )
    if incident.retry_waits:
        waited = ", ".join(f"{seconds:.1f} s because of {name}" for name, seconds in incident.retry_waits.items())
        lines.append(f"It waited between attempts: {waited}.")
    rows = [(each.model, each.what, f"{each.median:.2f} s", f"{each.p95:.2f} s") for each in incident.waits]
    if lines or rows:
        head = ("model", "users waited", "median", "95th percentile") if rows else ()
        yield Section("What users felt: waits and retries", lines, head, rows)


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
    rows = [
        (
            each.model, each.kind, f"{each.used:.0%}", "-" if each.time is None else clock(each.time),
            "-" if each.limit is None else f"{each.limit:,.0f}",
        )
        for each in sorted(incident.limits, key=lambda each: -each.used)[:MOST_MODELS]
    ]  # fmt: skip
    if rows:
        yield Section("Rate limits at the time", [], ("model", "of", "highest use", "at", "limit a minute"), rows)


def requests(incident: Incident) -> Section:
    """The request ids for the provider's support."""
    if not incident.requests:
        line = (
            "No request ids are known: metrics do not have them. Name a trace store with --tempo URL, or logs with "
            "--loki URL."
        )
        return Section("Request ids for the provider's support", [line])
    rows = [
        (clock(each.time), each.model or "-", each.error_type, each.request_id or "-") for each in incident.requests
    ]
    return Section("Request ids for the provider's support", [], ("ended", "model", "error.type", "request id"), rows)
