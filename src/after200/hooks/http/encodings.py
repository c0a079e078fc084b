# SPDX-License-Identifier: Apache-2.0
"""Undoes the content encodings of a body that urllib3 hands on as it was sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from .protocols import Decoder


class Decoders:
    """Undoes the encodings of a body piece by piece, as urllib3 would, for a reader that does so itself."""

    def __init__(self, encodings: str) -> None:
        """`encodings`: the header. A name that urllib3 does not know is skipped: it hands such bytes on as they are."""
        module = sys.modules.get("urllib3.response")
        names = [_DECODERS.get(encoding.strip().lower(), "") for encoding in encodings.split(",")]
        known: list[Callable[[], Decoder] | None] = [getattr(module, name, None) for name in reversed(names)]
        self._decoders = [make() for make in known if make is not None]

    def __bool__(self) -> bool:
        return bool(self._decoders)

    def decode(self, data: bytes) -> bytes | None:
        """Returns what `data` says; None for what is not in the format."""
        try:
            for decoder in self._decoders:
                data = decoder.decompress(data)
        except Exception:  # Each format raises an exception of its own.
            return None
        return data


_DECODERS: Final = {
    "gzip": "GzipDecoder",
    "x-gzip": "GzipDecoder",
    "deflate": "DeflateDecoder",
    "br": "BrotliDecoder",
    "zstd": "ZstdDecoder",
}
"""The encodings, and urllib3's classes for them. It has the last two where another package is installed."""
