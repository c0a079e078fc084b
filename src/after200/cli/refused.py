# SPDX-License-Identifier: Apache-2.0
"""Why a request to the receiver was refused, and the setting of the sender that mends it.

The first bytes of a connection, or what is wrong with a request, go in; a `Refusal` comes out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0"
"""How every connection of HTTP/2 begins (RFC 9113, section 3.4), and so every gRPC exporter."""

TLS_HANDSHAKE: Final = b"\x16\x03"
"""How every connection of TLS begins: a record of type handshake, version 3."""

PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"


class Refusal(NamedTuple):
    """A request that was refused."""

    reason: str
    """What was wrong, in one line."""

    remedy: str = ""
    """The setting of the sender that mends it; empty where there is none."""

    def __str__(self) -> str:
        return f"{self.reason}; set {self.remedy}" if self.remedy else self.reason


def of_connection(first: bytes, url: str) -> Refusal | None:
    """Returns why a connection to `url` that begins with `first` is refused; None when it may be HTTP."""
    if first.startswith(PREFACE[: len(first)]) and len(first) >= 3:
        return Refusal("gRPC (HTTP/2) came to this port, which takes OTLP over HTTP", PROTOCOL)
    if first.startswith(TLS_HANDSHAKE):
        return Refusal("TLS came to this port, which is plain HTTP", f"OTEL_EXPORTER_OTLP_ENDPOINT={url}")
    return None


def remedy_of(path: str, content_type: str, content_encoding: str, url: str) -> str:
    """Returns the setting that mends a request of HTTP with this path and these headers."""
    if not path.startswith("/v1/"):
        return f"OTEL_EXPORTER_OTLP_ENDPOINT={url}"
    if content_type != "application/x-protobuf":
        return PROTOCOL
    return "OTEL_EXPORTER_OTLP_COMPRESSION=gzip" if content_encoding not in ("identity", "gzip", "deflate") else ""
