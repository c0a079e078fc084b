# SPDX-License-Identifier: Apache-2.0
"""The bytes of a stream from Amazon Bedrock, frames of `application/vnd.amazon.eventstream`, → `Facts`.

A frame is, in big endian: its length, the length of its headers, a checksum of both, the headers, the payload, and a
checksum of all before it. Source: the documentation of Amazon Transcribe, "Event stream encoding".
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..names.endings import EndRule
from . import converse
from .documents import Document
from .errors import find_error, read_frame_error
from .events import decode, is_plain_payload
from .facts import CHUNK_CAME, Facts
from .limits import MAX_EVENT
from .lines import PRELUDE
from .messages import read_payload

CHECKSUM: Final = 4
"""The length of the checksum at the end of a frame."""

_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The type of a header → the length of its value. Those of types 6 and 7, bytes and text, say their length."""

_TEXT: Final = 7

BACKSLASH: Final = ord("\\")


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
        self._chunk_headers: bytes | None = None
        """The headers of the frames that have chunks, as they are sent; None before the first text came."""

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
                facts = CHUNK_CAME if self.is_plain_chunk(frame) else self._frame(frame)
                if facts is not None:
                    yield facts

    @property
    def only_counts_chunks(self) -> bool:
        """Whether a further chunk without an error says nothing but that it came. Once so, it stays so."""
        return self._chunk_headers is not None

    @property
    def is_between_events(self) -> bool:
        """Whether the next piece begins a frame."""
        return not self._data and not self._skipped

    def is_plain_chunk(self, data: bytes) -> bool:
        """Returns whether `data`, a piece of the body, is one sound frame with a chunk, and no error.

        Such a frame has the headers of an earlier one, so that only its payload is looked at.
        """
        headers = self._chunk_headers
        if headers is None or not data.startswith(headers, PRELUDE):
            return False
        payload = read_payload_after(len(headers), data)
        if payload is None:
            return False
        return is_object(payload) if self._rule == "converse" else is_plain_payload(chunk_in(payload))

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
            facts = converse.read_event(frame.headers.get(":event-type"), payload)
        else:
            facts = _read_chunk(payload)
        if facts is None or not facts.chunk or self._rule not in ("message", "converse"):
            return facts
        if self._texts:
            self._chunk_headers = data[PRELUDE : len(data) - CHECKSUM - len(frame.payload)]
            return CHUNK_CAME
        self._texts = facts.text
        return facts


def _read_chunk(payload: object) -> Facts | None:
    encoded = payload.get("bytes") if isinstance(payload, dict) else None
    if not isinstance(encoded, str):
        error = find_error(payload)
        return None if error is None else Facts(error=error)
    try:
        data = b64decode(encoded).decode("utf-8", "replace")
    except (Base64Error, ValueError):
        return None
    return read_payload(decode(data))


# --- a frame with a chunk, as Bedrock writes it: `{"bytes":"...","p":"..."}`, where `p` only makes it longer ---

_PRELUDE: Final = struct.Struct("!III")
_SUM: Final = struct.Struct("!I")

_BEFORE: Final = ([b"{", b"bytes", b":"], [b"{", b"bytes", b": "])
_PADDING: Final = ([b",", b"p", b":"], [b", ", b"p", b": "])
"""What stands before the event, and between it and the padding, between the quotes, in either form of JSON."""


def read_payload_after(headers: int, data: bytes) -> bytes | None:
    """Returns the payload of the sound frame that `data` is, whose headers are so long; None for any other bytes."""
    end = len(data) - CHECKSUM
    length, headers_length, prelude_sum = _PRELUDE.unpack_from(data)
    if length != len(data) or headers_length != headers or zlib.crc32(data[:8]) != prelude_sum:
        return None
    return data[PRELUDE + headers : end] if zlib.crc32(data[:end]) == _SUM.unpack_from(data, end)[0] else None


def is_object(payload: bytes) -> bool:
    """Returns whether `payload` looks like a JSON object."""
    return payload[:1] == b"{" and payload[-1:] == b"}"


def chunk_in(payload: bytes) -> bytes:
    """Returns the event in `payload`, decoded; nothing for a payload in any other form than Bedrock's."""
    parts = payload.split(b'"')
    if parts[-1] != b"}" or parts[:3] not in _BEFORE or BACKSLASH in parts[3]:
        return b""
    if len(parts) != 5 and not (len(parts) == 9 and parts[4:7] in _PADDING and parts[7].isalnum()):
        return b""
    try:
        return a2b_base64(parts[3])
    except Base64Error:
        return b""
