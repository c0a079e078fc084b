# SPDX-License-Identifier: Apache-2.0
"""`Ending`: how a call ended, as a point, a span or a series of Prometheus says it.

The demo, `verify` and `watch` compare and count calls by this. Attributes go in, an `Ending` comes out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from after200 import names

ENDING_ATTRIBUTES = (names.OUTCOME, names.ERROR_TYPE, names.HTTP_STATUS, names.WIRE_STATUS)
"""The attributes that an `Ending` is read from, in the order of its fields."""


class Ending(NamedTuple):
    """How a call ended.

    `outcome` is one of `names.OUTCOMES`. `error_type` is None when the call is no error. `status` is the corrected
    status code, None where the provider documents none. `wire_status` is the status code on the HTTP status line, None
    when there was no response.
    """

    outcome: str
    error_type: str | None = None
    status: int | None = None
    wire_status: int | None = None

    def __str__(self) -> str:
        statuses = f"status {self.status or 'absent'}, wire status {self.wire_status or 'absent'}"
        return ", ".join(filter(None, (self.outcome, self.error_type, statuses)))

    @property
    def is_error(self) -> bool:
        """Whether the call failed. A stream that the application ends by itself is no error."""
        return self.error_type is not None

    @property
    def is_hidden(self) -> bool:
        """Whether the call failed although the HTTP status line reported success."""
        return self.is_error and self.wire_status is not None and self.wire_status < 400


def ending_of(attributes: Mapping[str, object]) -> Ending:
    """Returns the ending that attributes name: those of a span or a point, or a Prometheus series' labels (text)."""
    outcome, error_type, status, wire_status = map(attributes.get, ENDING_ATTRIBUTES)
    return Ending(str(outcome), str(error_type) if error_type else None, _status(status), _status(wire_status))


def _status(value: object) -> int | None:
    return int(str(value)) if value not in (None, "") else None


Item = Ending | str
"""What is counted: how a call ended, or what it was answered (one of `names.ANSWERS`)."""


def counted(series: Iterable[tuple[Mapping[str, object], float]]) -> Counter[Item]:
    """Counts how calls ended and what they were answered, from the attributes of spans or series and their numbers."""
    found: Counter[Item] = Counter()
    for attributes, number in series:
        if names.OUTCOME in attributes:
            found[ending_of(attributes)] += int(number)
        if names.ANSWER in attributes:
            found[str(attributes[names.ANSWER])] += int(number)
    return found


class Totals(NamedTuple):
    """Calls that have ended, summed up.

    `http_ok` calls have a successful HTTP status line, `completed` ones an answer. `hidden` calls failed after a
    successful status line, `failed` ones in a way that HTTP shows. The application ended the `left` ones by itself.
    """

    calls: int
    http_ok: int
    completed: int
    hidden: int
    failed: int
    left: int

    def sentence(self) -> str:
        """Returns what it comes down to."""
        return f"HTTP says {self.http_ok} of {self.calls} succeeded; {self.completed} did."


def totals(endings: Mapping[Ending, int]) -> Totals:
    """Sums calls up by how they ended."""
    found: Counter[str] = Counter()
    for ending, number in endings.items():
        kind = "hidden" if ending.is_hidden else "failed" if ending.is_error else ending.outcome
        found[kind if kind in Totals._fields else "left"] += number
        found["calls"] += number
        found["http_ok"] += number if ending.wire_status is not None and ending.wire_status < 400 else 0
    return Totals(**{name: found[name] for name in Totals._fields})


def added(parts: Iterable[Totals]) -> Totals:
    """Returns the sums of `parts`; zeros where there are none."""
    return Totals(*map(sum, zip(Totals(0, 0, 0, 0, 0, 0), *parts, strict=True)))
