# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Tokens*: what was paid for, what came out of the cache, and what was spent on calls that failed."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend, or_zero, with_model
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.naming import label
from after200.monitoring.policy import ERRORS, Policy
from after200.monitoring.promql import Matcher, equals, matches, none_of, one_of, quantile, share
from after200.monitoring.selection import CHOSEN, RATE

PROMPT = (one_of(names.TOKEN_TYPE, ("input", "cache_read", "cache_write")),)
FROM_CACHE = (equals(names.TOKEN_TYPE, "cache_read"),)
WASTED = (one_of(names.OUTCOME, ERRORS),)
PER_MINUTE = "tokens per minute"


def dashboard(policy: Policy) -> Board:
    counts = Counts(policy)
    return Board(
        places.TOKENS,
        "Claude: Tokens",
        "Tokens by kind, by how the call that used them ended, and how much the cache gave.",
        [
            Row("Tokens", numbers(counts)),
            Row("Where they go", graphs(counts)),
            Row("By job and model, and per call", listings(counts), collapsed=True),
        ],
    )


def numbers(counts: Counts) -> list[Any]:
    def tokens(*matchers: Matcher) -> str:
        return counts.total(names.TOKENS, *matchers)

    def of(*matchers: Matcher) -> p.Query:
        return p.Query(or_zero(tokens(*matchers), tokens()))

    return [
        p.count("Tokens", "Tokens of all kinds, over the whole range: what is billed.", p.Query(tokens())),
        p.count("Input", "Input tokens that no cache was used for.", of(equals(names.TOKEN_TYPE, "input"))),
        p.count("Output", "Output tokens, thinking included.", of(equals(names.TOKEN_TYPE, "output"))),
        p.number(
            "Cache hit share",
            "Share of the prompt's tokens that were read from the cache: cache_read / (input + cache_read + "
            "cache_write).",
            "percentunit",
            p.Query(share(tokens(*FROM_CACHE), tokens(*PROMPT))),
            decimals=1,
        ),
        p.count(
            "Spent on failed calls",
            "Tokens of calls that failed or were truncated, as far as the provider had reported them.",
            of(*WASTED),
        ),
        p.number(
            "Share on failed calls",
            "Of all tokens.",
            "percentunit",
            *counts.both(
                lambda window: share(
                    counts.total(names.TOKENS, *WASTED, window=window), counts.total(names.TOKENS, window=window)
                )
            ),
            steps=((0, colors.GREEN), (0.01, colors.ORANGE), (0.05, colors.RED)),
            decimals=2,
        ),
    ]


def graphs(counts: Counts) -> list[Any]:
    kinds, outcomes, models = (names.TOKEN_TYPE,), (names.OUTCOME,), (names.REQUEST_MODEL,)
    details = (names.TOKEN_TYPE, names.TOKEN_DETAIL)
    of_model = with_model(names.TOKENS)
    return [
        p.graph(
            "Tokens by kind",
            "Each token counts once: input is what was neither read from nor written to the cache.",
            "short",
            p.Query(counts.per_minute(names.TOKENS, by=kinds), legend(*kinds)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.TOKEN_TYPES,
        ),
        p.graph(
            "Tokens that have a price of their own",
            "Parts of the kinds: cache writes by how long they are kept, thinking, and compaction of the context, "
            "which is billed and in no total of the provider.",
            "short",
            p.Query(counts.per_minute(names.TOKENS, matches(names.TOKEN_DETAIL, ".+"), by=details), legend(*details)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.TOKEN_DETAILS,
        ),
        p.graph(
            "Cache hit share by model",
            "Share of the prompt's tokens that were read from the cache. A click on a line shows only this model.",
            "percentunit",
            p.Query(
                share(
                    counts.per_minute(names.TOKENS, *FROM_CACHE, *of_model, by=models),
                    counts.per_minute(names.TOKENS, *PROMPT, *of_model, by=models),
                ),
                legend(*models),
            ),
            axis="of the prompt's tokens",
            sets=names.REQUEST_MODEL,
        ),
        p.graph(
            "Tokens of calls that did not complete",
            "By how the call ended, whoever is to blame.",
            "short",
            p.Query(
                counts.per_minute(names.TOKENS, none_of(names.OUTCOME, ("completed",)), by=outcomes),
                legend(*outcomes),
            ),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.OUTCOMES,
        ),
    ]


def listings(counts: Counts) -> list[Any]:
    by = ("job", names.REQUEST_MODEL, names.TOKEN_TYPE, names.OUTCOME)
    columns = (tables.JOB, tables.MODEL, tables.Column("Kind", 110), tables.Column("Outcome", 110))
    queries = [
        p.Query(
            quantile(q, names.TOKEN_USAGE, (label(names.TOKEN_TYPE),), RATE, *CHOSEN),
            f"p{q * 100:g} {legend(names.TOKEN_TYPE)}",
        )
        for q in (0.5, 0.95)
    ]
    return [
        tables.listing(
            "Tokens by job and model",
            "Every kind of token in the time range. A click on a job or a model shows only this one.",
            f"{counts.total(names.TOKENS, by=by)} > 0",
            dict(zip(map(label, by), columns, strict=True)),
            value="Tokens",
            span=14,
        ),
        p.graph(
            "Tokens per call",
            "Median and 95th percentile, as the conventions count: input includes what came from and went to the "
            "cache.",
            "short",
            *queries,
            axis="tokens of a call",
            colored={
                "p50 input": "#3D6BB5",
                "p95 input": colors.TOKEN_TYPES["input"],
                "p50 output": "#2F8F8F",
                "p95 output": colors.TOKEN_TYPES["output"],
            },
            span=10,
        ),
    ]
