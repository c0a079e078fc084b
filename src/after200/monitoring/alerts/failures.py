# SPDX-License-Identifier: Apache-2.0
"""Alerts on calls that fail: on symptoms, on everything at once, on billing, and on the error budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring import symptoms as s
from after200.monitoring.alerts.alert import MODEL, PROVIDER, SHARE, WHERE, Alert
from after200.monitoring.promql import braces, equals, max_by, none_of, one_of
from after200.monitoring.windows import BurnWindow, seconds
from after200.names import Failure
from after200.names.prometheus import label

BURN: Final = "ClaudeErrorBudgetBurn"
DOWN: Final = "ClaudeDown"
BILLING: Final = "ClaudeBilling"


@dataclass(frozen=True)
class Symptomatic:
    """The alert on one symptom: its name, and its words."""

    alert: str
    summary: str
    what: str
    """What the calls did: goes on from "5% of the calls of chat, model m at anthropic"."""


SYMPTOMATIC: Final = {
    "overloaded": Symptomatic(
        "ClaudeOverloaded",
        "Claude is overloaded.",
        "failed because the model is overloaded, before the stream (529, 503) or in it (behind a 200)",
    ),
    "rate_limited": Symptomatic(
        "ClaudeRateLimited",
        "Claude refuses calls because a rate limit is reached.",
        "failed because a rate limit or quota is reached, before the stream (429) or in it (behind a 200)",
    ),
    "truncated": Symptomatic(
        "ClaudeTruncatedStreams",
        "Streams from Claude end without their end event, and nobody raises an error.",
        "ended without message_stop and without an error. The application may have taken half an answer for a whole "
        "one",
    ),
    "server_errors": Symptomatic(
        "ClaudeServerErrors",
        "Calls to Claude fail: server errors, timeouts, or connections that fail.",
        "failed with a server error (5xx), a timeout, a failed connection or an answer that cannot be read, before the "
        "stream or in it (behind a 200)",
    ),
    "rejected": Symptomatic(
        "ClaudeCallsRejected",
        "Claude rejects calls: the key, the model or the request is wrong.",
        "were rejected: not allowed (401, 403), no such model (404), or another mistake in the request (any other "
        "4xx). This is not the provider's doing: a key was revoked, a model retired, or a part of your own service "
        "sends what cannot work",
    ),
    "hidden": Symptomatic(
        "ClaudeHiddenFailures",
        "Calls to Claude fail after HTTP has answered 200.",
        "failed after an HTTP status of 200. HTTP metrics and gateways count them as successes",
    ),
}
"""The alert of each symptom. The one on all failures, `down`, pages only: see `down`."""


ALERT_OF_FAILURE: Final[dict[Failure, str]] = {
    **{failure: SYMPTOMATIC[kind.name].alert for kind in s.KINDS for failure in kind.failures},
    "billing": BILLING,
}
"""The alert that names each failure."""


def symptoms(policy: p.Policy) -> list[Alert]:
    """What calls suffer: each warns from the very first one, and pages only on what cannot be luck."""
    w = policy.window
    alerts = []
    for name, words in SYMPTOMATIC.items():
        symptom, says = s.SYMPTOMS[name], f"{SHARE} of the calls of {WHERE} {words.what}"
        warns = f"{s.BY_SYMPTOM}:ratio{w}{symptom.selector} > {symptom.warning(policy):g}"
        if policy.warning_failures > 1:
            warns += f" and {s.BY_SYMPTOM}:increase{w}{symptom.selector} >= {policy.warning_failures}"
        alerts += [
            Alert(
                words.alert,
                page_of(symptom, policy),
                words.summary,
                f"At least {says} (last {', '.join(policy.windows[:-1])} or {w}; what chance explains is left out).",
                policy.critical_hold,
                "critical",
                keep=policy.critical_keep,
            ),
            Alert(words.alert, warns, words.summary, f"{says} (last {w})."),
        ]
    return [*alerts, down(policy), billing(policy)]


def page_of(symptom: s.Symptom, policy: p.Policy) -> str:
    """What pages for a symptom; nothing for calls that have another symptom too, where a page names that one.

    Also not for a while after such a page: where calls fail in more than one way, what they have in common is evident
    for longer than each way by itself, and would page when everything is over.
    """
    page = f"{s.PAGE}{symptom.selector} > 0"
    if symptom.failures:
        return page
    kinds = braces([one_of(s.SYMPTOM, [kind.name for kind in s.KINDS])])
    return f"{page} unless {p.ON_LEVEL} max_over_time({s.PAGE}{kinds}[{policy.window}])"


def down(policy: p.Policy) -> Alert:
    """Pages when more than half of the calls fail, whatever the reason; where calls are rare, when none succeeds."""
    w = policy.window
    failures = braces([equals(attribute, "%s") for attribute in p.LEVEL]).replace('"%s"', "%q")
    query = f"sort_desc(topk(3, {s.BY_FAILURE}:increase{w}{failures} > 0))"
    arguments = f"$labels.job $labels.{PROVIDER} $labels.{MODEL}"
    name = f"{{{{ .Labels.{label(names.FAILURE)} }}}} ({{{{ .Value | humanize }}}} calls)"
    return Alert(
        DOWN,
        f"({max_by(p.LEVEL, s.PAGE + s.SYMPTOMS['down'].selector)} or {s.DOWN}) > 0",
        "Claude does not answer: most calls fail.",
        f"More than {policy.down_critical * 100:g} % of the calls of {WHERE} fail, or, where calls are rare, "
        f"{policy.down_failures} have failed and none has succeeded.",
        severity="critical",
        keep=policy.critical_keep,
        more=f" In the last {w}:{{{{ range query (printf `{query}` {arguments}) }}}} {name}{{{{ end }}}}.",
        managed_more=" The panel names the failures.",
    )


def billing(policy: p.Policy) -> Alert:
    """Pages at the first: no call gets an answer until somebody pays or raises a limit."""
    w = policy.window
    return Alert(
        BILLING,
        f"{s.BY_FAILURE}:increase{w}{braces([equals(names.FAILURE, 'billing')])} > 0",
        "Claude refuses calls because of billing.",
        f"{{{{ $value | humanize }}}} calls of {WHERE} failed because of a spend limit or an unpaid account "
        f"(last {w}). No retry helps: nobody gets an answer until somebody pays or raises the limit.",
        severity="critical",
    )


def budget(policy: p.Policy) -> list[Alert]:
    """The error budget is used up too fast: over a long window, and still now."""
    alerts = []
    for burn in policy.burns:
        description = (
            f"{SHARE} of the calls of {WHERE} failed over the last {burn.long}, {burn.factor:g} times what an "
            f"objective of {policy.slo_target:.4g} over {policy.slo_period} allows. Not counted: the caller's own "
            f"mistakes ({', '.join(p.CALLER_FAULTS)})."
        )
        alerts.append(
            Alert(
                BURN,
                burning(policy, burn),
                "Calls to Claude use up their error budget too fast.",
                description,
                burn.hold,
                burn.severity,
                labels=(("long", burn.long), ("short", burn.short)),
                keep=policy.critical_keep if burn.severity == "critical" else "",
                reach=seconds(burn.long),
            )
        )
    return alerts


def judged(policy: p.Policy, burn: BurnWindow, selector: str = "") -> str:
    """The models of which a line of the table says anything: they had calls enough, and half of the window has data."""
    old_enough = f"last_over_time({r.VALID}{policy.window}{selector}[{burn.half}] offset {burn.half})"
    return f"{r.VALID}{burn.long}{selector} >= {policy.slo_minimum_calls} and {old_enough}"


def burning(policy: p.Policy, burn: BurnWindow) -> str:
    """The condition of a line of the table.

    A page is for what burns on without a symptom that pages: it also asks the shortest window, so that it cannot begin
    when everything is over, and is silent for as long as the short window still holds failures that a page has named.
    """
    limit = f"{burn.factor:g} * {policy.error_budget:g}"
    ratios = f"{r.BAD}:ratio{burn.long} > {limit} and {r.BAD}:ratio{burn.short} > {limit}"
    condition = f"{ratios} and {judged(policy, burn)}"
    if burn.severity != "critical":
        return condition
    firing = braces([equals("alertname", BURN), equals("alertstate", "firing"), equals("long", burn.long)])
    begins = f"{r.BAD}:ratio{policy.window} > {limit} and {r.BAD}:increase{policy.fast_window} > 0"
    goes_on = f"{r.BAD}:increase{policy.middle_window} > 0 and {p.ON_LEVEL} ALERTS{firing}"
    provider = braces([none_of(s.SYMPTOM, ["rejected"])])  # which is not counted against the budget
    named = f"max_over_time({s.PAGE}{provider}[{burn.short}])"
    return f"{condition} and ({begins} or {goes_on}) unless {p.ON_LEVEL} {named}"
