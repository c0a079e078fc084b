# SPDX-License-Identifier: Apache-2.0
"""The bytes of a body, as they go by → what they tell us of the call.

For bodies that the application reads for itself, as bytes or lines, where no event of the SDK's ever appears. A reader
keeps at most one event, so the memory it holds does not grow with the length of the body.
"""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import suppress
from typing import Any, Final, Protocol

from .events import CHUNK, NOT_JSON, decode, note_error, read_entry, read_event, read_payload
from .record import Call, ProviderError

MAX_EVENT: Final = 1 << 20
"""The longest event, line, frame or whole body that is looked into, in bytes."""

PRELUDE: Final = 12
"""How long the beginning of an eventstream frame is, which says how long the frame is."""


class BodyReader(Protocol):
    """Takes a body piece by piece."""

    def feed(self, data: bytes) -> None:
        """The next piece, decoded from any content encoding."""

    def finish(self) -> None:
        """The body is at its end."""


def reader_for(call: Call, content_type: str) -> BodyReader:
    """The reader for a body of `content_type`."""
    if call.end_rule == "lines":
        # Whatever the media type: the SDK asks for `application/binary`.
        return JSONLinesReader(call)
    media_type = content_type.partition(";")[0].strip().lower()
    reader: BodyReader = _READERS.get(media_type, WholeBodyReader)(call)
    return reader


class LineSplitter:
    """Bytes in, whole lines out, whichever of the three line ends they have. A line too long is dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        data = self._rest + data
        # A `\r` at the end may be the first half of a `\r\n`.
        half = data[-1:] if data.endswith(b"\r") else b""
        lines = data[: len(data) - len(half)].splitlines(keepends=True)
        held = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if lines and self._too_long:
            # The end of a line whose beginning has been dropped.
            del lines[0]
            self._too_long = False
        self._too_long = self._too_long or len(held) > MAX_EVENT
        self._rest = half if self._too_long else held + half
        return [line.rstrip(b"\r\n") for line in lines]

    @property
    def rest(self) -> bytes:
        """The line that has not ended yet."""
        return self._rest.rstrip(b"\r")


class EventStreamReader:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lines = LineSplitter()
        self._event: str | None = None
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            if line:
                self._field(line)
            else:
                self._dispatch()

    def finish(self) -> None:
        """An event that no blank line ended is dropped, as the specification has it."""

    def _field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if field == b"event":
            self._event = value.decode("utf-8", "replace") or None
        elif field == b"data" and self._size + len(value) <= MAX_EVENT:
            self._size += len(value)
            self._data.append(value)

    def _dispatch(self) -> None:
        event, data = self._event, self._data
        self._event, self._data, self._size = None, [], 0
        if event == CHUNK:
            self._call.chunk()
        elif event is not None or data:
            read_event(self._call, event, b"\n".join(data).decode("utf-8", "replace"))


class JSONLinesReader:
    """JSON Lines: the results of a batch. A last line that cannot be decoded was cut."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._line(line)

    def finish(self) -> None:
        if self._lines.rest and not self._line(self._lines.rest):
            self._call.cut_short = True

    def _line(self, line: bytes) -> bool:
        try:
            entry = json.loads(line)
        except NOT_JSON:
            return False
        read_entry(self._call, entry)
        return True


class WholeBodyReader:
    """One JSON document: the body of a call that does not stream."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_EVENT:
            self._parts.clear()
        else:
            self._parts.append(data)

    def finish(self) -> None:
        read_whole_body(self._call, b"".join(self._parts))
        # A whole body has no end event. What it is good for is for the application to say, which decodes it.
        # In answer to a stream's request, it is a stream without its end event like any other.
        if not self._call.stream:
            self._call.stopped()


def read_whole_body(call: Call, body: bytes) -> bool:
    """Notes what a whole body says. False when it is not JSON."""
    try:
        read_payload(call, json.loads(body))
    except NOT_JSON:
        return False
    return True


class FrameReader:
    """`application/vnd.amazon.eventstream`: the frames of a Bedrock stream."""

    def __init__(self, call: Call) -> None:
        # Whoever has a Bedrock client has botocore, which the SDK decodes the same frames with.
        from botocore import eventstream

        self._call = call
        self._botocore: Any = eventstream
        self._data = bytearray()
        self._skipped = 0

    def feed(self, data: bytes) -> None:
        self._data += data
        while self._skip() and len(self._data) >= PRELUDE:
            length = int.from_bytes(self._data[:4], "big")
            if length > MAX_EVENT:
                self._skipped = length
            elif len(self._data) < length:
                return
            else:
                frame = bytes(self._data[:length])
                # With a length that cannot be, the rest of the body is no frames.
                del self._data[: length if length > PRELUDE else len(self._data)]
                self._frame(frame)

    def _skip(self) -> bool:
        """Whether the frame that is too long to look into is over."""
        skipped = min(self._skipped, len(self._data))
        del self._data[:skipped]
        self._skipped -= skipped
        return not self._skipped

    def finish(self) -> None:
        """A frame that is not whole says nothing."""

    def _frame(self, data: bytes) -> None:
        # A buffer for each frame: after one that is not sound, botocore's is stuck.
        buffer = self._botocore.EventStreamBuffer()
        buffer.add_data(data)
        try:
            frame = next(buffer, None)
        except self._botocore.ParserError:
            return
        if frame is not None and not read_error_frame(self._call, frame):
            self._chunk(frame.payload)

    def _chunk(self, payload: bytes) -> None:
        chunk = decode(payload)
        if isinstance(chunk, dict) and isinstance(chunk.get("bytes"), str):
            with suppress(ValueError):
                read_event(self._call, "completion", b64decode(chunk["bytes"]).decode("utf-8", "replace"))


def read_error_frame(call: Call, frame: Any) -> bool:
    """Notes the error in an eventstream frame (`headers`, `payload`). False for a frame that carries an event.

    Read where the frame is still whole: the SDK raises a bare `ValueError` for it before 1.7, knows no type that
    botocore does not, and never keeps `originalStatusCode`.
    """
    headers = frame.headers
    if headers.get(":message-type") not in ("exception", "error"):
        return False
    kind = headers.get(":exception-type") or headers.get(":error-code")
    payload = decode(frame.payload)
    if not isinstance(payload, dict):
        payload = {}
    payload.setdefault("message", headers.get(":error-message"))
    if call.error is None:
        note_error(call, {**payload, "type": kind})
    elif call.error.original_status is None and isinstance(payload.get("originalStatusCode"), int):
        call.error = ProviderError(call.error.type, call.error.message, payload["originalStatusCode"])
    return True


_READERS: Final[dict[str, Any]] = {
    "text/event-stream": EventStreamReader,
    "application/vnd.amazon.eventstream": FrameReader,
    "application/x-jsonl": JSONLinesReader,
    "application/jsonl": JSONLinesReader,
    "application/x-ndjson": JSONLinesReader,
}
