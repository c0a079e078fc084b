# SPDX-License-Identifier: Apache-2.0
"""Entries of the caller's baggage → attributes that say whose call it is.

The setting `metric_baggage` names the entries. Their values come from outside, and a metrics store keeps a series for
each, so they are bounded as every other value is.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import baggage

from ..call.limits import clean_text
from ..names import OTHER
from .bounds import BOUNDS
from .deferred import Key

MAX_LENGTH: Final = 64
"""The longest value, in characters. A longer one is `_OTHER`: cut off, it could stand for somebody else."""


def caller_key(entries: tuple[str, ...]) -> Key:
    """Returns name and value of each of `entries` in the current context's baggage; nothing for an empty value."""
    found = []
    for entry in entries:
        value = baggage.get_baggage(entry)
        line = None if value is None else clean_text(str(value))
        if line is not None:
            found.append((entry, OTHER if len(line) > MAX_LENGTH else BOUNDS.value(entry, line) or OTHER))
    return tuple(found)
