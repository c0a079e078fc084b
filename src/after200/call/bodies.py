# SPDX-License-Identifier: Apache-2.0
"""The bytes of a response body → `Facts`, for bodies whose events the SDK does not parse itself.

A reader takes the decoded bytes piece by piece and returns what each piece says. It keeps at most one event, line or
frame, and the beginning of a body without any (`Document`), so its memory does not grow with the length of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from ..names.endings import EndRule
from .documents import Document, LongStrings
from .errors import find_error, read_error
from .events import CHUNK_HEADS, CR, ERROR_BYTES, IN_CHUNK_DATA, decode, is_plain_chunk, read_event
from .facts import CHUNK_CAME, IS_MALFORMED, Facts
from .frames import FrameReader
from .limits import MAX_EVENT
from .lines import FIRST_OF_A_FRAME, LineSplitter


class BodyReader(Protocol):
    """Reads a body piece by piece."""

    @property
    def events(self) -> bool:
        """Whether one complete event, frame or line has come."""

    def feed(self, data: bytes) -> Iterator[Facts]:
        """Yields what `data` says, the next piece of the body without its content encoding."""

    def finish(self) -> Iterator[Facts]:
        """Yields what the end of the body says."""


def reader_for(content_type: str, rule: EndRule, *, stream: bool, takes_whole: bool = False) -> BodyReader:
    """Returns the reader for a body.

    Args:
        content_type: the header of the response; a server may send something else all the same.
        rule: what ends the body.
        stream: whether the application asked for a stream.
        takes_whole: whether a whole message is an answer even then.
    """
    if rule == "lines":
        # Whatever the media type: the SDK asks for `application/binary`.
        return LinesReader()
    media_type = content_type.partition(";")[0].strip().lower()
    reader = READERS.get(media_type, WholeReader)
    return reader(rule, Document(rule, stream=stream, takes_whole=takes_whole))


_LONGEST_HELD: Final = 4096
"""How many bytes of an event that is not complete are held to be searched whole."""


class SSEReader:
    """Reads server-sent events. A chunk is found by a search, and nothing of it is split or decoded.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self, rule: EndRule, document: Document) -> None:
        """`document` judges a body in which no event comes."""
        self.events = False
        self._rule: EndRule = rule
        self._document = document
        self._lines = LineSplitter(MAX_EVENT)
        self._event: str | None = None
        self._data: list[bytes] = []
        self._size = 0
        self._texts = False
        self._held = b""
        self._is_between_events = True

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self.events:
            self._document.add(data)
        if self._held:
            data, self._held = self._held + data, b""
        if not self._texts or self._rule != "message" or CR in data:
            # Until the first text has come, every event is looked at.
            yield from self._feed_lines(data)
            return
        may_have_error = data.find(ERROR_BYTES) >= 0
        position, length = 0, len(data)
        while position < length:
            if self._is_between_events:
                line_end = data.find(b"\n", position + IN_CHUNK_DATA) if data.startswith(CHUNK_HEADS, position) else -1
                if line_end >= 0 and data.startswith(b"\n", line_end + 1):
                    if not may_have_error or data.find(ERROR_BYTES, position, line_end) < 0:
                        yield CHUNK_CAME
                        position = line_end + 2
                        continue
                elif length - position < _LONGEST_HELD and data.find(b"\n\n", position) < 0:
                    self._held = data[position:]
                    return
            end = data.find(b"\n\n", position) + 2
            end = end if end > 1 else length
            yield from self._feed_lines(data[position:end])
            position = end

    is_plain_chunk = staticmethod(is_plain_chunk)

    @property
    def only_counts_chunks(self) -> bool:
        """Whether a further chunk without an error says nothing but that it came. Once so, it stays so."""
        return self._texts and self._rule == "message"

    @property
    def is_between_events(self) -> bool:
        """Whether the next piece begins an event."""
        return self._is_between_events and not self._held

    def _feed_lines(self, data: bytes) -> Iterator[Facts]:
        for line in self._lines.feed(data):
            if line:
                self._field(line)
            elif (facts := self._dispatch()) is not None:
                yield facts
        self._is_between_events = self._event is None and not self._data and self._lines.is_between_lines

    def finish(self) -> Iterator[Facts]:
        """An event that no blank line ended is dropped, as the specification demands."""
        if not self.events:
            yield from self._document.judge()

    def leave(self) -> Iterator[Facts]:
        """Yields what the lines say of an event that lacks its blank line: the application has read them, and left."""
        yield from self._feed_lines(self._held)
        if self._lines.is_between_lines and (facts := self._dispatch()) is not None:
            yield facts

    def _field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if field == b"event":
            self._event = value.decode("utf-8", "replace") or None
        elif field == b"data" and self._size + len(value) <= MAX_EVENT:
            self._size += len(value)
            self._data.append(value)

    def _dispatch(self) -> Facts | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = None, [], 0
        if event is None and not data:
            return None
        self.events = True
        text = b"\n".join(data).decode("utf-8", "replace")
        facts = read_event(event, text, self._rule, look_for_text=not self._texts)
        self._texts = self._texts or (facts is not None and facts.text)
        return facts


class LinesReader:
    """Reads JSON Lines: the results of a batch. A last line that is not JSON was cut.

    Long strings are blanked first, so that an entry with an answer of any length is one line like the others.
    """

    def __init__(self) -> None:
        self.events = False
        self._strings = LongStrings()
        self._lines = LineSplitter(MAX_EVENT)

    def feed(self, data: bytes) -> Iterator[Facts]:
        for line in self._lines.feed(self._strings.blanked(data)):
            if line and (facts := self._line(line)) is not None:
                yield facts

    def finish(self) -> Iterator[Facts]:
        rest = self._lines.rest
        if rest:
            if (facts := self._line(rest)) is not None:
                yield facts
            elif self.events:
                yield Facts(was_cut=True)
        if not self.events:
            yield IS_MALFORMED

    def _line(self, line: bytes) -> Facts | None:
        entry = decode(line)
        if not isinstance(entry, dict):
            return None
        self.events = True
        result = entry.get("result")
        if not isinstance(result, dict):
            error = find_error(entry)
            return Facts(error=error)  # Without an error, the line says nothing.
        inner_error = read_error(result.get("error")) if result.get("type") == "errored" else None
        return Facts(inner_error=inner_error, is_answer=True)


class WholeReader:
    """Reads a body of any other media type: one JSON document, or events or frames all the same."""

    def __init__(self, rule: EndRule, document: Document) -> None:
        self._rule: EndRule = rule
        self._document = document
        self._events: SSEReader | FrameReader | None = None
        self._begun = False

    @property
    def events(self) -> bool:
        return self._events is not None and self._events.events

    def leave(self) -> Iterator[Facts]:
        """Yields what the lines say of an event that lacks its blank line."""
        return self._events.leave() if isinstance(self._events, SSEReader) else iter(())

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self._begun and data.strip():
            self._begun = True
            first = data.lstrip()[:1]
            if first not in (b"{", b"["):
                reader = FrameReader if first == FIRST_OF_A_FRAME else SSEReader
                self._events = reader(self._rule, self._document)
        if self._events is not None:
            yield from self._events.feed(data)
        else:
            self._document.add(data)

    def finish(self) -> Iterator[Facts]:
        yield from (self._document.judge() if self._events is None else self._events.finish())


READERS: Final[Mapping[str, Callable[[EndRule, Document], BodyReader]]] = {
    "text/event-stream": SSEReader,
    "application/vnd.amazon.eventstream": FrameReader,
}
"""A media type → what reads a body of it; any other body is read whole."""
