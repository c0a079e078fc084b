# SPDX-License-Identifier: Apache-2.0
"""Encode `application/vnd.amazon.eventstream` frames: headers and a payload in, one frame out, both CRCs right.

Layout (big endian): total length, headers length, CRC of these eight bytes, headers, payload, CRC of all before it.
Only string headers (type 7) are written; Bedrock uses no others.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping

CHUNK_HEADERS: dict[str, str] = {
    ":event-type": "chunk",
    ":content-type": "application/json",
    ":message-type": "event",
}
"""The headers of a `chunk` event."""
_STRING = 7


def encode_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame."""
    block = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    body = prelude + _crc(prelude) + block + payload
    return body + _crc(body)


def encode_chunk(data: bytes) -> bytes:
    """One `chunk` event of `InvokeModelWithResponseStream`; `data` is what the model sent."""
    return encode_frame(CHUNK_HEADERS, chunk_payload(data))


def chunk_payload(data: bytes) -> bytes:
    """The payload of a `chunk` event; `p` is the padding that Bedrock adds against traffic analysis."""
    return json.dumps({"bytes": base64.b64encode(data).decode("ascii"), "p": "abcdefgh"}).encode()


def exception_headers(name: str) -> dict[str, str]:
    """The headers of an exception frame."""
    return {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}


def error_headers(code: str, message: str) -> dict[str, str]:
    """The headers of an error frame: it has no payload, the headers say it all."""
    return {":error-code": code, ":error-message": message, ":message-type": "error"}


def break_frame(frame: bytes, how: str) -> bytes:
    """The frame with a wrong CRC (`crc`), or without its second half (`short`)."""
    if how == "crc":
        return frame[:-4] + bytes(byte ^ 0xFF for byte in frame[-4:])
    return frame[: len(frame) // 2]


def _encode_header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    return struct.pack("!B", len(raw_name)) + raw_name + struct.pack("!BH", _STRING, len(raw_value)) + raw_value


def _crc(data: bytes) -> bytes:
    return struct.pack("!I", zlib.crc32(data))
