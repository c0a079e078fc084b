# SPDX-License-Identifier: Apache-2.0
"""Bodies with `content-encoding: gzip`: compressed as they should be, not at all, overwritten, or cut short."""

from __future__ import annotations

import gzip
import zlib

from .steps import Gzip

_GARBAGE = b"\xff" * 16


class Plain:
    """The body as it is."""

    def part(self, data: bytes) -> bytes:
        """The next bytes of the body."""
        return data

    def end(self) -> bytes:
        """The last bytes of the body."""
        return b""


class Compressor(Plain):
    """The body compressed piece by piece, so that a client can decode each piece as soon as it arrives."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(wbits=31)

    def part(self, data: bytes) -> bytes:
        return self._compress.compress(data) + self._compress.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compress.flush()


NOT_COMPRESSED = Plain()


def encoding_headers(how: Gzip) -> dict[str, str]:
    """The header that says so, whether it is true or not."""
    return {"content-encoding": "gzip"} if how else {}


def compress(body: bytes, how: Gzip) -> bytes:
    """A whole body, encoded in this way."""
    if how in ("", "absent"):
        return body
    packed = gzip.compress(body, mtime=0)
    half = len(packed) // 2
    if how == "broken":
        return packed[:half] + _GARBAGE + packed[half + len(_GARBAGE) :]
    return packed[:half] if how == "cut" else packed
