# SPDX-License-Identifier: Apache-2.0
"""The bytes of a stream from Amazon Bedrock, frames of `application/vnd.amazon.eventstream`, → `Facts`.

A frame is, in big endian: its length, the length of its headers, a checksum of both, the headers, the payload, and a
checksum of all before it. Source: the documentation of Amazon Transcribe, "Event stream encoding".
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..names.endings import EndRule
from . import converse
from .documents import Document
from .errors import find_error, read_frame_error
from .events import decode
from .facts import CHUNK_CAME, Facts
from .limits import MAX_EVENT
from .lines import PRELUDE
from .messages import read_payload

CHECKSUM: Final = 4
"""The length of the checksum at the end of a frame."""

_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The type of a header → the length of its value. Those of types 6 and 7, bytes and text, say their length."""

_TEXT: Final = 7


class Frame(NamedTuple):
    """One sound frame."""

    headers: Mapping[str, str]
    """Its headers, those whose value is text."""

    payload: bytes


def read_frame(data: bytes) -> Frame | None:
    """Returns the frame that `data` is; None for one that is not sound."""
    end = len(data) - CHECKSUM
    if end < PRELUDE or zlib.crc32(data[:8]) != int.from_bytes(data[8:PRELUDE], "big"):
        return None
    payload_at = PRELUDE + int.from_bytes(data[4:8], "big")
    if payload_at > end or zlib.crc32(data[:end]) != int.from_bytes(data[end:], "big"):
        return None
    try:
        return Frame(_read_headers(data[PRELUDE:payload_at]), data[payload_at:end])
    except (IndexError, KeyError):
        return None


def _read_headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    at = 0
    while at < len(data):
        value_at = at + 1 + data[at]
        name, kind = data[at + 1 : value_at], data[value_at]
        value_at += 1
        if kind in (6, _TEXT):
            size = int.from_bytes(data[value_at : value_at + 2], "big")
            value_at += 2
        else:
            size = _SIZES[kind]
        at = value_at + size
        if at > len(data):
            raise IndexError(at)
        if kind == _TEXT:
            headers[name.decode("utf-8", "replace")] = data[value_at:at].decode("utf-8", "replace")
    return headers


class FrameReader:
    """Reads `application/vnd.amazon.eventstream`: the frames of a stream from Amazon Bedrock."""

    def __init__(self, rule: EndRule, document: Document) -> None:
        """`document` judges a body in which no event comes."""
        self.events = False
        self._rule: EndRule = rule
        self._document = document
        self._data = bytearray()
        self._skipped = 0
        self._texts = False

    def feed(self, data: bytes) -> Iterator[Facts]:
        if not self.events:
            self._document.add(data)
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
            yield from self._document.judge()

    def _skip(self) -> bool:
        """Drops what there is of a frame that is too long. Returns whether that frame is over."""
        skipped = min(self._skipped, len(self._data))
        del self._data[:skipped]
        self._skipped -= skipped
        return not self._skipped

    def _frame(self, data: bytes) -> Facts | None:
        frame = read_frame(data)
        if frame is None:
            return None
        self.events = True
        payload = decode(frame.payload)
        error = read_frame_error(frame.headers, payload)
        if error is not None:
            return Facts(error=error)
        if self._rule == "converse":
            return converse.read_event(frame.headers.get(":event-type"), payload)
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
