# SPDX-License-Identifier: Apache-2.0
"""The port that a test chose for a server is still free when the server starts."""

from __future__ import annotations

import socket

import pytest

from ..support.ports import free_port


def test_a_chosen_port_is_given_to_nobody_else_and_a_server_can_listen_there() -> None:
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(server.getsockname()):
        pass
