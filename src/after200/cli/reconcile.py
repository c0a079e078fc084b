# SPDX-License-Identifier: Apache-2.0
"""Does what was exported equal what happened? Two accounts of the same calls, made apart, and their differences.

In come the fault server's log and the application's hang-ups on one side, the receiver's metrics and spans on the
other. The expected side must not use the package's own verdict: it is what that verdict is held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from after200 import names
from after200.cli.endings import Ending, ending_of
from after200.cli.receiver import Receiver
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS
from after200.faults.log import Served


class Account(NamedTuple):
    """The calls by how they ended, the attempts by HTTP status, and the spans by how they say their call ended."""

    calls: Counter[Ending]
    attempts: Counter[int | None]
    spans: Counter[Ending]
    open_streams: float = 0


# --- what happened ----------------------------------------------------------------------------------------------------

LOST = {"reset": "connection_error", "cut": "connection_error", "stalled": "client_timeout_error"}
"""How the server broke off a response, and the error that makes on the client's side."""

UNDECODABLE = {"stream": ("not_json_mid_stream",), "whole": ("not_json_mid_stream", "end_without_message_stop")}
"""Scenarios whose body nobody can decode: the log says that it was sent, not that it is no JSON."""


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
        return Ending("failed", LOST[served.finished], None, wire)
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


# --- what was exported ------------------------------------------------------------------------------------------------


def recorded_account(receiver: Receiver) -> Account:
    """What was exported."""
    calls: Counter[Ending] = Counter()
    for point in receiver.points(names.CALLS.name):
        calls[ending_of(point.attributes)] += int(point.value)
    attempts: Counter[Any] = Counter()
    for point in receiver.points(names.ATTEMPTS.name):
        attempts[point.attributes.get(names.WIRE_STATUS)] += int(point.value)
    spans = Counter(ending_of(span.attributes) for span in receiver.spans if names.OUTCOME in span.attributes)
    return Account(+calls, +attempts, spans, receiver.total(names.STREAMS_OPEN.name))


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


def number_difference(what: str, expected: float, recorded: float) -> Iterator[str]:
    """Yields a sentence about `what` when the numbers differ."""
    if expected != recorded:
        yield f"{what}: {recorded:g} recorded, {expected:g} expected"


def each_difference(what: str, expected: Counter[Any], recorded: Counter[Any]) -> Iterator[str]:
    """Yields a sentence for each key whose counts differ; the key stands at the `{}` in `what`."""
    for key in sorted(expected.keys() | recorded.keys(), key=str):
        yield from number_difference(what.format(key), expected[key], recorded[key])
