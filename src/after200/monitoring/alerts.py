# SPDX-License-Identifier: Apache-2.0
"""The alerts: a policy comes in, alert groups as plain data go out, for Prometheus and (see `grafana_alerts`) Grafana.

An alert's value is always above 0 when it fires, so that Grafana can test it with one threshold. Streams that the
application closed or cancelled never fire anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from after200 import names
from after200.monitoring import places
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring.naming import label, metric_name
from after200.monitoring.promql import select, select_gauge, sum_by

MODEL, PROVIDER = label(names.REQUEST_MODEL), label(names.PROVIDER_NAME)
WHERE = f"{{{{ $labels.job }}}}, model {{{{ $labels.{MODEL} }}}} at {{{{ $labels.{PROVIDER} }}}}"
SHARE = "{{ $value | humanizePercentage }}"
URL_OF_JOB = "&var-job={{ $labels.job }}"
URL_OF_MODEL = f"{URL_OF_JOB}&var-model={{{{ $labels.{MODEL} }}}}"


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

    variables: str = URL_OF_MODEL
    """What its dashboard's variables are set to, from the labels of the alert: a part of a query string."""

    def rule(self, policy: p.Policy) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        uid, title = places.ALERTS[self.name]
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.hold} if self.hold != "0s" else {}),
            "labels": {"severity": self.severity, **dict(self.labels)},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{policy.runbooks}/{self.name}.md",
                "dashboard_url": f"{policy.grafana}/d/{uid}?viewPanel={places.panel_id(title)}{self.variables}",
            },
        }


def alert_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All alert groups, in Prometheus' form."""
    return [
        {"name": f"after200.alerts.{group.__name__}", "rules": [alert.rule(policy) for alert in group(policy)]}
        for group in GROUPS
    ]


def all_alerts(policy: p.Policy) -> list[Alert]:
    return [alert for group in GROUPS for alert in group(policy)]


def symptoms(policy: p.Policy) -> list[Alert]:
    """What calls suffer: each warns from the very first one, and pages only when there is traffic enough to judge."""
    w, failure = policy.window, label(names.FAILURE)
    table = (
        (
            "ClaudeHiddenFailures",
            (r.HIDDEN, ""),
            (policy.hidden_warning, policy.hidden_critical),
            "Calls to Claude fail after HTTP has answered 200.",
            "failed after an HTTP status of 200. HTTP metrics and gateways count them as successes",
        ),
        (
            "ClaudeOverloaded",
            (r.BY_FAILURE, f'{{{failure}="overloaded"}}'),
            (policy.overloaded_warning, policy.overloaded_critical),
            "Claude is overloaded.",
            "failed because the model is overloaded, before the stream (529, 503) or in it (behind a 200)",
        ),
        (
            "ClaudeRateLimited",
            (r.BY_FAILURE, f'{{{failure}="rate_limited"}}'),
            (policy.rate_limited_warning, policy.rate_limited_critical),
            "Claude refuses calls because a rate limit is reached.",
            "failed because a rate limit or quota is reached, before the stream (429) or in it (behind a 200)",
        ),
        (
            "ClaudeTruncatedStreams",
            (r.BY_FAILURE, f'{{{failure}="truncated"}}'),
            (policy.truncated_warning, policy.truncated_critical),
            "Streams from Claude end without their end event, and nobody raises an error.",
            "ended without message_stop and without an error. The application may have taken half an answer for a "
            "whole one",
        ),
    )
    alerts = []
    for name, (recorded, matcher), (warning, critical), summary, what in table:
        says = f"{SHARE} of the calls of {WHERE} {what}"
        ratio = f"{recorded}:ratio{w}{matcher}"
        alerts += [
            Alert(
                name,
                "critical",
                page(policy, recorded, matcher, critical),
                summary,
                f"{says} (last {policy.fast_window} or {w}).",
                policy.critical_hold,
            ),
            Alert(name, "warning", f"{ratio} > {warning:g}", summary, f"{says} (last {w})."),
        ]
    return [*alerts, billing(policy)]


