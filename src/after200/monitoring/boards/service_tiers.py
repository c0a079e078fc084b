# SPDX-License-Identifier: Apache-2.0
"""A row of *Answers*: the service tiers and speeds that served the answers."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend, or_none
from after200.monitoring.naming import label
from after200.monitoring.promql import matches

PER_MINUTE = "answers per minute"


def served(counts: Counts) -> list[Any]:
    tier = (names.SERVICE_TIER,)
    rows = {names.SERVICE_TIER: tables.Column("Service tier", 115), names.SPEED: tables.Column("Speed")}
    known = matches(names.SERVICE_TIER, ".+")
    return [
        p.graph(
            "Answers by service tier",
            "The tier that was served, which can be less than the one that was asked for.",
            "short",
            p.Query(counts.per_minute(names.ANSWERS_RECEIVED, known, by=tier), legend(*tier)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.TIERS,
            span=8,
        ),
        tables.listing(
            "Tiers and speeds",
            "What was served over the whole range. Not every answer names its speed.",
            or_none(
                f"{counts.total(names.ANSWERS_RECEIVED, known, by=tuple(rows))} > 0", names.SPEED, text="not named"
            ),
            {label(attribute): column for attribute, column in rows.items()},
            value="Answers",
            span=8,
        ),
        p.graph(
            "All answers by model",
            "Calls of the Messages API that completed.",
            "short",
            p.Query(counts.per_minute(names.ANSWERS_RECEIVED, by=(names.REQUEST_MODEL,)), legend(names.REQUEST_MODEL)),
            stacked=True,
            axis=PER_MINUTE,
            sets=names.REQUEST_MODEL,
            span=8,
        ),
    ]
