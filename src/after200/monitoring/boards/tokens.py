# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Tokens*: what was paid for, what came out of the cache, and what was spent on calls that failed."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import ERRORS, Policy
from after200.monitoring.promql import equals, matches, none_of, one_of, share
from after200.monitoring.selection import OF_A_MODEL, quantile
from after200.monitoring.tables import Column

PROMPT = one_of(names.TOKEN_TYPE, ("input", "cache_read", "cache_write"))
FROM_CACHE = equals(names.TOKEN_TYPE, "cache_read")
WASTED = one_of(names.OUTCOME, ERRORS)


def dashboard(policy: Policy) -> Board:
    tokens = Counts(names.TOKENS, policy)
    return Board(
        places.TOKENS,
        "Claude: Tokens",
        "Tokens by kind, by how the call that used them ended, and how much the cache gave.",
        [
            Row("Tokens", numbers(tokens)),
            Row("Where they go", graphs(tokens)),
            Row("By job and model, and per call", listings(tokens), collapsed=True),
        ],
    )


def numbers(tokens: Counts) -> list[p.Panel]:
    return [
        p.count("Tokens", "Tokens of all kinds, over the whole range: what is billed.", tokens.total()),
        p.count("Input", "Input tokens that no cache was used for.", tokens.part(equals(names.TOKEN_TYPE, "input"))),
        p.count("Output", "Output tokens, thinking included.", tokens.part(equals(names.TOKEN_TYPE, "output"))),
        p.number(
            "Cache hit share",
            "Share of the prompt's tokens that were read from the cache: cache_read / (input + cache_read + "
            "cache_write).",
            "percentunit",
            share(tokens.total(FROM_CACHE), tokens.total(PROMPT)),
            decimals=1,
        ),
        p.count(
            "Spent on failed calls",
            "Tokens of calls that failed or were truncated, as far as the provider had reported them.",
            tokens.part(WASTED),
        ),
        tokens.share("Share on failed calls", "Of all tokens.", WASTED, steps=p.bad_from(warning=0.01, critical=0.05)),
    ]


def graphs(tokens: Counts) -> list[p.Panel]:
    models = (names.REQUEST_MODEL,)
    prompt = (PROMPT, OF_A_MODEL)
    return [
        tokens.graph(
            "Tokens by kind",
            "Each token counts once: input is what was neither read from nor written to the cache.",
            by=(names.TOKEN_TYPE,),
        ),
        tokens.graph(
            "Tokens that have a price of their own",
            "Parts of the kinds: cache writes by how long they are kept, thinking, and compaction of the context, "
            "which is billed and in no total of the provider.",
            matches(names.TOKEN_DETAIL, ".+"),
            by=(names.TOKEN_TYPE, names.TOKEN_DETAIL),
            nothing="no such tokens",
        ),
        p.graph(
            "Cache hit share by model",
            "Share of the prompt's tokens that were read from the cache: of the models with the most of them, and of "
            "all others together. A click on a line shows only this model.",
            "percentunit",
            tokens.share_of_worst(FROM_CACHE, OF_A_MODEL, whole=prompt, bad=prompt),
            by=models,
            axis="of the prompt's tokens",
            worst="min",
        ),
        tokens.graph(
            "Tokens of calls that did not complete",
            "By how the call ended, whoever is to blame.",
            none_of(names.OUTCOME, ("completed",)),
            by=(names.OUTCOME,),
            span=24,
            nothing="no tokens of such calls",
        ),
    ]


def listings(tokens: Counts) -> list[p.Panel]:
    by = (names.TOKEN_TYPE,)
    return [
        tokens.listing(
            "Tokens by job and model",
            "Every kind of token in the time range. A click on a job or a model shows only this one.",
            columns=(tables.JOB, tables.MODEL, Column(names.TOKEN_TYPE, "Kind", 110), tables.OUTCOME),
            span=24,
        ),
        p.graph(
            "Tokens per call",
            "Median and 95th percentile, as the conventions count: input includes what came from and went to the "
            "cache.",
            "short",
            p.Query(quantile(0.5, names.TOKEN_USAGE, by=by), f"p50 {p.legend(*by)}"),
            p.Query(quantile(0.95, names.TOKEN_USAGE, by=by), f"p95 {p.legend(*by)}"),
            axis="tokens of a call",
            colored={
                "p50 input": "#2B4C82",
                "p95 input": colors.TOKEN_TYPES["input"],
                "p50 output": "#1F6060",
                "p95 output": colors.TOKEN_TYPES["output"],
            },
            span=24,
        ),
    ]
