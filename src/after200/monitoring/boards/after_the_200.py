# SPDX-License-Identifier: Apache-2.0
"""The dashboard *After the 200*: what HTTP claims, what happened, and everything about the difference."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import BELOW_400, ERRORS, LEFT_BY_THE_APPLICATION, USABLE_ANSWERS, Policy
from after200.monitoring.promql import equals, matches, one_of
from after200.monitoring.selection import or_none, quantile
from after200.monitoring.symptoms import HIDDEN_MATCHERS, JUDGED_MATCHERS
from after200.monitoring.tables import Column

CLAIMED = (*JUDGED_MATCHERS, matches(names.WIRE_STATUS, BELOW_400))
COMPLETED = equals(names.OUTCOME, "completed")
FAILED = one_of(names.OUTCOME, ERRORS)
FAILED_CALLS = '{ span.after200.outcome =~ "failed|truncated" }'

JUDGED_TEXT = "Of the calls that completed, failed or were truncated; not of those that the application left by itself."


def dashboard(policy: Policy) -> Board:
    calls = Counts(names.CALLS, policy)
    return Board(
        places.CALLS,
        "Claude: After the 200",
        "What HTTP says about calls to Claude, what happened to them, and the difference.",
        [
            Row("What HTTP says, and what happened", headline(calls)),
            Row("What fails", failures(calls)),
            Row("Where hidden failures come from", origins(calls), collapsed=True, span=8),
            Row("Wire status and corrected status", statuses(calls), collapsed=True),
            Row("Left by the application", left(calls), collapsed=True),
            Row("Single failed calls, and errors inside bodies", single(calls), collapsed=True),
        ],
        traces=True,
    )


def headline(calls: Counts) -> list[p.Panel]:
    policy = calls.policy
    answers = Counts(names.ANSWERS_RECEIVED, policy)
    return [
        calls.share(
            "Claimed by HTTP",
            f"Share of calls answered with a status below 400. {JUDGED_TEXT}",
            *CLAIMED,
            whole=JUDGED_MATCHERS,
        ),
        calls.share(
            "True success rate",
            f"Share of calls that completed. {JUDGED_TEXT}",
            COMPLETED,
            whole=JUDGED_MATCHERS,
            steps=p.good_from(policy.slo_target - 5 * policy.error_budget, policy.slo_target),
        ),
        calls.share(
            "The gap",
            "Share of calls that failed after HTTP had answered 200. No HTTP metric, gateway or load balancer shows "
            "them.",
            *HIDDEN_MATCHERS,
            whole=JUDGED_MATCHERS,
            steps=p.bad_from(policy.hidden_warning, policy.hidden_critical),
        ),
        answers.share(
            "Usable answers",
            "Of the calls that completed: how many gave an answer that the application can use (complete, or paused "
            "and to be continued). The rest was cut, refused, guarded or empty. The dashboard Answers says more.",
            one_of(names.ANSWER, USABLE_ANSWERS),
            steps=p.good_from(1 - 3 * (1 - policy.usable_target), policy.usable_target),
        ),
        p.count("Calls judged", f"{JUDGED_TEXT} Over the whole range.", calls.total(*JUDGED_MATCHERS)),
        p.count(
            "Hidden failures",
            "Calls that failed or were truncated after HTTP had answered 200, over the whole range.",
            calls.part(*HIDDEN_MATCHERS, whole=JUDGED_MATCHERS),
        ),
        p.graph(
            "Success rate: claimed and true",
            "The area between the two lines is what HTTP does not see. The axis begins at the lowest rate.",
            "percentunit",
            p.Query(calls.share_per_minute(*CLAIMED, whole=JUDGED_MATCHERS), "HTTP claims"),
            p.Query(calls.share_per_minute(COMPLETED, whole=JUDGED_MATCHERS), "true"),
            span=24,
            axis="of the calls judged",
            floor=0.99,
            maximum=1,
            colored={"HTTP claims": colors.LIGHT_GREY, "true": colors.GREEN},
        ).height(9),
    ]


def failures(calls: Counts) -> list[p.Panel]:
    return [
        calls.graph(
            "Hidden failures by error type",
            "Calls that failed behind a 200, by what the provider called the failure; by our name where nobody named "
            "it.",
            *HIDDEN_MATCHERS,
            by=(names.ERROR_TYPE,),
        ),
        calls.graph(
            "Failed calls by failure",
            "All calls that failed, before the stream or in it, under one name for every provider.",
            FAILED,
            by=(names.FAILURE,),
        ),
        calls.listing(
            "Calls that failed",
            "Every kind of failure in the time range, hidden or not. An error code stands only where the provider sent "
            "one. A click on a model shows only this model.",
            FAILED,
            columns=(
                tables.MODEL,
                Column(names.ERROR_TYPE, "Error type"),
                Column(names.ERROR_CODE, "Error code"),
                Column(names.PHASE, "Phase", 120),
                Column(names.WIRE_STATUS, "Wire", 90),
                Column(names.HTTP_STATUS, "Corrected", 100),
            ),
            span=24,
        ),
    ]


def origins(calls: Counts) -> list[p.Panel]:
    return [
        calls.graph(
            "Hidden failures by model",
            "Which model they come from. A click on a series shows only this model.",
            *HIDDEN_MATCHERS,
            by=(names.REQUEST_MODEL,),
            absent=colors.NONE,
        ),
        calls.graph(
            "Hidden failures by corrected status",
            "The status that the provider documents for the failure; none where it documents none.",
            *HIDDEN_MATCHERS,
            by=(names.HTTP_STATUS,),
            absent=colors.NONE,
        ),
        calls.graph(
            "Hidden failures by phase",
            "first_chunk: before the first content, so nothing was lost but time. mid_stream: the application already "
            "had part of the answer.",
            *HIDDEN_MATCHERS,
            by=(names.PHASE,),
        ),
    ]


def statuses(calls: Counts) -> list[p.Panel]:
    grid = calls.total(*JUDGED_MATCHERS, by=(names.WIRE_STATUS, names.HTTP_STATUS))
    return [
        tables.matrix(
            "Wire status × corrected status",
            "Rows: the status on the HTTP status line (none: no response came). Columns: the status the failure stands "
            "for (none: the provider documents none). Whatever stands in row 200 outside column 200 is a hidden "
            "failure.",
            or_none(f"{grid} > 0", names.WIRE_STATUS, names.HTTP_STATUS),
            names.WIRE_STATUS,
            names.HTTP_STATUS,
            sorted(colors.STATUSES),
            "Wire ↓  Corrected →",
        )
    ]


def left(calls: Counts) -> list[p.Panel]:
    """Streams that the application left by itself."""
    return [
        calls.graph(
            "Streams cancelled or abandoned",
            "cancelled: the reading task was cancelled. abandoned: dropped without being closed, so the connection "
            "leaks until the garbage collector comes by. Streams that were closed early are normal and not shown here.",
            one_of(names.OUTCOME, ("cancelled", "abandoned")),
            by=(names.OUTCOME,),
            axis="streams per minute",
        ),
        calls.listing(
            "Who left how many",
            "Streams that the application left by itself, by job. Abandoned ones are a bug in the application.",
            one_of(names.OUTCOME, LEFT_BY_THE_APPLICATION),
            columns=(tables.JOB, tables.MODEL, tables.OUTCOME),
        ),
    ]


def single(calls: Counts) -> list[p.Panel]:
    """Single calls that failed, and errors inside bodies."""
    errors = Counts(names.INNER_ERRORS, calls.policy)
    by = (names.ERROR_TYPE,)
    return [
        tables.traces(
            "Traces of failed calls",
            "The latest calls that failed or were truncated. Needs traces in Tempo; the Collector configuration in "
            "dashboards/stack keeps every one of them.",
            FAILED_CALLS,
        ),
        p.graph(
            "How long calls took that failed",
            "95th percentile. The dots are exemplars: each leads to the trace of one call (they need the way through "
            "the Collector, with OpenMetrics).",
            "s",
            p.Query(quantile(0.95, names.DURATION, matches(names.ERROR_TYPE, ".+"), by=by), exemplar=True),
            by=by,
            axis="duration, p95",
        ),
        errors.listing(
            "Errors inside bodies",
            "Errors that the body of a successful call reports of something else than the call: an entry of a batch, "
            "an agent's session. They count as no failure of the call, and stand nowhere else on this page.",
            columns=(
                Column(names.OPERATION_NAME, "Operation"),
                Column(names.ERROR_TYPE, "Error type"),
                Column(names.HTTP_STATUS, "Status", 80),
            ),
        ),
    ]
