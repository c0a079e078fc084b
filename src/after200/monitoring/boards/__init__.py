# SPDX-License-Identifier: Apache-2.0
"""The six dashboards: a policy comes in, one JSON model per file name goes out. One module per dashboard."""

from __future__ import annotations

from typing import Any

from after200.monitoring.boards import after_the_200, answers, attempts, budget, latency, tokens
from after200.monitoring.policy import Policy

MODULES = (after_the_200, answers, latency, attempts, tokens, budget)


def dashboards(policy: Policy) -> dict[str, dict[str, Any]]:
    """Every dashboard as Grafana imports it, by the name of its file."""
    boards = [module.dashboard(policy) for module in MODULES]
    return {f"{board.uid}.json": board.model(policy) for board in boards}
