# SPDX-License-Identifier: Apache-2.0
"""Where things are shown: the uid of each dashboard, the id of each panel, and the panel that explains each alert.

Nothing is imported here, so that alerts can lead to panels and panels to the runbooks of alerts.
"""

from __future__ import annotations

import zlib
from typing import Final

CALLS: Final = "after200-calls"
ANSWERS: Final = "after200-answers"
LATENCY: Final = "after200-latency"
ATTEMPTS: Final = "after200-attempts"
TOKENS: Final = "after200-tokens"
BUDGET: Final = "after200-budget"

ALERTS: Final[dict[str, tuple[str, str]]] = {
    "ClaudeHiddenFailures": (CALLS, "Hidden failures by error type"),
    "ClaudeOverloaded": (CALLS, "Failed calls by failure"),
    "ClaudeRateLimited": (CALLS, "Failed calls by failure"),
    "ClaudeServerErrors": (CALLS, "Failed calls by failure"),
    "ClaudeCallsRejected": (CALLS, "Failed calls by failure"),
    "ClaudeDown": (CALLS, "Failed calls by failure"),
    "ClaudeBilling": (CALLS, "Failed calls by failure"),
    "ClaudeTruncatedStreams": (CALLS, "Hidden failures by error type"),
    "ClaudeAbandonedStreams": (CALLS, "Streams cancelled or abandoned"),
    "ClaudeNoTraffic": (CALLS, "Success rate: claimed and true"),
    "ClaudeTelemetryAbsent": (CALLS, "Success rate: claimed and true"),
    "ClaudeRefusals": (ANSWERS, "Answers that are not complete"),
    "ClaudeAnswersCut": (ANSWERS, "Answers that are not complete"),
    "ClaudeServerToolsFail": (ANSWERS, "Server tools that fail"),
    "ClaudeStreamStalls": (LATENCY, "Streams that stalled"),
    "ClaudeStreamsStuck": (LATENCY, "Open streams"),
    "ClaudeRetryStorm": (ATTEMPTS, "Failed attempts by model"),
    "ClaudeRateLimitNear": (ATTEMPTS, "Rate limits used up"),
    "ClaudeErrorBudgetBurn": (BUDGET, "Budget spent"),
}
"""Every alert → the dashboard's uid and the title of the panel that shows what it is about."""


def panel_id(title: str) -> int:
    """The id of the panel with this title. It depends on nothing else, so links to a panel hold when others move."""
    return 1000 + zlib.crc32(title.encode()) % 999_000
