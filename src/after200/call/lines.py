# SPDX-License-Identifier: Apache-2.0
"""Bytes → lines, and whether bytes look like the beginning of an event stream."""

from __future__ import annotations

import re
import zlib
from typing import Final

_FIELD: Final = re.compile(rb"(\xef\xbb\xbf)?\s*((event|data|id|retry)[ \t]*(:|[\r\n]|\Z)|:|\Z)")
"""How a text begins whose first line that is not blank is of an event stream: with a field, a comment, or nothing."""

PRELUDE: Final = 12
"""The length of the beginning of an eventstream frame, which says how long the frame is."""

FIRST_OF_A_FRAME: Final = b"\0"
"""The first byte of a frame: none is so long that the first byte of its length is another."""


class LineSplitter:
    """Splits bytes into lines, with any of the three line ends. A line longer than `longest` bytes is dropped."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """Returns the lines that `data`, the next piece, completes. Each is without its end."""
        data = self._rest + data
        # A `\r` at the end may be the first half of a `\r\n`.
        half = data[-1:] if data.endswith(b"\r") else b""
        lines = data[: len(data) - len(half)].splitlines(keepends=True)
        held = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if lines and self._too_long:
            # The end of a line whose beginning has been dropped.
            del lines[0]
            self._too_long = False
        self._too_long = self._too_long or len(held) > self._longest
        self._rest = half if self._too_long else held + half
        return [line.rstrip(b"\r\n") for line in lines]

    @property
    def is_between_lines(self) -> bool:
        """Whether the last line has ended, and the next has not begun."""
        return not self._rest and not self._too_long

    @property
    def rest(self) -> bytes:
        """The line that has not ended yet."""
        return self._rest.rstrip(b"\r")


def begins_like_events(text: bytes) -> bool:
    """Returns whether the first line of `text` that is not blank begins like one of an event stream, or there is none.

    Any later line says nothing: a page has such lines in its styles and scripts.
    """
    return _FIELD.match(text) is not None


def begins_a_frame(body: bytes) -> bool:
    """Returns whether `body` begins like a frame of `application/vnd.amazon.eventstream`.

    A frame begins with its length, the length of its headers, and the checksum of both. Of a body that was cut before
    the checksum, the first byte tells.
    """
    if len(body) < PRELUDE:
        return body[:1] == FIRST_OF_A_FRAME
    return zlib.crc32(body[:8]) == int.from_bytes(body[8:PRELUDE], "big")
