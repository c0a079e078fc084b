# SPDX-License-Identifier: Apache-2.0
"""A server that fails the way the Claude API fails: named faults over real sockets, for tests and demonstrations.

    with FaultServer() as server:
        client = anthropic.Anthropic(base_url=server.base_url("overloaded_error_mid_stream"), api_key="none")

Needs the extra `faults`. It knows nothing of the instrumentation but the names in `after200.names`, and the
instrumentation nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalog import SCENARIOS
    from .log import Served
    from .mix import parse_mix
    from .scenarios import Scenario
    from .server import FaultServer
    from .truth import ServerTool, Tokens, Truth

__all__ = ["SCENARIOS", "FaultServer", "Scenario", "Served", "ServerTool", "Tokens", "Truth", "parse_mix"]
_PLACES = {
    "SCENARIOS": ".catalog",
    "FaultServer": ".server",
    "Scenario": ".scenarios",
    "Served": ".log",
    "ServerTool": ".truth",
    "Tokens": ".truth",
    "Truth": ".truth",
    "parse_mix": ".mix",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first asked for: the catalog needs no h11, the server does."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
