# SPDX-License-Identifier: Apache-2.0
"""A row of *After the 200*: the streams that the application left by itself."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend
from after200.monitoring.naming import label
from after200.monitoring.policy import LEFT_BY_THE_APPLICATION
from after200.monitoring.promql import one_of


def left(counts: Counts) -> list[Any]:
    outcomes = one_of(names.OUTCOME, LEFT_BY_THE_APPLICATION)
    columns = {
        "job": tables.JOB,
        label(names.REQUEST_MODEL): tables.MODEL,
        label(names.OUTCOME): tables.Column("Outcome", 110),
    }
    return [
        p.graph(
            "Streams cancelled or abandoned",
            "cancelled: the reading task was cancelled. abandoned: dropped without being closed, so the connection "
            "leaks until the garbage collector comes by. Streams that were closed early are normal and not shown here.",
            "short",
            p.Query(
                counts.per_minute(names.CALLS, one_of(names.OUTCOME, ("cancelled", "abandoned")), by=(names.OUTCOME,)),
                legend(names.OUTCOME),
            ),
            stacked=True,
            axis="streams per minute",
            colored=colors.OUTCOMES,
        ),
        tables.listing(
            "Who left how many",
            "Streams that the application left by itself, by job. Abandoned ones are a bug in the application.",
            f"{counts.total(names.CALLS, outcomes, by=('job', names.REQUEST_MODEL, names.OUTCOME))} > 0",
            columns,
        ),
    ]
