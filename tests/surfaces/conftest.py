# SPDX-License-Identifier: Apache-2.0
"""`connect`: a client that is played one scenario."""

from __future__ import annotations

from typing import Any

import pytest

from after200.faults import FaultServer

from ..support.platforms.clients import make_client
from .needs import Connect


@pytest.fixture
def connect(server: FaultServer, request: pytest.FixtureRequest) -> Connect:
    """A client of the Claude API, with a count of attempts of its own at the server."""

    def connect_one(scenario: str, **more: Any) -> Any:
        return make_client("anthropic", server, scenario, request.node.name, **more)

    return connect_one
