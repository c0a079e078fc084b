# SPDX-License-Identifier: Apache-2.0
"""The bytes of a stream from Amazon Bedrock, frames of `application/vnd.amazon.eventstream`, → `Facts`."""

from __future__ import annotations

import functools
import importlib.util
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any

from .documents import Document
from .errors import find_error, read_frame_error
from .events import decode
from .facts import CHUNK_CAME, Facts
from .limits import MAX_EVENT
from .lines import PRELUDE
from .messages import read_payload
from .record import EndRule


@functools.cache
def can_read_frames() -> bool:
    """Returns whether botocore is installed, which decodes frames. Whoever has a client of Bedrock's has it."""
    return importlib.util.find_spec("botocore") is not None


class FrameReader:
    """Reads `application/vnd.amazon.eventstream`: the frames of a stream from Amazon Bedrock."""

    def __init__(self, rule: EndRule, *, stream: bool) -> None:
        # The SDK decodes the same frames with it.
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
