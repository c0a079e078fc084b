# SPDX-License-Identifier: Apache-2.0
"""The check calls: what each plays on the fault server, and how it has to be recorded.

Written down literally, not worked out by the package: this is what the package is held against. Attributes of spans
and points, or labels of Prometheus, go in; an `Ending` comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from after200 import names


class Ending(NamedTuple):
    """How a call ended, as one series of `after200.calls` says it."""

    outcome: str
    error_type: str | None = None
    status: int | None = None
    wire_status: int | None = None

    def __str__(self) -> str:
        status = f"{self.status or 'no status'} (wire {self.wire_status or '-'})"
        return ", ".join(filter(None, (self.outcome, self.error_type, status)))


class Check(NamedTuple):
    """One call of the check."""

    name: str
    scenario: str
    expected: Ending


GOOD = Check("a good call", "completed", Ending("completed", None, 200, 200))
FAULTS = (
    Check("an overload in mid-stream", "overloaded_error_mid_stream", Ending("failed", "overloaded_error", 529, 200)),
    Check("a truncated stream", "end_without_message_stop", Ending("truncated", "stream_truncated", None, 200)),
    Check("a dropped connection", "reset_mid_stream", Ending("failed", "connection_error", None, 200)),
)
CHECKS = (GOOD, *FAULTS)

READ = (names.OUTCOME, names.ERROR_TYPE, names.HTTP_STATUS, names.WIRE_STATUS)
"""The attributes an `Ending` is read from, in its order."""


def ending_of(attributes: Mapping[str, Any]) -> Ending:
    """The ending that attributes (or a Prometheus' labels, under `attributes`' names) speak of."""
    outcome, error_type, status, wire_status = (attributes.get(name) for name in READ)
    return Ending(str(outcome), error_type or None, _status(status), _status(wire_status))


def _status(value: Any) -> int | None:
    return int(value) if value not in (None, "") else None
