# SPDX-License-Identifier: Apache-2.0
"""Does what was exported equal what happened? Two accounts of the same calls, made apart, and their differences.

In come the fault server's log and the ids of the answers that the application did not read on, on one side, and the
receiver's metrics and spans on the other. The expected side must not use the package's own rules: it is what they are
held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from after200 import names
from after200.cli.answered import Answer, Answered, Limit, Tokens, Tool, count
from after200.cli.endings import Ending, ending_of
from after200.cli.receiver import Receiver
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS
from after200.faults.limits import HEADERS, WINDOW
from after200.faults.log import Served


class Account(NamedTuple):
    """The calls by how they ended, the attempts by HTTP status, and the spans by how they say their call ended."""

    calls: Counter[Ending]
    attempts: Counter[int | None]
    spans: Counter[Ending]
    open_streams: float = 0


# --- what happened ----------------------------------------------------------------------------------------------------

LOST = {
    "reset": ("connection_error", "connection"),
    "cut": ("connection_error", "connection"),
    "stalled": ("client_timeout_error", "timeout"),
}
"""How the server broke off a response → the error that makes on the client's side, and the failure it is."""

UNDECODABLE = {"stream": ("not_json_mid_stream",), "whole": ("not_json_mid_stream", "end_without_message_stop")}
"""Scenarios whose body nobody can decode: the log says that it was sent, not that it is no JSON."""

