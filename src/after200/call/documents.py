# SPDX-License-Identifier: Apache-2.0
"""A body that is one JSON document, or in which no event came: its bytes, in bounded memory, → `Facts`.

Long strings (the text of an answer, an image) are replaced by a blank while the body arrives, so that a message of any
size says the same as a small one: a text that is not empty stays one, and an identifier is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from ..names.endings import EndRule
from .errors import find_error, read_error
from .events import NOT_JSON, decode
from .facts import IS_MALFORMED, Facts
from .lines import begins_a_frame, begins_like_events
from .messages import read_whole

KEPT_WHOLE: Final = 1 << 16
"""How many bytes are kept as they came. Beyond, strings longer than `LONG` are blanked."""

MAX_KEPT: Final = 1 << 20
"""How many bytes are kept at the most. A body that has more, all long strings blanked, is judged by its beginning."""

LONG: Final = 512
"""The length from which on a string is blanked, in bytes."""

_INSIDE: Final = re.compile(rb'(?:[^"\\]+|\\.)*', re.DOTALL)
_MESSAGE: Final = re.compile(rb'"type"\s*:\s*"message"|"content"\s*:\s*\[')


class Document:
    """Collects a body piece by piece and judges it at its end."""

    def __init__(self, rule: EndRule, *, stream: bool, takes_whole: bool = False) -> None:
        """Begins a body.

        Args:
            rule: what ends a stream of this kind of call.
            stream: whether the application asked for a stream.
            takes_whole: whether a whole message is an answer even then: the application decodes the body itself, and
                got one.
        """
        self._rule: EndRule = rule
        self._stream = stream
        self._takes_whole = takes_whole
        self._kept = bytearray()
        self._strings: LongStrings | None = None

    def add(self, data: bytes) -> None:
        """Adds the next piece of the body."""
        if self._strings is None:
            self._kept += data
            if len(self._kept) <= KEPT_WHOLE:
                return
            self._strings = LongStrings()
            data, self._kept = bytes(self._kept), bytearray()
        if len(self._kept) <= MAX_KEPT:
            self._kept += self._strings.blanked(data)

    def judge(self) -> Iterator[Facts]:
        """Yields what the body says, now that it is at its end."""
        body = bytes(self._kept)
        if self._stream and (begins_like_events(body) or begins_a_frame(body)):
            return  # Nothing, or the beginning of an event stream: it was cut.
        if len(body) > MAX_KEPT:
            facts = Facts(is_answer=True) if _MESSAGE.search(body) else IS_MALFORMED
        else:
            try:
                facts = read_whole(json.loads(body), self._rule)
            except NOT_JSON:
                facts = _first_error(body)
        if self._stream and facts.is_answer and not self._takes_whole:
            # The application asked for events and got none.
            facts = facts._replace(is_answer=False, is_malformed=True)
        yield facts

    def read_error(self) -> Facts:
        """Returns what the body of an HTTP error says, now that it is at its end: an error in any case."""
        body = bytes(self._kept)
        payload = decode(body)
        return Facts(error=read_error(body.decode("utf-8", "replace") if payload is None else payload))


def _first_error(body: bytes) -> Facts:
    """Returns the error in the first line that is one, and otherwise that the body is malformed."""
    for line in body.splitlines():
        error = find_error(decode(line)) if line.lstrip().startswith(b"{") else None
        if error is not None:
            return Facts(error=error)
    return IS_MALFORMED


class Beginning:
    """Keeps the bytes of a stream whose events are parsed elsewhere, until the first comes: then `stop` drops it."""

    events = False

    def __init__(self, rule: EndRule) -> None:
        self._document = Document(rule, stream=True)

    def feed(self, data: bytes) -> Iterator[Facts]:
        self._document.add(data)
        return iter(())

    def finish(self) -> Iterator[Facts]:
        return self._document.judge()


class LongStrings:
    """Replaces the long strings of a JSON text, which comes piece by piece, by a blank."""

    def __init__(self) -> None:
        self._inside = False
        self._escaped = False
        self._string = bytearray()
        self._is_long = False

    def blanked(self, data: bytes) -> bytes:
        """Returns what to keep of `data`. A short string is kept once it has ended."""
        kept = bytearray()
        position = 0
        while position < len(data):
            if not self._inside:
                quote = data.find(b'"', position)
                kept += data[position : quote + 1 if quote >= 0 else len(data)]
                if quote < 0:
                    break
                self._inside, position = True, quote + 1
                continue
            if self._escaped:
                self._add(data[position : position + 1])
                self._escaped, position = False, position + 1
                continue
            found = _INSIDE.match(data, position)
            end = position if found is None else found.end()
            self._add(data[position:end])
            if data[end : end + 1] == b'"':
                kept += (b" " if self._is_long else self._string) + b'"'
                self._inside, self._is_long, self._string = False, False, bytearray()
            elif end < len(data):  # A backslash is the last byte of the piece.
                self._add(data[end : end + 1])
                self._escaped = True
            position = end + 1
        return bytes(kept)

    def _add(self, data: bytes) -> None:
        self._is_long = self._is_long or len(self._string) + len(data) > LONG
        if self._is_long:
            self._string.clear()
        else:
            self._string += data
