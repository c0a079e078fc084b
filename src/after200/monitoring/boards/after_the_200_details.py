# SPDX-License-Identifier: Apache-2.0
"""The collapsed rows of *After the 200*: where failures come from, what they stand for, and what is no failure."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.policy import ERRORS, LEFT_BY_THE_APPLICATION
from after200.monitoring.promql import matches, one_of
from after200.monitoring.selection import or_none, quantile
from after200.monitoring.symptoms import HIDDEN_MATCHERS, JUDGED_MATCHERS
from after200.monitoring.tables import Column

NO_FAILURES, NO_HIDDEN = "no call failed", "no hidden failures"
NONE_LEFT = "no stream was left"


def origins(calls: Counts) -> list[p.Panel]:
    return [
        calls.graph(
            "Hidden failures by model",
            "Which model they come from. A click on a series shows only this model.",
            *HIDDEN_MATCHERS,
            by=(names.REQUEST_MODEL,),
            absent=colors.NONE,
            nothing=NO_HIDDEN,
        ),
        calls.graph(
            "Hidden failures by phase",
            "first_chunk: before the first content, so nothing was lost but time. mid_stream: the application already "
            "had part of the answer.",
            *HIDDEN_MATCHERS,
            by=(names.PHASE,),
            span=24,
            nothing=NO_HIDDEN,
        ),
    ]


def statuses(calls: Counts) -> list[p.Panel]:
    by = (names.ERROR_TYPE,)
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
        ),
        calls.graph(
            "Hidden failures by corrected status",
            "The status that the provider documents for the failure; none where it documents none.",
            *HIDDEN_MATCHERS,
            by=(names.HTTP_STATUS,),
            absent=colors.NONE,
            nothing=NO_HIDDEN,
        ),
        p.graph(
            "How long calls took that failed",
            "95th percentile. The dots are exemplars: each leads to the trace of one call (they need the way through "
            "the Collector, with OpenMetrics).",
            "s",
            p.Query(quantile(0.95, names.DURATION, matches(names.ERROR_TYPE, ".+"), by=by, births=True), exemplar=True),
            by=by,
            axis="duration, p95",
            span=24,
            nothing=NO_FAILURES,
            dots=True,
        ),
    ]


def by_client(calls: Counts) -> list[p.Panel]:
    """What went through the SDK, and what through which HTTP library: for services that reach Claude in both ways."""
    client = (names.CLIENT,)
    return [
        calls.graph(
            "Failed calls by client",
            f"{colors.SDK}: the anthropic SDK made the call. Else the library that sent the request: httpx, aiohttp, "
            "requests or botocore, or what stands on them, such as LiteLLM. There each request is a call of its own, a "
            "retry too.",
            one_of(names.OUTCOME, ERRORS),
            by=client,
            absent=colors.SDK,
            nothing=NO_FAILURES,
        ),
        calls.listing(
            "Calls by client",
            "How the calls of each way ended, over the whole range. A click on a job shows only this one.",
            columns=(tables.JOB, Column(names.CLIENT, "Client", 110, absent=colors.SDK), tables.OUTCOME),
        ),
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
            span=24,
            nothing=NONE_LEFT,
        ),
        calls.listing(
            "Who left how many",
            "Streams that the application left by itself, by job. Abandoned ones are a bug in the application.",
            one_of(names.OUTCOME, LEFT_BY_THE_APPLICATION),
            columns=(tables.JOB, tables.MODEL, tables.OUTCOME),
            span=24,
            nothing=NONE_LEFT,
        ),
    ]


def inside(calls: Counts) -> list[p.Panel]:
    return [
        Counts(names.INNER_ERRORS, calls.policy).listing(
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
