# SPDX-License-Identifier: Apache-2.0
"""Alerts on calls that fail: on symptoms, on billing, and on the error budget."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring.alerts.alert import SHARE, WHERE, Alert
from after200.monitoring.naming import label


def symptoms(policy: p.Policy) -> list[Alert]:
    """What calls suffer: each warns from the very first one, and pages only when there is traffic enough to judge."""
    w = policy.window
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
            by_failure("overloaded"),
            (policy.overloaded_warning, policy.overloaded_critical),
            "Claude is overloaded.",
            "failed because the model is overloaded, before the stream (529, 503) or in it (behind a 200)",
        ),
        (
            "ClaudeRateLimited",
            by_failure("rate_limited"),
            (policy.rate_limited_warning, policy.rate_limited_critical),
            "Claude refuses calls because a rate limit is reached.",
            "failed because a rate limit or quota is reached, before the stream (429) or in it (behind a 200)",
        ),
        (
            "ClaudeTruncatedStreams",
            by_failure("truncated"),
            (policy.truncated_warning, policy.truncated_critical),
            "Streams from Claude end without their end event, and nobody raises an error.",
            "ended without message_stop and without an error. The application may have taken half an answer for a "
            "whole one",
        ),
    )
    alerts = []
    for name, (recorded, matcher), (warning, critical), summary, what in table:
        says = f"{SHARE} of the calls of {WHERE} {what}"
        condition = page(policy, recorded, matcher, critical)
        both = f"{says} (last {policy.fast_window} or {w})."
        alerts += [
            Alert(name, condition, summary, both, policy.critical_hold, "critical"),
            Alert(name, f"{recorded}:ratio{w}{matcher} > {warning:g}", summary, f"{says} (last {w})."),
        ]
    return [*alerts, billing(policy)]


def by_failure(failure: str) -> tuple[str, str]:
    """The recorded series of a failure: their name without its last part, and their matcher."""
    return r.BY_FAILURE, f'{{{label(names.FAILURE)}="{failure}"}}'


def page(policy: p.Policy, recorded: str, matcher: str, critical: float) -> str:
    """The condition for a page: a share above `critical` in the fast window, or in the slow one and not yet over.

    The slow window finds what is too rare for the fast one. It looks back for minutes, so it is overruled once the fast
    one has calls enough to judge, and sees a share that is no longer critical. The fast one can see nothing in the
    minutes after processes went, because the sums that it is made of have fallen; then the slow one decides alone.
    """
    w, fast = policy.window, policy.fast_window

    def enough(window: str) -> str:
        return f"and {p.ON_LEVEL} {r.JUDGED}:increase{window} >= {policy.minimum_calls}"

    def shares(window: str) -> str:
        failures = f"{recorded}:increase{window}{matcher} >= {policy.minimum_failures}"
        return f"{recorded}:ratio{window}{matcher} > {critical:g} and {failures} {enough(w)}"

    blind = f"unless {p.ON_LEVEL} {r.FALLEN}{fast}"
    over = f"({recorded}:ratio{fast}{matcher} <= {critical:g} {enough(fast)} {blind})"
    return f"({shares(fast)} {blind}) or ({shares(w)} unless {over})"


def billing(policy: p.Policy) -> Alert:
    """Pages at the first: no call gets an answer until somebody pays or raises a limit."""
    w, (recorded, matcher) = policy.window, by_failure("billing")
    return Alert(
        "ClaudeBilling",
        f"{recorded}:increase{w}{matcher} > 0",
        "Claude refuses calls because of billing.",
        f"{{{{ $value | humanize }}}} calls of {WHERE} failed because of a spend limit or an unpaid account "
        f"(last {w}). No retry helps: nobody gets an answer until somebody pays or raises the limit.",
        severity="critical",
    )


def budget(policy: p.Policy) -> list[Alert]:
    """The error budget is used up too fast: over a long window, and still now."""
    alerts = []
    for burn in p.BURN_WINDOWS:
        limit = f"{burn.factor:g} * {policy.error_budget:g}"
        condition = (
            f"{r.BAD}:ratio{burn.long} > {limit} and {r.BAD}:ratio{burn.short} > {limit} "
            f"and {r.VALID}{burn.long} >= {policy.slo_minimum_calls}"
        )
        description = (
            f"{SHARE} of the calls of {WHERE} failed over the last {burn.long}, {burn.factor:g} times what an "
            f"objective of {policy.slo_target:.4g} over {policy.slo_period} allows. Not counted: the caller's own "
            "mistakes."
        )
        summary = "Calls to Claude use up their error budget too fast."
        labels = (("long", burn.long), ("short", burn.short))
        alerts.append(Alert("ClaudeErrorBudgetBurn", condition, summary, description, burn.hold, burn.severity, labels))
    return alerts
