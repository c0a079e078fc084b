# SPDX-License-Identifier: Apache-2.0
"""The body of an HTTP error, which the application reads itself → `Facts`."""

from __future__ import annotations

from collections.abc import Iterator

from ..names.endings import EndRule
from .bodies import SSEReader
from .documents import Document
from .facts import Facts


class ErrorReader:
    """Reads the body of an HTTP error, which is one in any shape: a document, text, or an event stream."""

    def __init__(self, rule: EndRule) -> None:
        self._document, its_events = Document(rule, stream=False), Document(rule, stream=False)
        self._events = SSEReader(rule, its_events)

    @property
    def events(self) -> bool:
        return False

    def feed(self, data: bytes) -> Iterator[Facts]:
        self._document.add(data)
        yield from (facts for facts in self._events.feed(data) if facts.error is not None)

    def finish(self) -> Iterator[Facts]:
        yield from (facts for facts in self._events.feed(b"\n\n") if facts.error is not None)
        yield self._document.read_error()
