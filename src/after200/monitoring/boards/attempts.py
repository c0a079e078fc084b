# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Attempts, waits and limits*: what the SDK repeats, how long it waits, and how near the limits are."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, failed_calls, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts, range_and_late
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import Policy
from after200.monitoring.promql import equals, max_by, none_of, or_zero
from after200.monitoring.recording import REFUSED_MATCHERS
from after200.monitoring.selection import OF_A_MODEL, chosen_gauge
from after200.monitoring.tables import Column

FAILED_AT_ONCE = (equals(names.PHASE, "request"), *REFUSED_MATCHERS)
"""Calls whose last attempt failed as well."""
NOT_200 = none_of(names.WIRE_STATUS, ("200",))
ALL_200 = "no attempts without a 200"
NO_HEADERS = "no rate-limit headers came: Bedrock and Vertex send none"
SAVED = f'span.{names.HTTP_RESEND_COUNT} > 0 && span.{names.OUTCOME} = "completed"'


def dashboard(policy: Policy) -> Board:
    attempts, calls = Counts(names.ATTEMPTS, policy), Counts(names.CALLS, policy)
    return Board(
        places.ATTEMPTS,
        "Claude: Attempts, waits and limits",
        "How many HTTP requests calls take, how long the SDK waits between them, and how near the rate limits are.",
        [
            Row("Attempts", amplification(attempts, calls)),
            Row("What attempts are answered, and the waits after them", answered(attempts)),
            Row("Rate limits, from the headers of the responses", limits(policy)),
            Row("What retries are worth", worth(attempts, calls), collapsed=True),
        ],
        traces=True,
    )


def amplification(attempts: Counts, calls: Counts) -> list[p.Panel]:
    policy, models = attempts.policy, (names.REQUEST_MODEL,)
    waits = Counts(names.RETRY_WAIT, policy)
    waited = or_zero(waits.total(), attempts.total())

    def attempts_per_call(window: str) -> str:
        # Both are extrapolated, each from series of its own; no call takes less than one.
        return f"clamp_min({attempts.total(window=window)} / ({calls.total(window=window)} > 0), 1)"

    return [
        attempts.share(
            "Failed attempts",
            "Share of HTTP requests answered with a status that the SDK retries (408, 409, 429, 5xx), or not at all.",
            *REFUSED_MATCHERS,
            steps=p.bad_from(policy.refused_warning / 2, policy.refused_warning),
        ),
        p.number(
            "Attempts per call",
            "HTTP requests sent for each call that ended, however it ended: 1 without any retry.",
            "none",
            *range_and_late(attempts_per_call, policy),
            decimals=2,
        ),
        p.count("Attempts", "HTTP requests sent for calls that have ended, over the whole range.", attempts.total()),
        p.count("Calls that ended", "However they ended, over the whole range.", calls.total()),
        p.number(
            "Waited for retries",
            "The time that the SDK slept between attempts, over the whole range. Users notice it only as slow calls.",
            "s",
            waited,
            decimals=1,
            nothing="no attempts",
        ),
        p.number(
            "Waited per call",
            "The average time that the SDK slept between attempts, per ended call.",
            "s",
            f"{waited} / ({calls.total()} > 0)",
            decimals=1,
        ),
        p.graph(
            "Failed attempts by model",
            "Share of HTTP requests that the SDK has to repeat or give up: of the models with most of them, and of all "
            f"others together. Dashed: above it over {policy.window}, ClaudeRetryStorm warns.",
            "percentunit",
            attempts.share_of_worst(*REFUSED_MATCHERS, OF_A_MODEL, whole=(OF_A_MODEL,)),
            by=models,
            axis="of all attempts",
            nothing="no attempts",
            limit=p.line(policy.refused_warning, attempts.per_minute(OF_A_MODEL)),
        ),
    ]


def answered(attempts: Counts) -> list[p.Panel]:
    return [
        attempts.graph(
            "Attempts that were not answered 200",
            "The status line of each HTTP request; no response: the connection failed before there was one.",
            NOT_200,
            by=(names.WIRE_STATUS,),
            absent=colors.NO_RESPONSE,
            nothing=ALL_200,
        ),
        Counts(names.RETRY_WAIT, attempts.policy).graph(
            "Waits by what caused them",
            "Seconds that the SDK slept in each minute, over all calls, by the failure of the attempt before.",
            by=(names.FAILURE,),
            axis="waited in a minute",
            unit="s",
        ),
        attempts.listing(
            "Attempts by answer, without 200",
            "Every kind of answer but 200 in the time range. A click on a model shows only this model.",
            NOT_200,
            columns=(
                tables.MODEL,
                Column(names.WIRE_STATUS, "Wire", 115, absent=colors.NO_RESPONSE),
                Column(names.FAILURE, "Failure", 130),
            ),
            span=24,
            nothing=ALL_200,
        ).height(7),
    ]


def limits(policy: Policy) -> list[p.Panel]:
    kind = (names.RATE_LIMIT_KIND,)
    level = (names.REQUEST_MODEL, *kind)
    used, limit = names.RATE_LIMIT_UTILIZATION, names.RATE_LIMIT_LIMIT
    return [
        p.graph(
            "Rate limits used up",
            "The highest share that any process saw in the last minute, over the models that are chosen. Bedrock and "
            "Vertex send no such headers. Dashed: where ClaudeRateLimitNear warns.",
            "percentunit",
            max_by(kind, chosen_gauge(used)),
            by=kind,
            axis="of the limit",
            nothing=NO_HEADERS,
            maximum=1,
            limit=p.line(policy.limit_warning, chosen_gauge(used)),
        ),
        tables.listing(
            "Limits and how much of them is used",
            "The share that is used up now, by model and limit, the nearest first.",
            f"{max_by(level, chosen_gauge(used, OF_A_MODEL))} and {max_by(level, chosen_gauge(limit))} > 0",
            (tables.MODEL, Column(names.RATE_LIMIT_KIND, "Limit of", 160)),
            nothing=NO_HEADERS,
            value="Used",
            unit="percentunit",
            decimals=1,
        ),
    ]


def worth(attempts: Counts, calls: Counts) -> list[p.Panel]:
    refused = attempts.part(*REFUSED_MATCHERS)
    lost = calls.part(*FAILED_AT_ONCE)
    return [
        p.count(
            "Calls saved, at most",
            "Failed attempts that were not the last of a call that failed. Exact when each saved call needed one "
            "retry; the table below has the calls themselves.",
            f"clamp_min({refused} - {lost}, 0)",
            span=12,
        ),
        p.count("Calls lost in spite of retries", "Calls whose last attempt failed too.", lost, span=12),
        failed_calls.from_spans(
            "Calls saved by a retry",
            "Calls that completed after one or more failed attempts. Needs traces in Tempo.",
            SAVED,
            "no trace of such a call in Tempo: there was none, or the stack has no traces",
            names.FAILURE,
        ),
    ]
