# SPDX-License-Identifier: Apache-2.0
"""Ports of 127.0.0.1 for servers that must be told theirs before they start."""

from __future__ import annotations

import socket

_held: list[socket.socket] = []


def free_port() -> int:
    """A port that refuses connections until a server of the test listens there: nobody else is given it meanwhile.

    A socket stays bound to the port until this process ends, so that the kernel gives it neither to a server that asks
    for any port nor to a connection that is opened. `SO_REUSEADDR`, which servers set, lets one listen beside a socket
    that does not (on Linux).
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    _held.append(bound)
    port: int = bound.getsockname()[1]
    return port
