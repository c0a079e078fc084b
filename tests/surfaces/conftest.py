# SPDX-License-Identifier: Apache-2.0
"""`connect`: a client that is played one scenario; and what is needed of the SDK, looked up in the SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer

from ..providers.clients import make_client

Connect = Callable[..., Any]

_CLIENT = anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:9")


def needs(path: str) -> pytest.MarkDecorator:
    """Skips tests of what the installed SDK does not have: a dotted path below the client."""
    found: Any = _CLIENT
    for name in path.split("."):
        found = getattr(found, name, None)
    return pytest.mark.skipif(found is None, reason=f"this version of the SDK has no {path}")


@pytest.fixture
def connect(server: FaultServer, request: pytest.FixtureRequest) -> Connect:
    """A client of the Claude API, with a count of attempts of its own at the server."""

    def connect_one(scenario: str, **more: Any) -> Any:
        return make_client("anthropic", server, scenario, request.node.name, **more)

    return connect_one
