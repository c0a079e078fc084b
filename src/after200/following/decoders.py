# SPDX-License-Identifier: Apache-2.0
"""What undoes the content encodings of a body: the decoders of the HTTP client that the application uses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

from .protocols import Decoder, Headers


def as_bytes(decoded: bytes | Iterable[bytes]) -> bytes:
    """Returns what a content decoder gave as bytes: it gives bytes, or an iterator over them (httpx2)."""
    return decoded if isinstance(decoded, bytes) else b"".join(decoded)


def make_decoders(headers: Headers) -> list[Decoder]:
    """Returns what undoes the encodings of a body as the HTTP client does whose headers these are.

    The last encoding is undone first, and a name that the client does not know is skipped: it hands out such bytes.
    """
    encodings = headers.get("content-encoding")
    if not encodings:
        return []
    client = type(headers).__module__.partition(".")[0]
    known: Mapping[str, Callable[[], Decoder]] = getattr(
        sys.modules.get(f"{client}._decoders"), "SUPPORTED_DECODERS", {}
    )
    names = [name.strip().lower() for name in encodings.split(",")]
    return [known[name]() for name in reversed(names) if name in known and name != "identity"]
