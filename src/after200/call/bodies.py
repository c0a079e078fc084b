# SPDX-License-Identifier: Apache-2.0
"""The bytes of a response body → `Facts`, for bodies whose events the SDK does not parse itself.

A reader takes the decoded bytes piece by piece and returns what each piece says. It keeps at most one event, line or
frame, and the beginning of a body without any (`Beginning`), so its memory does not grow with the length of the body.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any, Final, Protocol

from .documents import Document, LongStrings
from .errors import find_error, read_error, read_frame_error
from .events import decode, read_event
from .facts import CHUNK_CAME, IS_MALFORMED, Facts
from .lines import PRELUDE, LineSplitter
from .messages import read_payload
from .record import EndRule

MAX_EVENT: Final = 1 << 20
"""The longest event, line or frame that is read, in bytes. A longer one says nothing."""


class BodyReader(Protocol):
    """Reads a body piece by piece."""

    @property
    def events(self) -> bool:
        """Whether one complete event, frame or line has come."""

    def feed(self, data: bytes) -> Iterator[Facts]:
        """Yields what `data` says, the next piece of the body without its content encoding."""

    def finish(self) -> Iterator[Facts]:
        """Yields what the end of the body says."""


def reader_for(content_type: str, rule: EndRule, *, stream: bool) -> BodyReader:
    """Returns the reader for a body.

    Args:
        content_type: the header of the response; a server may send something else all the same.
        rule: what ends the body.
        stream: whether the application asked for a stream.
    """
    if rule == "lines":
        # Whatever the media type: the SDK asks for `application/binary`.
        return LinesReader()
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "text/event-stream":
        return SSEReader(rule, stream=stream)
    if media_type == "application/vnd.amazon.eventstream":
        return FrameReader(rule, stream=stream)
    return WholeReader(rule, stream=stream)


class SSEReader:
    """Reads server-sent events.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self, rule: EndRule, *, stream: bool) -> None:
        self.events = False
        self._rule: EndRule = rule
        self._beginning = Document(rule, stream=stream)
        self._lines = LineSplitter(MAX_EVENT)
        self._event: str | None = None
        self._data: list[bytes] = []
        self._size = 0
        self._texts = False

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self.events:
            self._beginning.add(data)
        for line in self._lines.feed(data):
            if line:
                self._field(line)
            elif (facts := self._dispatch()) is not None:
                yield facts

    def finish(self) -> Iterator[Facts]:
        """An event that no blank line ended is dropped, as the specification demands."""
        if not self.events:
            yield from self._beginning.judge()

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

    Long strings are emptied first, so that an entry with an answer of any length is one line like the others.
    """

    def __init__(self) -> None:
        self.events = False
        self._strings = LongStrings()
        self._lines = LineSplitter(MAX_EVENT)

    def feed(self, data: bytes) -> Iterator[Facts]:
        for line in self._lines.feed(self._strings.emptied(data)):
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
    """Reads a body of any other media type: one JSON document, or server-sent events all the same."""

    def __init__(self, rule: EndRule, *, stream: bool) -> None:
        self._rule: EndRule = rule
        self._stream = stream
        self._document = Document(rule, stream=stream)
        self._events: SSEReader | None = None
        self._begun = False

    @property
    def events(self) -> bool:
        return self._events is not None and self._events.events

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self._begun and data.strip():
            self._begun = True
            if data.lstrip()[:1] not in (b"{", b"["):
                self._events = SSEReader(self._rule, stream=self._stream)
        if self._events is not None:
            yield from self._events.feed(data)
        else:
            self._document.add(data)

    def finish(self) -> Iterator[Facts]:
        yield from (self._document.judge() if self._events is None else self._events.finish())


class FrameReader:
    """Reads `application/vnd.amazon.eventstream`: the frames of a stream from Amazon Bedrock."""

    def __init__(self, rule: EndRule, *, stream: bool) -> None:
        # Whoever has a Bedrock client has botocore, with which the SDK decodes the same frames.
        from botocore import eventstream

        self.events = False
        self._beginning = Document(rule, stream=stream)
        self._botocore: Any = eventstream
        self._data = bytearray()
        self._skipped = 0
        self._texts = False

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self.events:
            self._beginning.add(data)
        self._data += data
        while self._skip() and len(self._data) >= PRELUDE:
            length = int.from_bytes(self._data[:4], "big")
            if length > MAX_EVENT:
                self._skipped = length
            elif len(self._data) < length:
                return
            else:
                frame = bytes(self._data[:length])
                # With an impossible length, the rest of the body is no frames.
                del self._data[: length if length > PRELUDE else len(self._data)]
                facts = self._frame(frame)
                if facts is not None:
                    yield facts

    def finish(self) -> Iterator[Facts]:
        """A frame that is not whole says nothing."""
        if not self.events:
            yield from self._beginning.judge()

    def _skip(self) -> bool:
        """Drops what there is of a frame that is too long. Returns whether that frame is over."""
        skipped = min(self._skipped, len(self._data))
        del self._data[:skipped]
        self._skipped -= skipped
        return not self._skipped

    def _frame(self, data: bytes) -> Facts | None:
        # A buffer for each frame: after a frame that is not sound, botocore's buffer is stuck.
        buffer = self._botocore.EventStreamBuffer()
        buffer.add_data(data)
        try:
            frame = next(buffer, None)
        except self._botocore.ParserError:
            return None
        if frame is None:
            return None
        self.events = True
        payload = decode(frame.payload)
        error = read_frame_error(frame.headers, payload)
        if error is not None:
            return Facts(error=error)
        facts = self._chunk(payload)
        self._texts = self._texts or (facts is not None and facts.text)
        return facts

    def _chunk(self, payload: object) -> Facts | None:
        encoded = payload.get("bytes") if isinstance(payload, dict) else None
        if not isinstance(encoded, str):
            error = find_error(payload)
            return None if error is None else Facts(error=error)
        try:
            data = b64decode(encoded).decode("utf-8", "replace")
        except (Base64Error, ValueError):
            return None
        facts = read_payload(decode(data))
        return CHUNK_CAME if self._texts and facts is not None and facts.text else facts
