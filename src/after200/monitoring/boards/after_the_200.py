# SPDX-License-Identifier: Apache-2.0
"""The dashboard *After the 200*: what HTTP claims, what happened, and everything about the difference."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend, or_none, or_zero
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.boards.left_streams import left
from after200.monitoring.boards.single_calls import single
from after200.monitoring.naming import label
from after200.monitoring.policy import BELOW_400, ERRORS, USABLE_ANSWERS, Policy
from after200.monitoring.promql import equals, matches, one_of, share
from after200.monitoring.recording import HIDDEN_MATCHERS, JUDGED_MATCHERS

CLAIMED = (*JUDGED_MATCHERS, matches(names.WIRE_STATUS, BELOW_400))
COMPLETED = (equals(names.OUTCOME, "completed"),)
FAILED = (one_of(names.OUTCOME, ERRORS),)

JUDGED_TEXT = "Of the calls that completed, failed or were truncated; not of those that the application left by itself."
PER_MINUTE = "calls per minute"


def dashboard(policy: Policy) -> Board:
    counts = Counts(policy)
    return Board(
        places.CALLS,
        "Claude: After the 200",
        "What HTTP says about calls to Claude, what happened to them, and the difference.",
        [
            Row("What HTTP says, and what happened", headline(counts, policy)),
            Row("What fails", failures(counts)),
            Row("Where hidden failures come from", origins(counts), collapsed=True),
            Row("Wire status and corrected status", statuses(counts), collapsed=True),
            Row("Left by the application", left(counts), collapsed=True),
            Row("Single failed calls, and errors inside bodies", single(counts), collapsed=True),
        ],
        traces=True,
    )


def headline(counts: Counts, policy: Policy) -> list[Any]:
    def of_calls(*matchers: Any) -> tuple[p.Query, p.Query]:
        return counts.both(
            lambda window: share(
                counts.total(names.CALLS, *matchers, window=window),
                counts.total(names.CALLS, *JUDGED_MATCHERS, window=window),
            )
        )

    good = (
        (0, colors.RED),
        (policy.slo_target - 5 * policy.error_budget, colors.ORANGE),
        (policy.slo_target, colors.GREEN),
    )
    bad = ((0, colors.GREEN), (policy.hidden_warning, colors.ORANGE), (policy.hidden_critical, colors.RED))
    usable = (
        (0, colors.RED),
        (1 - 3 * (1 - policy.usable_target), colors.ORANGE),
        (policy.usable_target, colors.GREEN),
    )
    window = counts.per_minute(names.CALLS, *JUDGED_MATCHERS)
    judged = counts.total(names.CALLS, *JUDGED_MATCHERS)
    return [
        p.number(
            "Claimed by HTTP",
            f"Share of calls answered with a status below 400. {JUDGED_TEXT}",
            "percentunit",
            *of_calls(*CLAIMED),
            decimals=2,
        ),
        p.number(
            "True success rate",
            f"Share of calls that completed. {JUDGED_TEXT}",
            "percentunit",
            *of_calls(*COMPLETED),
            steps=good,
            decimals=2,
        ),
        p.number(
            "The gap",
            "Share of calls that failed after HTTP had answered 200. No HTTP metric, gateway or load balancer shows "
            "them.",
            "percentunit",
            *of_calls(*HIDDEN_MATCHERS),
            steps=bad,
            decimals=2,
        ),
        p.number(
            "Usable answers",
            "Of the calls that completed: how many gave an answer that the application can use (complete, or paused "
            "and to be continued). The rest was cut, refused, guarded or empty. The dashboard Answers says more.",
            "percentunit",
            *counts.both(
                lambda window: share(
                    counts.total(names.ANSWERS_RECEIVED, one_of(names.ANSWER, USABLE_ANSWERS), window=window),
                    counts.total(names.ANSWERS_RECEIVED, window=window),
                )
            ),
            steps=usable,
            decimals=2,
            nothing="no answers",
        ),
        p.count("Calls judged", f"{JUDGED_TEXT} Over the whole range.", p.Query(judged), span=4),
        p.count(
            "Hidden failures",
            "Calls that failed or were truncated after HTTP had answered 200, over the whole range.",
            p.Query(or_zero(counts.total(names.CALLS, *HIDDEN_MATCHERS), judged)),
            span=4,
        ),
        p.graph(
            "Success rate: claimed and true",
            "The area between the two lines is what HTTP does not see. The axis begins at the lowest rate.",
            "percentunit",
            p.Query(share(counts.per_minute(names.CALLS, *CLAIMED), window), "HTTP claims"),
            p.Query(share(counts.per_minute(names.CALLS, *COMPLETED), window), "true"),
            span=24,
            height=9,
            axis="of the calls judged",
            floor=0.99,
            maximum=1,
            colored={"HTTP claims": colors.LIGHT_GREY, "true": colors.GREEN},
        ),
    ]


def failures(counts: Counts) -> list[Any]:
    rows = {
        names.REQUEST_MODEL: tables.MODEL,
        names.ERROR_TYPE: tables.Column("Error type"),
        names.ERROR_CODE: tables.Column("Error code"),
        names.PHASE: tables.Column("Phase", 120),
        names.WIRE_STATUS: tables.Column("Wire", 90),
        names.HTTP_STATUS: tables.Column("Corrected", 100),
    }
    return [
        p.graph(
            "Hidden failures by error type",
            "Calls that failed behind a 200, by what the provider called the failure; by our name where nobody named "
            "it.",
            "short",
            p.Query(counts.per_minute(names.CALLS, *HIDDEN_MATCHERS, by=(names.ERROR_TYPE,)), legend(names.ERROR_TYPE)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.ERROR_TYPES,
        ),
        p.graph(
            "Failed calls by failure",
            "All calls that failed, before the stream or in it, under one name for every provider.",
            "short",
            p.Query(counts.per_minute(names.CALLS, *FAILED, by=(names.FAILURE,)), legend(names.FAILURE)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.FAILURES,
        ),
        tables.listing(
            "Calls that failed",
            "Every kind of failure in the time range, hidden or not. An error code stands only where the provider sent "
            "one. A click on a model shows only this model.",
            f"{counts.total(names.CALLS, *FAILED, by=tuple(rows))} > 0",
            {label(attribute): column for attribute, column in rows.items()},
            span=24,
        ),
    ]


def origins(counts: Counts) -> list[Any]:
    def by(*attributes: str) -> str:
        return counts.per_minute(names.CALLS, *HIDDEN_MATCHERS, by=attributes)

    return [
        p.graph(
            "Hidden failures by model",
            "Which model they come from. A click on a series shows only this model.",
            "short",
            p.Query(or_none(by(names.REQUEST_MODEL), names.REQUEST_MODEL), legend(names.REQUEST_MODEL)),
            stacked=True,
            axis=PER_MINUTE,
            sets=names.REQUEST_MODEL,
            span=8,
        ),
        p.graph(
            "Hidden failures by corrected status",
            "The status that the provider documents for the failure; none where it documents none.",
            "short",
            p.Query(or_none(by(names.HTTP_STATUS), names.HTTP_STATUS), legend(names.HTTP_STATUS)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.STATUSES,
            span=8,
        ),
        p.graph(
            "Hidden failures by phase",
            "first_chunk: before the first content, so nothing was lost but time. mid_stream: the application already "
            "had part of the answer.",
            "short",
            p.Query(by(names.PHASE), legend(names.PHASE)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.PHASES,
            span=8,
        ),
    ]


def statuses(counts: Counts) -> list[Any]:
    grid = counts.total(names.CALLS, *JUDGED_MATCHERS, by=(names.WIRE_STATUS, names.HTTP_STATUS))
    return [
        tables.matrix(
            "Wire status × corrected status",
            "Rows: the status on the HTTP status line (none: no response came). Columns: the status the failure stands "
            "for (none: the provider documents none). Whatever stands in row 200 outside column 200 is a hidden "
            "failure.",
            or_none(f"{grid} > 0", names.WIRE_STATUS, names.HTTP_STATUS),
            label(names.WIRE_STATUS),
            label(names.HTTP_STATUS),
            tuple(sorted(colors.STATUSES)),
            "Wire ↓  Corrected →",
            span=24,
        )
    ]
