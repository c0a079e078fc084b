# SPDX-License-Identifier: Apache-2.0
"""How an event looks on the wire: SSE, AWS event-stream chunks, or JSON lines; and the headers that go with it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping

from .eventstream import CHUNK_HEADERS, encode_chunk, encode_frame
from .requests import Request
from .steps import Error, Event, Gzip

_GARBAGE = b"\xff" * 16
_GZIP = 31
"""The window of zlib, with the header and the checksum of gzip."""


def content_type(request: Request) -> str:
    """The media type of a stream."""
    if request.wire == "bedrock":
        return "application/vnd.amazon.eventstream"
    return "application/x-jsonl" if request.api == "batches" else "text/event-stream; charset=utf-8"


def response_headers(request: Request) -> dict[str, str]:
    """The headers every answer carries."""
    if request.wire == "bedrock":
        return {"x-amzn-requestid": request.request_id}
    return {"request-id": request.request_id}


def encode_event(event: Event, request: Request) -> bytes:
    """One event, encoded for the wire of the request."""
    data = encode_json(event.data) if isinstance(event.data, Mapping) else event.data or b""
    if request.api == "converse":
        return encode_frame({**CHUNK_HEADERS, ":event-type": event.name or "chunk"}, data)
    if request.wire == "bedrock":
        return encode_chunk(data)
    if request.api == "batches":
        return data + b"\n"
    name = b"" if event.name is None else b"event: " + event.name.encode() + b"\n"
    return name + (b"" if event.data is None else b"data: " + data + b"\n") + b"\n"


def error_event(error: Error, request: Request) -> Event:
    """An error event as the API sends it in the middle of a stream."""
    envelope = error_envelope(error.type, error.message, error.code)
    return Event("error", with_request_id(envelope, request), failure=error.type)


def error_envelope(error_type: str, message: str, code: str = "") -> dict[str, object]:
    """The body of every error of the Claude API; `code` is what stands in `error.details.error_code`."""
    details = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": error_type, "message": message, **details}}


def with_request_id(body: Mapping[str, object], request: Request) -> Mapping[str, object]:
    """The body with the request's id, where the API sends it: in its own errors."""
    return {**body, "request_id": request.request_id} if body.get("type") == "error" else body


def encode_json(value: Mapping[str, object]) -> bytes:
    """JSON as the API writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def encoding_headers(how: Gzip) -> dict[str, str]:
    """The header that says that the body is compressed, whether it is true or not."""
    return {"content-encoding": "gzip"} if how else {}


def compress(body: bytes, how: Gzip) -> bytes:
    """A whole body: compressed as it should be, not at all, overwritten, or cut short."""
    if how in ("", "absent"):
        return body
    if how == "sound":
        return gzip.compress(body, mtime=0)
    # What a reader decodes is the first half of the content, whatever ids are in it and however well they compress.
    half = len(body) // 2
    packer = zlib.compressobj(wbits=_GZIP)
    first = packer.compress(body[:half]) + packer.flush(zlib.Z_SYNC_FLUSH)
    return first if how == "cut" else first + _GARBAGE + packer.compress(body[half:]) + packer.flush()
