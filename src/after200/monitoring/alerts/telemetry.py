# SPDX-License-Identifier: Apache-2.0
"""Alerts on jobs that stopped reporting."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import sums
from after200.monitoring.alerts.alert import URL_OF_JOB, Alert
from after200.monitoring.naming import metric_name


def telemetry(policy: p.Policy) -> list[Alert]:
    """Nothing is measured any more, so nothing else can fire."""
    calls = sums.CALLS.sum
    seen = f"count by (job) (last_over_time({calls}[{policy.absent_memory}]))"
    return [
        Alert(
            "ClaudeTelemetryAbsent",
            "warning",
            f"{seen} unless count by (job) ({calls})",
            "A job has stopped reporting its calls to Claude.",
            f"{{{{ $labels.job }}}} has reported calls to Claude within the last {policy.absent_memory}, and reports "
            "none now. Every other alert on it is blind.",
            policy.absent_hold,
            labels=(("scope", "job"),),
            variables=URL_OF_JOB,
        ),
        Alert(
            "ClaudeTelemetryAbsent",
            "warning",
            f"absent({calls})",
            "No job reports calls to Claude.",
            f"There is no series {calls}, so none of {metric_name(names.CALLS)}. Every other alert on calls to Claude "
            "is blind.",
            policy.absent_hold,
            labels=(("scope", "all"),),
            variables="",
        ),
    ]
