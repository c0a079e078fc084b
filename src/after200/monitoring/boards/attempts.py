# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Attempts and retries*: what the SDK repeats without telling anybody."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.boards.common import SLIDING, legend, or_none, sliding, total
from after200.monitoring.boards.frame import board
from after200.monitoring.naming import label
from after200.monitoring.policy import Policy
from after200.monitoring.promql import equals, share
from after200.monitoring.recording import REFUSED_MATCHERS

FAILED_AT_ONCE = (equals(names.PHASE, "request"), *REFUSED_MATCHERS)
"""Calls whose last attempt was refused as well."""

SAVED = '{ span.http.request.resend_count > 0 && span.after200.outcome = "completed" }'


def dashboard(policy: Policy) -> p.Builder:
    return board(
        "after200-attempts",
        "Claude: Attempts and retries",
        "How many HTTP requests calls take, what each was answered, and what the retries are worth.",
        [
            ("Retry amplification", amplification(policy)),
            ("What each attempt was answered", answers()),
            ("What retries are worth", worth()),
        ],
        with_traces=True,
    )


def amplification(policy: Policy) -> list[Any]:
    attempts, calls = total(names.ATTEMPTS), total(names.CALLS)
    refused = share(total(names.ATTEMPTS, *REFUSED_MATCHERS), attempts)
    storm = ((0, p.GREEN), (policy.refused_warning / 2, p.ORANGE), (policy.refused_warning, p.RED))
    refused_now = sliding(names.ATTEMPTS, *REFUSED_MATCHERS, by=(names.REQUEST_MODEL,))
    attempts_now = sliding(names.ATTEMPTS, by=(names.REQUEST_MODEL,))
    return [
        p.number(
            "Attempts per call",
            "HTTP requests sent for each call that ended: 1 without any retry.",
            "none",
            f"{attempts} / ({calls} > 0)",
            span=6,
        ),
        p.number(
            "Refused attempts",
            "Share of HTTP requests answered with a status that the SDK retries (408, 409, 429, 5xx), or not at all.",
            "percentunit",
            refused,
            *storm,
            span=6,
        ),
        p.number("Attempts", "HTTP requests sent for calls that have ended.", "short", attempts, span=6),
        p.number("Calls", "Calls that ended.", "short", calls, span=6),
        p.graph(
            "Refused attempts by model",
            f"Share of HTTP requests that the SDK has to repeat or give up. {SLIDING}",
            "percentunit",
            p.Query(share(refused_now, attempts_now), legend(names.REQUEST_MODEL)),
            span=24,
            maximum=1,
        ),
    ]


def answers() -> list[Any]:
    by = (names.REQUEST_MODEL, names.WIRE_STATUS, names.ERROR_TYPE)
    headings = ("Model", "Wire status", "Error type")
    statuses = or_none(sliding(names.ATTEMPTS, by=(names.WIRE_STATUS,)), names.WIRE_STATUS, "no response")
    return [
        p.graph(
            "Status of each attempt",
            f"The status line of each HTTP request. {SLIDING}",
            "short",
            p.Query(statuses, legend(names.WIRE_STATUS)),
            stacked=True,
            colors={"200": p.GREEN, "no response": p.GREY, "429": p.YELLOW, "529": p.RED},
        ),
        p.listing(
            "Attempts by answer",
            "Every kind of answer in the time range.",
            f"{total(names.ATTEMPTS, by=by)} > 0",
            dict(zip(map(label, by), headings, strict=True)),
            value="Attempts",
        ),
    ]


def worth() -> list[Any]:
    refused, lost = total(names.ATTEMPTS, *REFUSED_MATCHERS), total(names.CALLS, *FAILED_AT_ONCE)
    return [
        p.number(
            "Calls saved by a retry, at most",
            "Refused attempts that were not the last of a call that failed. Exact when each saved call needed one "
            "retry; "
            "the table beside it has the calls themselves.",
            "short",
            f"clamp_min(({refused} or vector(0)) - ({lost} or vector(0)), 0)",
            span=6,
        ),
        p.number(
            "Calls lost in spite of retries",
            "Calls whose last attempt was refused too.",
            "short",
            f"{lost} or vector(0)",
            (0, p.GREEN),
            (1, p.ORANGE),
            span=6,
        ),
        p.traces(
            "Calls saved by a retry",
            "Calls that completed after one or more refused attempts. Needs traces in Tempo.",
            SAVED,
            span=12,
            height=5,
        ),
    ]
