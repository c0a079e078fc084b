# SPDX-License-Identifier: Apache-2.0
"""A row of *After the 200*: single calls that failed, and errors inside bodies."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend
from after200.monitoring.naming import label
from after200.monitoring.promql import matches, quantile
from after200.monitoring.selection import CHOSEN, RATE

INNER = (names.OPERATION_NAME, names.ERROR_TYPE, names.HTTP_STATUS)
FAILED_CALLS = '{ span.after200.outcome =~ "failed|truncated" }'


def single(counts: Counts) -> list[Any]:
    errors = matches(names.ERROR_TYPE, ".+")
    columns = {
        label(names.OPERATION_NAME): tables.Column("Operation"),
        label(names.ERROR_TYPE): tables.Column("Error type"),
        label(names.HTTP_STATUS): tables.Column("Status", 80),
    }
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
            p.Query(
                quantile(0.95, names.DURATION, (label(names.ERROR_TYPE),), RATE, *CHOSEN, errors),
                legend(names.ERROR_TYPE),
                exemplar=True,
            ),
            axis="duration, p95",
            colored=colors.ERROR_TYPES,
        ),
        tables.listing(
            "Errors inside bodies",
            "Errors that the body of a successful call reports of something else than the call: an entry of a batch, "
            "an agent's session. They count as no failure of the call, and stand nowhere else on this page.",
            f"{counts.total(names.INNER_ERRORS, by=INNER)} > 0",
            columns,
            value="Errors",
        ),
    ]
