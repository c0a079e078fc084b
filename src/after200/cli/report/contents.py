# SPDX-License-Identifier: Apache-2.0
"""What a report says, in its order: an `Incident` goes in, headings, sentences and tables of plain text come out.

Markdown and HTML are two ways to write these down. Nothing is escaped here, and everything must be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from after200 import names
from after200.cli.endings import Totals, added
from after200.cli.report.effects import limits, requests, tokens, users
from after200.cli.report.incident import OURS, PROVIDER, Incident, Step
from after200.cli.report.sections import MOST_ROWS, Section, and_more
from after200.cli.report.wording import between, by_step, calls, each_step, share, short_clock, span

MOST_STEPS = 60
"""How many steps with failures the table of them shows."""


def contents(incident: Incident) -> Iterator[Section]:
    """Yields the parts that have something to say."""
    yield summary(incident)
    if not incident.calls:
        return
    yield when(incident)
    yield models(incident)
    yield from entries(incident)
    yield causes(incident)
    yield from over_time(incident)
    yield from users(incident)
    yield from tokens(incident)
    yield from limits(incident)
    yield requests(incident)


def summary(incident: Incident) -> Section:
    """From when to when, and what it comes down to."""
    ended = incident.ended
    lines = [f"From {between(incident.begin, incident.end)}, according to {incident.source}."]
    if ended.calls:
        failed = ended.hidden + ended.failed
        lines += [
            f"HTTP says {ended.http_ok} of {calls(ended.calls)} succeeded; {ended.completed} did.",
            f"{calls(failed)} failed ({share(failed, ended.calls)}): {ended.hidden} after a successful HTTP status "
            f"line, {ended.failed} where HTTP shows it."
            + f" The application left {ended.left} early, which is no failure."
            * bool(ended.left),
        ]
        if incident.answers:
            complete, answers = incident.answers["complete"], incident.answers.total()
            lines.append(f"Of the {answers} answers, {complete} are complete.")
    return Section("What happened to the calls to Claude", [*lines, *incident.notes])


def when(incident: Incident) -> Section:
    """When it began and ended, and by what evidence."""
    lines = []
    for each in incident.periods:
        still = " It had not ended at the end of the report's time." if each.end >= incident.end else ""
        lines.append(
            f"From {between(each.begin, each.end)} ({span(each.end - each.begin)}): {each.failed} of "
            f"{calls(each.calls)} failed ({share(each.failed, each.calls)}).{still}"
        )
    if incident.steps and not lines:
        lines = ["There is no time in which more calls failed than chance explains."]
    if not incident.steps:
        times = [each.time for each in incident.requests]
        known = f"ended from {between(min(times), max(times))}" if times else "are none"
        lines = [f"There is no history. The failed calls that are known one by one {known}."]
    else:
        evidence = f"The evidence is the number of failed calls in {each_step(incident.step)}."
        outside = f" Outside of these times, {calls(incident.failures_outside)} failed."
        lines.append(evidence + outside * bool(incident.periods))
    said = short_clock(incident.begin, incident.end)
    rows = [
        (each.name, each.severity, each.model or "-", said(each.begin),
         "still firing" if each.end is None else said(each.end))
        for each in incident.alerts
    ]  # fmt: skip
    head = ("alert", "severity", "model", "fired from, UTC", "until, UTC") if rows else ()
    return Section("When it began and ended", lines, head, and_more(rows))


COUNTS = ("calls", "HTTP says ok", "completed", "failed after 200", "failed", "left", "completed, share")
"""The columns of a table that says what was true."""


def _counts(ended: Totals) -> tuple[str, ...]:
    return (*map(str, ended), share(ended.completed, ended.calls))


def models(incident: Incident) -> Section:
    """What HTTP claimed and what was true, by model and provider."""
    rows = [(each.model or "-", each.provider or "-", *_counts(each.ended)) for each in incident.models]
    sums = ("", *_counts(added(each.ended for each in incident.models[MOST_ROWS:])))
    return Section("What HTTP claimed, and what was true", [], ("model", "provider", *COUNTS), and_more(rows, sums))


def entries(incident: Incident) -> Iterator[Section]:
    """The same by an entry of the baggage, where one was asked for."""
    if not incident.by:
        return
    heading = f"Whose calls failed, by {incident.by}"
    if all(not each.value for each in incident.entries):
        line = f"No call has {incident.by}: is the name right, and does the service set metric_baggage?"
        yield Section(heading, [line])
        return
    rows = [(each.value or "none", *_counts(each.ended)) for each in incident.entries]
    sums = _counts(added(each.ended for each in incident.entries[MOST_ROWS:]))
    yield Section(heading, [], (incident.by, *COUNTS), and_more(rows, sums))


def causes(incident: Incident) -> Section:
    """Failures by type and code, and whose they were."""
    by = incident.by_whose()
    total = by.total()
    if not total:
        return Section("Why calls failed, and whose fault it was", ["No call failed."])
    lines = [
        f"{number} of {calls(total)} that failed {'points' if number == 1 else 'point'} to {whose}."
        for whose, number in by.most_common()
        if whose != OURS
    ]
    own = "the request, the key, the account or the caller's own time limit"
    if by[OURS]:
        verb = "is" if by[OURS] == 1 else "are"
        lines.append(f"{by[OURS]} of {total} {verb} not the provider's fault: {own} was the cause.")
    else:
        lines.append(f"Of none of them {own} was the cause.")
    if by[PROVIDER]:
        pages = [page for each in incident.models if (page := names.STATUS_PAGES.get(each.provider))]
        lines.append("What the provider says about it: " + ", ".join(dict.fromkeys(pages)) + ".")
    rows = [
        (
            each.failure, each.error_type, each.code or "-", str(each.status or "-"), str(each.wire_status or "-"),
            each.whose, str(each.calls),
        )
        for each in incident.failed
    ]  # fmt: skip
    rest = sum(each.calls for each in incident.failed[MOST_ROWS:])
    head = ("failure", "error.type", "code", "status", "HTTP said", "points to", "calls")
    return Section("Why calls failed, and whose fault it was", lines, head, and_more(rows, [*[""] * 5, str(rest)]))


def over_time(incident: Incident) -> Iterator[Section]:
    """The failures, step by step: those of the times in which many calls failed, or all where there is no such time."""
    if not incident.steps:
        return
    periods = incident.periods
    bad = [
        each
        for each in incident.steps
        if each.failures and (not periods or any(one.begin <= each.time < one.end for one in periods))
    ]
    shown = bad if len(bad) <= MOST_STEPS else sorted(sorted(bad, key=_failed)[-MOST_STEPS:])
    lines = []
    if len(bad) > MOST_STEPS:
        lines.append(f"The {MOST_STEPS} worst of {len(bad)} are shown.")
    if periods and (outside := incident.failures_outside):
        lines.append(f"The table leaves out {calls(outside)} that failed outside of the times above.")
    said = short_clock(incident.begin, incident.end)
    rows: list[Sequence[str]] = [
        (
            said(each.time),
            str(each.ended.calls),
            str(each.ended.http_ok),
            str(each.ended.completed),
            ", ".join(f"{number} {name}" for name, number in sorted(each.failures.items(), key=lambda item: -item[1])),
        )
        for each in shown
    ]
    head = ("from, UTC", "calls", "HTTP says ok", "completed", "failed") if rows else ()
    yield Section(f"The failures, {by_step(incident.step)}", lines, head, rows, pictures=True)


def _failed(step: Step) -> int:
    return step.ended.hidden + step.ended.failed
