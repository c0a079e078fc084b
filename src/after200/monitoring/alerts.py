# SPDX-License-Identifier: Apache-2.0
"""The alerts: a policy comes in, alert groups as plain data go out, for Prometheus and (see `grafana_alerts`) Grafana.

An alert's value is always above 0 when it fires, so that Grafana can test it with one threshold. Streams that the
application closed or cancelled never fire anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring.naming import label
from after200.monitoring.promql import select, sum_by

MODEL, PROVIDER = label(names.REQUEST_MODEL), label(names.PROVIDER_NAME)
WHERE = f"{{{{ $labels.job }}}}, model {{{{ $labels.{MODEL} }}}} at {{{{ $labels.{PROVIDER} }}}}"
SHARE = "{{ $value | humanizePercentage }}"


@dataclass(frozen=True)
class Alert:
    """One alert rule. `hold` is Prometheus' `for`; every one has a page named after it under `runbooks/`."""

    name: str
    severity: str
    expr: str
    summary: str
    description: str
    hold: str = "0s"
    labels: tuple[tuple[str, str], ...] = ()
    """What tells two rules of one name and severity apart."""

    def rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.hold} if self.hold != "0s" else {}),
            "labels": {"severity": self.severity, **dict(self.labels)},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{policy.runbooks}/{self.name}.md",
            },
        }


def alert_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All alert groups, in Prometheus' form."""
    groups = {"symptoms": symptoms, "streams": streams, "retries": retries, "budget": budget, "telemetry": telemetry}
    return [
        {"name": f"after200.alerts.{name}", "rules": [alert.rule(policy) for alert in alerts(policy)]}
        for name, alerts in groups.items()
    ]


def all_alerts(policy: p.Policy) -> list[Alert]:
    return [alert for group in (symptoms, streams, retries, budget, telemetry) for alert in group(policy)]


def symptoms(policy: p.Policy) -> list[Alert]:
    """What calls suffer: each warns from the very first one, and pages only when there is traffic enough to judge."""
    w = policy.window
    failure = label(names.FAILURE)
    table = (
        (
            "ClaudeHiddenFailures",
            f"{r.HIDDEN}:ratio{w}",
            (policy.hidden_warning, policy.hidden_critical),
            "Calls to Claude fail after HTTP has answered 200.",
            "failed after an HTTP status of 200. HTTP metrics and gateways count them as successes",
        ),
        (
            "ClaudeOverloaded",
            f'{r.BY_FAILURE}{w}{{{failure}="overloaded"}}',
            (policy.overloaded_warning, policy.overloaded_critical),
            "Claude is overloaded.",
            "failed because the model is overloaded, before the stream (529, 503) or in it (behind a 200)",
        ),
        (
            "ClaudeRateLimited",
            f'{r.BY_FAILURE}{w}{{{failure}="rate_limited"}}',
            (policy.rate_limited_warning, policy.rate_limited_critical),
            "Claude refuses calls because a rate limit is reached.",
            "failed because a rate limit or quota is reached, before the stream (429) or in it (behind a 200)",
        ),
        (
            "ClaudeTruncatedStreams",
            f'{r.BY_FAILURE}{w}{{{failure}="truncated"}}',
            (policy.truncated_warning, policy.truncated_critical),
            "Streams from Claude end without their end event, and nobody raises an error.",
            "ended without message_stop and without an error. The application may have taken half an answer for a "
            "whole one",
        ),
    )
    alerts = []
    for name, ratio, (warning, critical), summary, what in table:
        description = f"{SHARE} of the calls of {WHERE} {what} (last {w})."
        enough = f"{r.JUDGED}{w} >= {policy.minimum_calls}"
        paging = f"{ratio} > {critical:g} and on ({', '.join(p.LEVEL)}) {enough}"
        alerts += [
            Alert(name, "critical", paging, summary, description, policy.critical_hold),
            Alert(name, "warning", f"{ratio} > {warning:g}", summary, description),
        ]
    return alerts


