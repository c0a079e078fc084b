# SPDX-License-Identifier: Apache-2.0
"""The dashboard *After the 200*: what HTTP claims, what happened, and everything about the difference."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.boards.common import SLIDING, legend, or_none, sliding, total
from after200.monitoring.boards.frame import board
from after200.monitoring.naming import label
from after200.monitoring.policy import BELOW_400, LEFT_BY_THE_APPLICATION, Policy
from after200.monitoring.promql import equals, matches, one_of, quantile, share
from after200.monitoring.recording import HIDDEN_MATCHERS, JUDGED_MATCHERS

CLAIMED = (*JUDGED_MATCHERS, matches(names.WIRE_STATUS, BELOW_400))
COMPLETED = (equals(names.OUTCOME, "completed"),)
TRUNCATED = (equals(names.OUTCOME, "truncated"),)

JUDGED_TEXT = "Of the calls that completed, failed or were truncated; not of those that the application left by itself."
INNER = (names.OPERATION_NAME, names.ERROR_TYPE, names.FAILURE, names.HTTP_STATUS)
FAILED_CALLS = '{ span.after200.outcome =~ "failed|truncated" }'


def dashboard(policy: Policy) -> p.Builder:
    return board(
        "after200-calls",
        "Claude: After the 200",
        "What HTTP says about calls to Claude, what happened to them, and the difference.",
        [
            ("What HTTP says, and what happened", headline(policy)),
            ("Hidden failures: HTTP said 200", hidden()),
            ("Wire status and corrected status", statuses()),
            ("Left by the application", left()),
            ("Failed calls", failed()),
        ],
        with_traces=True,
    )


def headline(policy: Policy) -> list[Any]:
    calls = total(names.CALLS, *JUDGED_MATCHERS)
    claimed = share(total(names.CALLS, *CLAIMED), calls)
    completed = share(total(names.CALLS, *COMPLETED), calls)
    gap = share(total(names.CALLS, *HIDDEN_MATCHERS), calls)
    good = ((0, p.RED), (policy.slo_target - 5 * policy.error_budget, p.ORANGE), (policy.slo_target, p.GREEN))
    bad = ((0, p.GREEN), (policy.hidden_warning, p.ORANGE), (policy.hidden_critical, p.RED))
    some = ((0, p.GREEN), (1, p.ORANGE))
    window = sliding(names.CALLS, *JUDGED_MATCHERS)
    return [
        p.number(
            "Success rate HTTP claims",
            f"Share of calls answered with a status below 400. {JUDGED_TEXT}",
            "percentunit",
            claimed,
        ),
        p.number("True success rate", f"Share of calls that completed. {JUDGED_TEXT}", "percentunit", completed, *good),
        p.number(
            "The gap",
            "Share of calls that failed after HTTP had answered 200. No HTTP metric, gateway or load balancer shows "
            "them.",
            "percentunit",
            gap,
            *bad,
        ),
        p.number("Calls", f"Calls judged. {JUDGED_TEXT}", "short", calls),
        p.number(
            "Hidden failures",
            "Calls that failed or were truncated after HTTP had answered 200.",
            "short",
            total(names.CALLS, *HIDDEN_MATCHERS),
            *some,
        ),
        p.number(
            "Truncated streams",
            "Streams that ended without message_stop and without an error: the application was told nothing.",
            "short",
            f"{total(names.CALLS, *TRUNCATED)} or vector(0)",
            *some,
        ),
        p.graph(
            "Success rate: claimed and true",
            f"The area between the two lines is what HTTP does not see. {SLIDING}",
            "percentunit",
            p.Query(share(sliding(names.CALLS, *CLAIMED), window), "HTTP claims"),
            p.Query(share(sliding(names.CALLS, *COMPLETED), window), "true"),
            span=24,
            height=9,
            maximum=1,
            colors={"HTTP claims": p.GREY, "true": p.GREEN},
        ),
    ]


def hidden() -> list[Any]:
    def by(*attributes: str) -> str:
        return sliding(names.CALLS, *HIDDEN_MATCHERS, by=attributes)

    return [
        p.graph(
            "By error type",
            f"What the provider called the failure; ours where nobody named it. {SLIDING}",
            "short",
            p.Query(by(names.ERROR_TYPE), legend(names.ERROR_TYPE)),
            stacked=True,
        ),
        p.graph(
            "By corrected status",
            f"The status that the provider documents for the failure; none where it documents none. {SLIDING}",
            "short",
            p.Query(or_none(by(names.HTTP_STATUS), names.HTTP_STATUS), legend(names.HTTP_STATUS)),
            stacked=True,
        ),
        p.graph(
            "By provider and model",
            f"Where the failures come from. {SLIDING}",
            "short",
            p.Query(by(names.PROVIDER_NAME, names.REQUEST_MODEL), legend(names.PROVIDER_NAME, names.REQUEST_MODEL)),
            stacked=True,
        ),
        p.graph(
            "By phase",
            "first_chunk: before the first content, so nothing was lost but time. mid_stream: the application already "
            "had "
            f"part of the answer. {SLIDING}",
            "short",
            p.Query(by(names.PHASE), legend(names.PHASE)),
            stacked=True,
        ),
    ]


def statuses() -> list[Any]:
    grid = total(names.CALLS, *JUDGED_MATCHERS, by=(names.WIRE_STATUS, names.HTTP_STATUS))
    rows = (names.REQUEST_MODEL, names.ERROR_TYPE, names.FAILURE, names.PHASE, names.WIRE_STATUS, names.HTTP_STATUS)
    errors = total(names.CALLS, one_of(names.OUTCOME, ("failed", "truncated")), by=rows)
    headings = ("Model", "Error type", "Failure", "Phase", "Wire", "Corrected")
    return [
        p.matrix(
            "Wire status × corrected status",
            "Rows: the status on the HTTP status line (none: no response came). Columns: the status the failure "
            "stands for "
            "(none: the provider documents none). Whatever stands in row 200 outside column 200 is a hidden failure.",
            or_none(or_none(f"{grid} > 0", names.WIRE_STATUS), names.HTTP_STATUS),
            label(names.WIRE_STATUS),
            label(names.HTTP_STATUS),
        ),
        p.listing(
            "Calls that failed",
            "Every kind of failure in the time range, hidden or not.",
            f"{errors} > 0",
            dict(zip(map(label, rows), headings, strict=True)),
        ),
    ]


def left() -> list[Any]:
    outcomes = one_of(names.OUTCOME, LEFT_BY_THE_APPLICATION)
    return [
        p.graph(
            "Streams left early",
            "closed: closed or left before the end. cancelled: the reading task was cancelled. abandoned: dropped "
            "without "
            f"being closed, so the connection leaks until the garbage collector comes by. {SLIDING}",
            "short",
            p.Query(sliding(names.CALLS, outcomes, by=(names.OUTCOME,)), legend(names.OUTCOME)),
            stacked=True,
            colors={"closed": p.BLUE, "cancelled": p.PURPLE, "abandoned": p.ORANGE},
        ),
        p.listing(
            "Who left how many",
            "Streams that the application left by itself, by job. Abandoned ones are a bug in the application.",
            f"{total(names.CALLS, outcomes, by=('job', names.REQUEST_MODEL, names.OUTCOME))} > 0",
            {"job": "Job", label(names.REQUEST_MODEL): "Model", label(names.OUTCOME): "Outcome"},
        ),
    ]


def failed() -> list[Any]:
    errors = matches(names.ERROR_TYPE, ".+")
    return [
        p.traces(
            "Traces of failed calls",
            "The latest calls that failed or were truncated. Needs traces in Tempo; the Collector configuration in "
            "dashboards/stack keeps every one of them.",
            FAILED_CALLS,
        ),
        p.graph(
            "How long calls took that failed",
            "95th percentile. The dots are exemplars: each leads to the trace of one call (they need the way through "
            "the "
            "Collector, with OpenMetrics).",
            "s",
            p.Query(
                quantile(0.95, names.DURATION, (label(names.ERROR_TYPE),), p.RATE, *p.CHOSEN, errors),
                legend(names.ERROR_TYPE),
                exemplar=True,
            ),
        ),
        p.listing(
            "Errors inside bodies",
            "Errors that the body of a successful call reports of something else than the call: an entry of a batch, "
            "an "
            "agent's session. They count as no failure of the call, and stand nowhere else on this page.",
            f"{total(names.INNER_ERRORS, by=INNER)} > 0",
            dict(zip(map(label, INNER), ("Operation", "Error type", "Failure", "Status"), strict=True)),
            value="Errors",
        ),
    ]
