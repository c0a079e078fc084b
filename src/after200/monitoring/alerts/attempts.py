# SPDX-License-Identifier: Apache-2.0
"""Alerts on requests that the SDK repeats, and on rate limits that are nearly used up."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring.alerts.alert import SHARE, WHERE, Alert
from after200.monitoring.naming import label
from after200.monitoring.promql import select_gauge


def limits(policy: p.Policy) -> list[Alert]:
    """What will be refused soon."""
    kind = label(names.RATE_LIMIT_KIND)
    used = f"max by ({', '.join((*p.LEVEL, kind))}) ({select_gauge(names.RATE_LIMIT_UTILIZATION)})"
    return [
        Alert(
            "ClaudeRateLimitNear",
            "warning",
            f"{used} > {policy.limit_warning:g}",
            "A rate limit of Claude is nearly used up.",
            f"{SHARE} of the limit {{{{ $labels.{kind} }}}} of {WHERE} is used up. Calls beyond it are refused with "
            "429.",
            policy.limit_hold,
        )
    ]


def retries(policy: p.Policy) -> list[Alert]:
    """What the SDK repeats without telling anybody."""
    w = policy.window
    return [
        Alert(
            "ClaudeRetryStorm",
            "warning",
            f"{r.REFUSED}{w} > {policy.refused_warning:g} "
            f"and model:after200_attempts:increase{w} >= {policy.minimum_attempts}",
            "The SDK repeats a large share of its requests to Claude.",
            f"{SHARE} of the HTTP requests of {WHERE} were answered with something that the SDK sends again, or not at "
            f"all (last {w}). Calls take longer, and the retries add to the load.",
            policy.refused_hold,
        )
    ]
