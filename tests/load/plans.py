# SPDX-License-Identifier: Apache-2.0
"""A seed → calls, each with a scenario, a way to read and a deed; and what each must come to by what the caller saw.

What must come of a call is said without the package: by the table of scenarios, the deed, and the caller's exception.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..support.streams.expected import ROWS
from ..support.streams.row import Row

WAYS = ("create", "create", "helper", "lines", "whole")
DEEDS = ("read", "read", "read", "leave", "close", "drop")
BEFORE_STALL = {"stall_first_event": 0, "stall_mid_stream": 6}
"""Scenarios that stop in the middle, and how many events the SDK gives out before that."""


class Account(NamedTuple):
    """What a call came to."""

    outcome: str
    error_type: str | None = None
    status: int | None = None
    wire_status: int | None = None


@dataclass
class Planned:
    """One call that is to be made."""

    number: int
    row: Row
    way: str
    deed: str

    @property
    def retries(self) -> int:
        return self.row.retries

    @property
    def read_timeout(self) -> float:
        return 0.3 if self.row.timeout < 1 and self.deed != "cancel" else 60.0


@dataclass
class Seen:
    """What the caller of one call saw and did."""

    planned: Planned
    began: bool = False
    """Whether a stream was in its hands."""

    left: str | None = None
    """How it ended the call itself."""

    error: BaseException | None = None
    request_id: str | None = None
    was_told: bool = False
    """Whether it had the first event of a stream."""

    key: str = ""
    """What its requests are told by in the server's log."""


def plan(seed: int, count: int, *, asynchronous: bool) -> Iterator[Planned]:
    """The calls of `seed`."""
    draw = random.Random(seed)
    for number in range(count):
        row = draw.choice(ROWS)
        way, deed = draw.choice(WAYS), draw.choice(DEEDS)
        if way in ("lines", "whole"):
            deed = "read"  # How much of a raw body comes at once is up to the network.
        if way == "helper" and deed == "drop":
            deed = "leave"  # It is used in a `with` block.
        if row.seen in ("nothing", "start") and row.stream.raises == "never":
            deed = "read"  # The error may come in what the application reads before it leaves.
        if row.scenario in BEFORE_STALL and asynchronous and way == "create" and draw.random() < 0.7:
            deed = "cancel"
        yield Planned(number, row, way, deed)


LEFT = {"leave": "closed", "close": "closed", "drop": "abandoned", "cancel": "cancelled"}

TIMEOUTS = frozenset({"APITimeoutError", "ReadTimeout"})
LOST = frozenset({"APIConnectionError", "ReadError", "RemoteProtocolError"})


def timed_out(seen: Seen) -> bool:
    """Whether the client waited no longer, which on a busy machine can be before the first event."""
    return not TIMEOUTS.isdisjoint(cls.__name__ for cls in type(seen.error).__mro__)


def must_be(seen: Seen) -> Account:
    """What the call must have come to."""
    row, way = seen.planned.row, seen.planned.way
    wire = 200 if seen.began else None
    if seen.left is not None:
        return Account(LEFT[seen.left], None, wire, wire)
    if timed_out(seen):
        return Account("failed", "client_timeout_error", None, wire)
    names = {cls.__name__ for cls in type(seen.error).__mro__}
    ending = row.whole if way == "whole" else (way == "lines" and row.stream_lazy) or row.stream
    # The SDK says that the connection was lost also where it could not decode a body.
    if names & LOST and ending.error_type != "stream_malformed":
        return Account("failed", "connection_error", None, wire)
    must_raise = ending.raises == "always" or (ending.raises == "parsed" and way in ("create", "helper"))
    if way in ("create", "helper"):
        assert must_raise == (seen.error is not None), (seen, ending)
    if ending.error_type is None:
        return Account(ending.outcome, None, ending.wire, ending.wire)
    return Account(ending.outcome, ending.error_type, ending.status, ending.wire)