def streams(policy: p.Policy) -> list[Alert]:
    """What streams suffer, and what the application does to them."""
    w = policy.window
    many = f"{r.STREAMS}{w} >= {policy.minimum_streams}"
    calls_ended = r.OUTCOMES + w
    return [
        Alert(
            "ClaudeStreamStalls",
            "warning",
            f"{r.STALLED}{w} > {policy.stalled_warning:g} and {many}",
            "Streams from Claude stall.",
            f"{SHARE} of the streams of {WHERE} had a gap of more than {policy.stall_seconds:g} s (last {w}).",
        ),
        Alert(
            "ClaudeStreamsStuck",
            "warning",
            f"{sum_by(p.LEVEL, select(names.STREAMS_OPEN))} > 0 unless {sum_by(p.LEVEL, calls_ended)} > 0",
            "Streams from Claude stay open and no call ends.",
            f"{{{{ $value }}}} streams of {WHERE} are open, and no call has ended for {policy.stuck_hold}.",
            policy.stuck_hold,
        ),
        Alert(
            "ClaudeAbandonedStreams",
            "warning",
            f"{r.ABANDONED}{w} > {policy.abandoned_warning:g}",
            "The application drops streams from Claude without closing them.",
            f"{SHARE} of the calls of {WHERE} were dropped without being read to the end or closed (last {w}). "
            "Connections leak until the garbage collector comes by.",
        ),
    ]


def retries(policy: p.Policy) -> list[Alert]:
    """What the SDK repeats without telling anybody."""
    w = policy.window
    return [
        Alert(
            "ClaudeRetryStorm",
            "warning",
            f"{r.REFUSED}{w} > {policy.refused_warning:g} and {r.ATTEMPTS}{w} >= {policy.minimum_attempts}",
            "The SDK repeats a large share of its requests to Claude.",
            f"{SHARE} of the HTTP requests of {WHERE} were answered with something that the SDK sends again, or not at "
            f"all (last {w}). Calls take longer, and the retries add to the load.",
            policy.refused_hold,
        )
    ]


def budget(policy: p.Policy) -> list[Alert]:
    """The error budget is used up too fast: over a long window, and still now."""
    alerts = []
    for burn in p.BURN_WINDOWS:
        limit = f"{burn.factor:g} * {policy.error_budget:g}"
        alerts.append(
            Alert(
                "ClaudeErrorBudgetBurn",
                burn.severity,
                f"{r.BAD}:ratio{burn.long} > {limit} and {r.BAD}:ratio{burn.short} > {limit} "
                f"and {r.VALID}{burn.long} >= {policy.slo_minimum_calls}",
                "Calls to Claude use up their error budget too fast.",
                f"{SHARE} of the calls of {WHERE} failed over the last {burn.long}, {burn.factor:g} times what an "
                f"objective "
                f"of {policy.slo_target:.4g} over {policy.slo_period} allows. Not counted: the caller's own mistakes.",
                burn.hold,
                labels=(("long", burn.long), ("short", burn.short)),
            )
        )
    return alerts


def telemetry(policy: p.Policy) -> list[Alert]:
    """Nothing is measured any more, so nothing else can fire."""
    calls = select(names.CALLS)
    seen = f"count by (job) (last_over_time({calls}[{policy.absent_memory}]))"
    return [
        Alert(
            "ClaudeTelemetryAbsent",
            "warning",
            f"{seen} unless {sum_by(('job',), calls)} >= 0",
            "A job has stopped reporting its calls to Claude.",
            f"{{{{ $labels.job }}}} has reported calls to Claude within the last {policy.absent_memory}, and reports "
            f"none now. "
            "Every other alert on it is blind.",
            policy.absent_hold,
            labels=(("scope", "job"),),
        ),
        Alert(
            "ClaudeTelemetryAbsent",
            "warning",
            f"absent({calls})",
            "No job reports calls to Claude.",
            f"There is no series {calls}. Every other alert on calls to Claude is blind.",
            policy.absent_hold,
            labels=(("scope", "all"),),
        ),
    ]
