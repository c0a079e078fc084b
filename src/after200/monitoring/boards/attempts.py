# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Attempts, waits and limits*: what the SDK repeats, how long it waits, and how near the limits are."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend, or_none, or_zero, with_model
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.naming import label
from after200.monitoring.policy import Policy
from after200.monitoring.promql import equals, max_by, none_of, share
from after200.monitoring.recording import REFUSED_MATCHERS
from after200.monitoring.selection import chosen_gauge

FAILED_AT_ONCE = (equals(names.PHASE, "request"), *REFUSED_MATCHERS)
"""Calls whose last attempt was refused as well."""
SAVED = '{ span.http.request.resend_count > 0 && span.after200.outcome = "completed" }'


def dashboard(policy: Policy) -> Board:
    counts = Counts(policy)
    return Board(
        places.ATTEMPTS,
        "Claude: Attempts, waits and limits",
        "How many HTTP requests calls take, how long the SDK waits between them, and how near the rate limits are.",
        [
            Row("Attempts and waits", amplification(counts, policy)),
            Row("What attempts are answered", answers(counts)),
            Row("Rate limits, from the headers of the responses", limits(policy)),
            Row("What retries are worth", worth(counts), collapsed=True),
        ],
        traces=True,
    )


def amplification(counts: Counts, policy: Policy) -> list[Any]:
    attempts, calls = counts.total(names.ATTEMPTS), counts.total(names.CALLS)
    storm = ((0, colors.GREEN), (policy.refused_warning / 2, colors.ORANGE), (policy.refused_warning, colors.RED))
    models = (names.REQUEST_MODEL,)
    of_model = with_model(names.ATTEMPTS)
    refused_now = counts.per_minute(names.ATTEMPTS, *REFUSED_MATCHERS, *of_model, by=models)
    waits = counts.per_minute(names.RETRY_WAIT, by=(names.FAILURE,))
    return [
        p.number(
            "Refused attempts",
            "Share of HTTP requests answered with a status that the SDK retries (408, 409, 429, 5xx), or not at all.",
            "percentunit",
            *counts.both(
                lambda window: share(
                    counts.total(names.ATTEMPTS, *REFUSED_MATCHERS, window=window),
                    counts.total(names.ATTEMPTS, window=window),
                )
            ),
            steps=storm,
            decimals=2,
            nothing="no attempts",
        ),
        p.number(
            "Attempts per call",
            "HTTP requests sent for each call that ended, however it ended: 1 without any retry.",
            "none",
            *counts.both(
                lambda window: (
                    f"{counts.total(names.ATTEMPTS, window=window)} / ({counts.total(names.CALLS, window=window)} > 0)"
                )
            ),
            decimals=2,
        ),
        p.count("Attempts", "HTTP requests sent for calls that have ended, over the whole range.", p.Query(attempts)),
        p.count("Calls that ended", "However they ended, over the whole range.", p.Query(calls)),
        p.number(
            "Waited for retries",
            "The time that the SDK slept between attempts, over the whole range. Nobody sees it but as slow calls.",
            "s",
            p.Query(or_zero(counts.total(names.RETRY_WAIT), attempts)),
            decimals=1,
            nothing="no attempts",
        ),
        p.number(
            "Waited per call",
            "The same, for each call that ended.",
            "s",
            p.Query(f"{or_zero(counts.total(names.RETRY_WAIT), attempts)} / ({calls} > 0)"),
            decimals=1,
        ),
        p.graph(
            "Refused attempts by model",
            "Share of HTTP requests that the SDK has to repeat or give up. Dashed: where ClaudeRetryStorm warns.",
            "percentunit",
            p.Query(share(refused_now, counts.per_minute(names.ATTEMPTS, *of_model, by=models)), legend(*models)),
            axis="of all attempts",
            sets=names.REQUEST_MODEL,
        ),
        p.graph(
            "Waits by what caused them",
            "Seconds that the SDK slept in each minute, over all calls, by the failure of the attempt before.",
            "s",
            p.Query(waits, legend(names.FAILURE)),
            stacked=True,
            axis="waited in a minute",
            colored=colors.FAILURES,
        ),
    ]


def answers(counts: Counts) -> list[Any]:
    other = none_of(names.WIRE_STATUS, ("200",))
    rows = {
        names.REQUEST_MODEL: tables.MODEL,
        names.WIRE_STATUS: tables.Column("Wire", 110),
        names.FAILURE: tables.Column("Failure"),
    }
    statuses = counts.per_minute(names.ATTEMPTS, other, by=(names.WIRE_STATUS,))
    every = counts.total(names.ATTEMPTS, by=tuple(rows))
    return [
        p.graph(
            "Attempts that were not answered 200",
            "The status line of each HTTP request; no response: the connection failed before there was one.",
            "short",
            p.Query(or_none(statuses, names.WIRE_STATUS, text=colors.NO_RESPONSE), legend(names.WIRE_STATUS)),
            stacked=True,
            axis="attempts per minute",
            colored=colors.STATUSES,
        ),
        tables.listing(
            "Attempts by answer",
            "Every kind of answer in the time range. A click on a model shows only this model.",
            or_none(f"{every} > 0", names.WIRE_STATUS, text=colors.NO_RESPONSE),
            {label(attribute): column for attribute, column in rows.items()},
            value="Attempts",
        ),
    ]


def limits(policy: Policy) -> list[Any]:
    kind = (label(names.RATE_LIMIT_KIND),)
    level = (label(names.REQUEST_MODEL), *kind)
    used, limit = names.RATE_LIMIT_UTILIZATION, names.RATE_LIMIT_LIMIT
    columns = {
        level[0]: tables.MODEL,
        level[1]: tables.Column("Limit of"),
    }
    return [
        p.graph(
            "Rate limits used up",
            "The highest share that any process saw in the last minute, over the models that are chosen. Bedrock and "
            "Vertex send no such headers. Dashed: where ClaudeRateLimitNear warns.",
            "percentunit",
            p.Query(max_by(kind, chosen_gauge(used)), legend(names.RATE_LIMIT_KIND)),
            p.Query(f"vector({policy.limit_warning:g})", "warns"),
            axis="of the limit",
            maximum=1,
            colored=colors.LIMITS,
            limits=("warns",),
        ),
        tables.listing(
            "Limits and how much of them is used",
            "The share that is used up now, by model and limit, the nearest first.",
            f"{max_by(level, chosen_gauge(used, *with_model(used)))} and {max_by(level, chosen_gauge(limit))} > 0",
            columns,
            unit="percentunit",
            decimals=1,
            value="Used",
        ),
    ]


def worth(counts: Counts) -> list[Any]:
    refused, lost = counts.total(names.ATTEMPTS, *REFUSED_MATCHERS), counts.total(names.CALLS, *FAILED_AT_ONCE)
    attempts, calls = counts.total(names.ATTEMPTS), counts.total(names.CALLS)
    return [
        p.count(
            "Calls saved, at most",
            "Refused attempts that were not the last of a call that failed. Exact when each saved call needed one "
            "retry; the table below has the calls themselves.",
            p.Query(f"clamp_min({or_zero(refused, attempts)} - {or_zero(lost, calls)}, 0)"),
            span=12,
        ),
        p.count(
            "Calls lost in spite of retries",
            "Calls whose last attempt was refused too.",
            p.Query(or_zero(lost, calls)),
            span=12,
        ),
        tables.traces(
            "Calls saved by a retry",
            "Calls that completed after one or more refused attempts. Needs traces in Tempo.",
            SAVED,
        ),
    ]
