# SPDX-License-Identifier: Apache-2.0
"""A server that fails the way the Claude API fails: named faults over real sockets, for tests and demonstrations.

    with FaultServer() as server:
        client = anthropic.Anthropic(base_url=server.base_url("overloaded_error_mid_stream"), api_key="none")

Needs the extra `faults`. It knows nothing of the instrumentation but the names in `after200.names`, and the
instrumentation nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalog import SCENARIOS
from .log import Served
from .mix import parse_mix
from .scenarios import Scenario
from .truth import ServerTool, Tokens, Truth

if TYPE_CHECKING:
    from .server import FaultServer

__all__ = ["SCENARIOS", "FaultServer", "Scenario", "Served", "ServerTool", "Tokens", "Truth", "parse_mix"]


def __getattr__(name: str) -> object:
    """Imports the server when it is first asked for: it needs h11, the catalog does not."""
    if name != "FaultServer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .server import FaultServer

    return FaultServer


def __dir__() -> list[str]:
    return __all__
