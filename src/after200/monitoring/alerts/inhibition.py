# SPDX-License-Identifier: Apache-2.0
"""One storm, one name: which alert silences which for the same model. A table, from which Alertmanager's rules come.

The name that says most wins: that of one kind of failure, before that of failures behind a 200, before that of a model
which does not answer, before that of the error budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from after200.monitoring import policy as p
from after200.monitoring.alerts.failures import BILLING, BURN, DOWN, SYMPTOMATIC
from after200.monitoring.symptoms import KINDS
from after200.names.prometheus import label

SPECIAL: Final = (*(SYMPTOMATIC[kind.name].alert for kind in KINDS), BILLING)
HIDDEN: Final = SYMPTOMATIC["hidden"].alert
RETRIES: Final = "ClaudeRetryStorm"
FAILING: Final = (*SPECIAL, HIDDEN, DOWN, BURN)
"""Every alert on calls that fail."""


@dataclass(frozen=True)
class Inhibition:
    """While any of the sources fires for a model, none of the targets is sent for it: a severity, and alerts."""

    why: str
    source: tuple[str, tuple[str, ...]]
    target: tuple[str, tuple[str, ...]]


INHIBITIONS: Final = (
    Inhibition(
        "A page on one kind of failure says what the general ones only count.",
        ("critical", SPECIAL),
        ("critical", (HIDDEN, DOWN, BURN)),
    ),
    Inhibition("So do failures behind a 200.", ("critical", (HIDDEN,)), ("critical", (DOWN, BURN))),
    Inhibition("A model that does not answer is more than a budget.", ("critical", (DOWN,)), ("critical", (BURN,))),
    Inhibition("A warning on one kind of failure, likewise.", ("warning", SPECIAL), ("warning", (HIDDEN,))),
    Inhibition(
        "Whoever has been paged needs no warning of the same failures.",
        ("critical", FAILING),
        ("warning", (*FAILING, RETRIES)),
    ),
)


def as_yaml() -> str:
    """The table as `inhibit_rules` of Alertmanager."""
    lines = []
    for one in INHIBITIONS:
        lines.append(f"  # {one.why}")
        for part, (severity, alerts) in (("source", one.source), ("target", one.target)):
            matchers = f'[severity="{severity}", alertname=~"{"|".join(alerts)}"]'
            lines.append(f"{'  - ' if part == 'source' else '    '}{part}_matchers: {matchers}")
        lines.append(f"    equal: [{', '.join(map(label, p.LEVEL))}]")
    return "\n".join(lines)