def page(policy: p.Policy, recorded: str, matcher: str, critical: float) -> str:
    """The condition for a page: a share above `critical` in the fast window, or in the slow one and not yet over.

    The slow window finds what is too rare for the fast one. It looks back for minutes, so it is overruled once the fast
    one has calls enough to judge, and sees a share that is no longer critical. The fast one can see nothing in the
    minutes after processes went, because the sums that it is made of have fallen; then the slow one decides alone.
    """
    w, fast = policy.window, policy.fast_window
    on = f"on ({', '.join(p.LEVEL)})"
    enough = f"and {on} {r.JUDGED}:increase{w} >= {policy.minimum_calls}"

    def shares(window: str) -> str:
        failures = f"{recorded}:increase{window}{matcher} >= {policy.minimum_failures}"
        return f"{recorded}:ratio{window}{matcher} > {critical:g} and {failures} {enough}"

    blind = f"unless {on} {r.FALLEN}{fast}"
    judges = f"and {on} {r.JUDGED}:increase{fast} >= {policy.minimum_calls}"
    over = f"({recorded}:ratio{fast}{matcher} <= {critical:g} {judges} {blind})"
    return f"({shares(fast)} {blind}) or ({shares(w)} unless {over})"


def billing(policy: p.Policy) -> Alert:
    """Pages at the first: no call gets an answer until somebody pays or raises a limit."""
    w = policy.window
    return Alert(
        "ClaudeBilling",
        "critical",
        f'{r.BY_FAILURE}:increase{w}{{{label(names.FAILURE)}="billing"}} > 0',
        "Claude refuses calls because of billing.",
        f"{{{{ $value | humanize }}}} calls of {WHERE} failed because of a spend limit or an unpaid account "
        f"(last {w}). No retry helps: nobody gets an answer until somebody pays or raises the limit.",
    )


def answers(policy: p.Policy) -> list[Alert]:
    """Calls that completed, and whose answers are of little use all the same."""
    w, answer, tool = policy.window, label(names.ANSWER), label(names.TOOL_NAME)
    enough = f"and on ({', '.join(p.LEVEL)}) {r.ANSWERED}{w} >= {policy.minimum_answers}"
    return [
        Alert(
            "ClaudeRefusals",
            "warning",
            f'{r.BY_ANSWER}{w}{{{answer}="refused"}} > {policy.refusals_warning:g} {enough}',
            "Claude refuses to answer a large share of calls.",
            f"{SHARE} of the answers of {WHERE} were refusals, with HTTP status 200 (last {w}). A retry is refused "
            "again.",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeAnswersCut",
            "warning",
            f'{r.BY_ANSWER}{w}{{{answer}="cut"}} > {policy.cut_warning:g} {enough}',
            "A limit cuts off a large share of the answers of Claude.",
            f"{SHARE} of the answers of {WHERE} were cut by max_tokens or by the context window, with HTTP status 200 "
            f"(last {w}).",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeServerToolsFail",
            "warning",
            f"{r.TOOL_ERRORS}{w} > {policy.tools_warning:g} and {r.TOOL_CALLS}{w} >= {policy.minimum_tool_calls}",
            "A tool that runs at the provider fails inside answers of Claude.",
            f"{SHARE} of the results of {{{{ $labels.{tool} }}}} in answers of {WHERE} were errors (last {w}). The "
            "calls completed with HTTP status 200.",
            policy.answers_hold,
        ),
    ]


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


def streams(policy: p.Policy) -> list[Alert]:
    """What streams suffer, and what the application does to them."""
    w = policy.window
    many = f"{r.STREAMS.increase(w)} >= {policy.minimum_streams}"
    calls_ended = r.CALLS.increase(w)
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
            f"{r.REFUSED}{w} > {policy.refused_warning:g} "
            f"and model:after200_attempts:increase{w} >= {policy.minimum_attempts}",
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
    calls = r.CALLS.sum
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


GROUPS: Final = (symptoms, answers, streams, retries, limits, budget, telemetry)
"""Each group of alerts, named after its function."""
