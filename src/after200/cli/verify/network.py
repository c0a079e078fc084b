# SPDX-License-Identifier: Apache-2.0
"""Who answers at an exporter's endpoint, and in which protocol: bytes are sent, and the first bytes back are read.

Asked only after a real exporter failed, to say why in words. In comes an endpoint, out goes one `Reply`.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""What an HTTP/2 client says first, with empty SETTINGS."""

TIMEOUT_S = 3.0


class Reply(NamedTuple):
    """`kind`: refused, unresolved, silent, closed, tls (the handshake failed), http1, http2, other."""

    kind: str
    detail: str = ""
    status: int | None = None


def look_at(endpoint: str, *, grpc: bool) -> Reply:
    """What answers at `endpoint` when it is spoken to as the exporter speaks."""
    reply = _look_at(endpoint, grpc)
    if reply.kind in ("closed", "other") and not grpc:
        # Some gRPC servers hang up on HTTP/1; to a client of their own kind they say who they are.
        other = _look_at(endpoint, True)
        return other if other.kind == "http2" else reply
    return reply


def _look_at(endpoint: str, grpc: bool) -> Reply:
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 4317 if grpc else 80)
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as connection:
            if parts.scheme == "https":
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host) as secure:
                    return _speak(secure, host, parts.path, grpc)
            return _speak(connection, host, parts.path, grpc)
    except socket.gaierror as error:
        return Reply("unresolved", str(error))
    except ssl.SSLError as error:
        return Reply("tls", str(error))
    except TimeoutError:
        return Reply("silent", f"no answer within {TIMEOUT_S:g} s")
    except ConnectionRefusedError:
        return Reply("refused")
    except OSError as error:
        return Reply("closed", str(error))


def _speak(connection: socket.socket, host: str, path: str, grpc: bool) -> Reply:
    connection.settimeout(TIMEOUT_S)
    connection.sendall(PREFACE if grpc else _post(host, path or "/"))
    answer = connection.recv(256)
    if not answer:
        return Reply("closed", "the connection was closed without a word")
    status = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    if status:
        return Reply("http1", answer.split(b"\r\n")[0].decode("latin-1"), int(status[1]))
    # An HTTP/2 server begins with a SETTINGS frame: three bytes of length, then its type, 4.
    return Reply("http2" if answer[3:4] == b"\x04" else "other", repr(answer[:20]))


def _post(host: str, path: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/x-protobuf",
        "Content-Length: 0",
        "Connection: close",
        *(f"{name}: {value}" for name, value in _headers()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _headers() -> list[tuple[str, str]]:
    """The user's own headers: without them, a receiver that wants a key would seem to refuse them."""
    pairs = (pair.partition("=") for pair in os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
    read = ((name.strip(), unquote(value).strip()) for name, _, value in pairs)
    return [(name, value) for name, value in read if re.fullmatch(r"[\w-]+", name) and not re.search(r"[\r\n]", value)]