FAILURES = {
    408: "timeout",
    409: "invalid_request",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""HTTP status of an attempt that is retried → its failure; every other one is `server_error`."""

LONGEST_WAIT_S, LATE_S = 8.0, 30.0
"""The longest time that the SDK waits by its own choice, and how late a busy machine may let it be, in seconds."""

SLACK_S = 10.0
"""By how many seconds the minute of a rate limit, and the time of the last export, may be off."""

NOTHING = (0.0, 0)
"""The share and the size of a rate limit that nothing was used of."""


def expected_account(log: Iterable[Served], left: Collection[str], retries: int) -> Account:
    """What must have been exported, by the server's log and the ids of the answers the application did not read on."""
    entries = list(log)
    calls = Counter(expected_ending(entry, left) for entry in entries if not was_retried(entry, retries))
    attempts = Counter(seen_status(entry) for entry in entries)
    return Account(calls, attempts, calls)


def expected_ending(served: Served, left: Collection[str]) -> Ending:
    """How the call ended whose last attempt was served so."""
    wire = seen_status(served)
    if served.request_id in left:
        return Ending("closed", None, wire, wire)
    if served.failure:
        corrected = ANTHROPIC_ERRORS[served.failure][0] if wire is not None and wire < 400 else wire
        return Ending("failed", served.failure, corrected, wire)
    if served.finished in LOST:
        return Ending("failed", LOST[served.finished][0], None, wire)
    if served.scenario in UNDECODABLE["stream" if served.streaming else "whole"]:
        return Ending("failed", "stream_malformed", None, wire)
    if served.streaming and "message_stop" not in served.events_sent:
        return Ending("truncated", "stream_truncated", None, wire)
    return Ending("completed", None, wire, wire)


def was_retried(served: Served, retries: int) -> bool:
    """Whether the SDK tries again after such an answer: by its own rules, never once a stream has begun."""
    wire = seen_status(served)
    return served.attempt < retries and (wire is None or wire in (408, 409, 429) or wire >= 500)


def seen_status(served: Served) -> int | None:
    """The HTTP status that the SDK got to see: none when a whole body broke off, since it reads that first."""
    return None if served.finished in LOST and not served.streaming else served.wire_status


def expected_answered(log: Iterable[Served], left: Collection[str], retries: int) -> Answered:
    """Returns the answers, tools and tokens that must have been recorded."""
    found = Answered()
    for served in log:
        if was_retried(served, retries):
            continue
        ending = expected_ending(served, left)
        # What the SDK cannot decode as a whole, or did not receive as a whole, tells nothing.
        if not served.streaming and ending.outcome != "completed":
            continue
        said = served.content
        if ending.outcome == "completed":
            reason = said.refusal_category or said.stop_reason or ""
            found.answers[Answer(str(said.answer), reason, said.fallback)] += 1
        for entry in said.tokens_at_start if ending.outcome == "closed" else said.tokens:
            found.tokens[Tokens(entry.type, entry.detail)] += entry.number
        # The server's tools come before the text, so whoever leaves in the middle of the text has received them.
        found.tools.update(Tool(tool.name, tool.error or "") for tool in said.server_tools)
    return found


# --- what was exported ------------------------------------------------------------------------------------------------


def recorded_account(receiver: Receiver) -> Account:
    """What was exported."""
    return Account(
        calls=count(receiver.points(names.CALLS.name), ending_of),
        attempts=count(receiver.points(names.ATTEMPTS.name), lambda each: each.get(names.WIRE_STATUS)),
        spans=Counter(ending_of(span.attributes) for span in receiver.spans if names.OUTCOME in span.attributes),
        open_streams=receiver.total(names.STREAMS_OPEN.name),
    )


# --- and whether that is the same -------------------------------------------------------------------------------------


def differences(calls: int, expected: Account, recorded: Account) -> list[str]:
    """One sentence for each difference; empty when everything agrees."""
    return [
        *number_difference(f"calls in {names.CALLS.name}", calls, recorded.calls.total()),
        *number_difference("calls in the fault server's log", calls, expected.calls.total()),
        *each_difference(f"{names.CALLS.name}: {{}}", expected.calls, recorded.calls),
        *each_difference(f"{names.ATTEMPTS.name}: status {{}}", expected.attempts, recorded.attempts),
        *each_difference("spans: {}", expected.spans, recorded.spans),
        *number_difference(names.STREAMS_OPEN.name, 0, recorded.open_streams),
    ]


def answer_differences(log: Collection[Served], left: Collection[str], retries: int, recorded: Answered) -> list[str]:
    """Returns one sentence for each difference; none when what was recorded is what the answers said."""
    expected = expected_answered(log, left, retries)
    return [
        *each_difference("after200.answers: {}", expected.answers, recorded.answers),
        *each_difference("after200.server_tool.calls: {}", expected.tools, recorded.tools),
        *each_difference("after200.tokens: {}", expected.tokens, recorded.tokens),
        *_waits([served for served in log if was_retried(served, retries)], recorded.waits),
        *_limits(log, recorded.limits),
    ]


def number_difference(what: str, expected: float, recorded: float) -> Iterator[str]:
    """Yields a sentence about `what` when the numbers differ."""
    if expected != recorded:
        yield f"{what}: {recorded:g} recorded, {expected:g} expected"


def each_difference(what: str, expected: Counter[Any], recorded: Counter[Any]) -> Iterator[str]:
    """Yields a sentence for each key whose counts differ; the key stands at the `{}` in `what`."""
    for key in sorted(expected.keys() | recorded.keys(), key=str):
        yield from number_difference(what.format(key), expected[key], recorded[key])


def _waits(retried: Iterable[Served], recorded: Mapping[str, float]) -> Iterator[str]:
    """The SDK waits as long as the response asks it to; without such a request, it chooses by chance."""
    bounds: dict[str, tuple[float, float]] = dict.fromkeys(recorded, (0.0, 0.0))
    for served in retried:
        status = seen_status(served)
        failure = LOST[served.finished][1] if status is None else FAILURES.get(status, "server_error")
        low, high = bounds.get(failure, (0.0, 0.0))
        asked = served.retry_after
        # The least time is 1 % less than was asked for: clocks have a resolution.
        bounds[failure] = low + (asked or 0.0) * 0.99, high + (LONGEST_WAIT_S if asked is None else asked + LATE_S)
    for failure, (low, high) in sorted(bounds.items()):
        waited = recorded.get(failure, 0.0)
        if not low <= waited <= high or waited == 0.0:
            yield f"after200.retry.wait: {failure}: {waited:.2f} s recorded, {low:.2f} to {high:.2f} s expected"


def _limits(log: Collection[Served], recorded: Iterable[Limit]) -> Iterator[str]:
    """The share that was used in the last minute lies between what a shorter and a longer minute say."""
    found = {(limit.model, limit.kind): limit for limit in recorded}
    stated = [served for served in log if seen_status(served) is not None]
    last = max((served.ended for served in stated), default=0.0)
    longer, shorter = (
        _stated(served for served in stated if last - served.started <= minute)
        for minute in (WINDOW + SLACK_S, WINDOW - SLACK_S)
    )
    for key in sorted(longer.keys() | found.keys()):
        (low, _), (high, size) = shorter.get(key, NOTHING), longer.get(key, NOTHING)
        limit, which = found.get(key), " ".join(key)
        if limit is None or not low - 1e-9 <= limit.used <= high + 1e-9:
            used = "nothing" if limit is None else f"{limit.used:.4f}"
            yield f"after200.rate_limit.utilization: {which}: {used} recorded, {low:.4f} to {high:.4f} expected"
        elif limit.limit != size:
            yield f"after200.rate_limit.limit: {which}: {limit.limit} recorded, {size} expected"


def _stated(log: Iterable[Served]) -> dict[tuple[str, str], tuple[float, int]]:
    """Model and kind → the highest share that was used, and the limit."""
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for served in log:
        for kind, header in HEADERS.items():
            limit, remaining = (served.headers.get(f"{header}-{name}") for name in ("limit", "remaining"))
            if limit is not None and remaining is not None:
                key = served.model, kind
                found[key] = max(found.get(key, NOTHING)[0], 1 - int(remaining) / int(limit)), int(limit)
    return found
