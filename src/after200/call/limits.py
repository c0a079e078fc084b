# SPDX-License-Identifier: Apache-2.0
"""Bounds on what a server or a caller can put into telemetry: how many distinct names, and how long a text.

A metrics store keeps a series for every distinct value of a label, for good. What goes in here comes from outside;
what comes out is safe to keep.
"""

from __future__ import annotations

import re
from typing import Final

from ..names import OTHER

MAX_TEXT: Final = 1024
"""The longest message kept, in characters."""

MAX_NAME: Final = 256
"""The longest identifier kept (a model's name, an id), in characters."""

MAX_COUNT: Final = 1_000_000_000
"""The largest number of tokens, or of anything, that is believed."""

MAX_EVENT: Final = 1 << 20
"""The longest event, line or frame that is read, in bytes. A longer one says nothing."""

_TYPE = re.compile(r"[A-Za-z0-9_.]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?", re.ASCII)
# Controls, ends of lines, what turns the direction of a text, and halves of characters, which no exporter can encode.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


class DistinctNames:
    """Lets the first `limit` distinct names pass, and answers `_OTHER` for every one after them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: set[str] = set()

    def admit(self, name: str) -> str:
        """`name`, or `_OTHER` when the process has seen too many others."""
        if name in self._seen:
            return name
        if len(self._seen) >= self._limit:
            return OTHER
        self._seen.add(name)
        return name


def looks_like_a_type(value: object) -> bool:
    """Whether `value` could be the name of an error: letters, digits, `_` and `.`, at most 64 characters."""
    return isinstance(value, str) and _TYPE.fullmatch(value) is not None


def clean_text(value: object, longest: int = MAX_TEXT) -> str | None:
    """`value` in one line of at most `longest` characters, so that it cannot forge a line of a log; else `None`."""
    if not isinstance(value, str):
        return None
    if value and len(value) <= longest and value.isprintable():
        return value.strip() or None
    # Cut before the substitution: a message can be as large as a server likes.
    line = _CONTROL.sub(" ", value[: longest + 1]).strip()
    if not line:
        return None
    return line if len(line) <= longest else line[: longest - 1] + "…"


def clean_name(value: object) -> str | None:
    """`value` as an identifier of a sane length, and `None` for what is not one."""
    return clean_text(value, MAX_NAME)


def clean_count(value: object) -> int | None:
    """`value` as a number of things, and `None` for what is not one, or too large for sums of it to be exported.

    Gateways write numbers as text, and with a fraction; the latter is rounded.
    """
    if value is None:
        return None
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        return None
    return round(value)
