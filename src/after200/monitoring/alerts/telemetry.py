# SPDX-License-Identifier: Apache-2.0
"""Alerts on jobs that stopped reporting, and, where it is turned on, on jobs that stopped calling."""

from __future__ import annotations

from typing import Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import sums
from after200.monitoring.alerts.alert import URL_OF_JOB, Alert
from after200.monitoring.promql import count_by, sum_by
from after200.monitoring.windows import seconds
from after200.names.prometheus import metric_name

NO_TRAFFIC: Final = "ClaudeNoTraffic"
TRAFFIC_BEFORE: Final = "1h"
"""How far back traffic is looked for that is missing now."""


def telemetry(policy: p.Policy) -> list[Alert]:
    """Nothing is measured any more, so nothing else can fire."""
    calls = sums.CALLS.sum
    seen = count_by(["job"], f"last_over_time({calls}[{policy.absent_memory}])")
    return [
        Alert(
            "ClaudeTelemetryAbsent",
            f"{seen} unless {count_by(['job'], calls)}",
            "A job has stopped reporting its calls to Claude.",
            f"{{{{ $labels.job }}}} has reported calls to Claude within the last {policy.absent_memory}, and reports "
            "none now. Every other alert on it is blind.",
            policy.absent_hold,
            policy.absent_severity,
            labels=(("scope", "job"),),
            variables=URL_OF_JOB,
            reach=seconds(policy.absent_memory),
        ),
        Alert(
            "ClaudeTelemetryAbsent",
            f"absent({calls})",
            "No job reports calls to Claude.",
            f"There is no series {calls}, so none of {metric_name(names.CALLS)}. Every other alert on calls to Claude "
            "is blind.",
            policy.absent_hold,
            policy.absent_severity,
            labels=(("scope", "all"),),
            variables="",
            reach=seconds(policy.absent_memory),
        ),
        *no_traffic(policy),
    ]


def no_traffic(policy: p.Policy) -> list[Alert]:
    """A job still reports, and makes no calls any more. Off by default: most services have quiet hours."""
    w, increase = policy.window, sums.CALLS.increase(policy.window)
    before = f"sum_over_time({increase}[{TRAFFIC_BEFORE}:{w}])"
    if policy.no_traffic_severity == "off":
        return []
    return [
        Alert(
            NO_TRAFFIC,
            f"{sum_by(['job'], before)} >= {policy.no_traffic_calls} and {sum_by(['job'], increase)} == 0",
            "A job makes no calls to Claude any more.",
            f"{{{{ $labels.job }}}} has made {{{{ $value | humanize }}}} calls to Claude in the last {TRAFFIC_BEFORE}, "
            f"and none for {policy.no_traffic_hold}. It still reports: its users, or what sends them to it, may be cut "
            "off.",
            policy.no_traffic_hold,
            policy.no_traffic_severity,
            variables=URL_OF_JOB,
        )
    ]
