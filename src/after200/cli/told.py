# SPDX-License-Identifier: Apache-2.0
"""What the fault server's log says that calls were answered, and where an `Answered` differs from it.

The log and the ids of the answers that the application did not read on go in, one sentence for each difference comes
out. The rules are written down here apart from the package's own: they are what the package is compared with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from after200.cli.answered import Answer, Answered, Limit, Tokens, Tool
from after200.cli.reconcile import LOST, each_difference, expected_ending, seen_status, was_retried
from after200.faults.limits import HEADERS, WINDOW
from after200.faults.log import Served

FAILURES = {408: "timeout", 409: "invalid_request", 429: "rate_limited", 503: "overloaded", 504: "timeout"} | {
    529: "overloaded"
}
"""HTTP status of an attempt that is retried → its failure; every other one is `server_error`."""

LOST_FAILURES = {"connection_error": "connection", "client_timeout_error": "timeout"}
"""Error of an attempt that has no response → its failure."""

LONGEST_WAIT_S, LATE_S = 8.0, 1.0
"""The longest time that the SDK waits by its own choice, and how late it may be after any time, in seconds."""

SLACK_S = 10.0
"""By how many seconds the minute of a rate limit, and the time of the last export, may be off."""


def told_differences(log: Collection[Served], left: Collection[str], retries: int, recorded: Answered) -> list[str]:
    """Returns one sentence for each difference; none when what was recorded is what the answers told."""
    expected = expected_answered(log, left, retries)
    return [
        *each_difference("after200.answers: {}", expected.answers, recorded.answers),
        *each_difference("after200.server_tool.calls: {}", expected.tools, recorded.tools),
        *each_difference("after200.tokens: {}", expected.tokens, recorded.tokens),
        *_waits([served for served in log if was_retried(served, retries)], recorded.waits),
        *_limits(log, recorded.limits),
    ]


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
        told = served.told
        if ending.outcome == "completed":
            reason = told.refusal_category or told.stop_reason or ""
            found.answers[Answer(str(told.answer), reason, told.fallback)] += 1
        for entry in told.tokens_at_start if ending.outcome == "closed" else told.tokens:
            found.tokens[Tokens(entry.type, entry.detail)] += entry.number
        # The server's tools come before the text, so whoever leaves in the middle of the text has received them.
        found.tools.update(Tool(tool.name, tool.error or "") for tool in told.server_tools)
    return found


def _failure(served: Served) -> str:
    status = seen_status(served)
    return LOST_FAILURES[LOST[served.finished]] if status is None else FAILURES.get(status, "server_error")


def _waits(retried: Iterable[Served], recorded: Mapping[str, float]) -> Iterator[str]:
    """The SDK waits as long as the response asks it to; without such a request, it chooses by chance."""
    bounds: dict[str, tuple[float, float]] = dict.fromkeys(recorded, (0.0, 0.0))
    for served in retried:
        low, high = bounds.get(failure := _failure(served), (0.0, 0.0))
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


NOTHING = (0.0, 0)


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
