# SPDX-License-Identifier: Apache-2.0
"""A server that fails the way the Claude API fails: named faults over real sockets, for tests and demonstrations.

    with FaultServer() as server:
        client = anthropic.Anthropic(base_url=server.base_url("overloaded_error_mid_stream"), api_key="none")

Needs the extra `faults`. It knows nothing of the instrumentation, and the instrumentation nothing of it.
"""

from __future__ import annotations

from .catalog import SCENARIOS
from .log import Served
from .mix import parse_mix
from .scenarios import Scenario
from .server import FaultServer

__all__ = ["SCENARIOS", "FaultServer", "Scenario", "Served", "parse_mix"]
