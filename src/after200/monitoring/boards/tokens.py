# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Tokens*: what was paid for, what came out of the cache, and what was spent on calls that failed."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.boards.common import SLIDING, legend, sliding, total
from after200.monitoring.boards.frame import board
from after200.monitoring.naming import label
from after200.monitoring.policy import ERRORS, Policy
from after200.monitoring.promql import Matcher, equals, none_of, one_of, quantile, share

PROMPT = (one_of(names.TOKEN_TYPE, ("input", "cache_read", "cache_write")),)
FROM_CACHE = (equals(names.TOKEN_TYPE, "cache_read"),)
WASTED = (one_of(names.OUTCOME, ERRORS),)
KIND_COLORS = {"input": p.BLUE, "output": p.GREEN, "cache_read": p.PURPLE, "cache_write": p.ORANGE}


def dashboard(policy: Policy) -> p.Builder:
    return board(
        "after200-tokens",
        "Claude: Tokens",
        "Tokens by kind, by how the call that used them ended, and how much the cache gave.",
        [("Tokens", numbers()), ("Where they go", graphs()), ("Per call", per_call())],
    )


def tokens(*matchers: Matcher) -> str:
    return total(names.TOKENS, *matchers)


def numbers() -> list[Any]:
    return [
        p.number("Tokens", "Tokens of all kinds.", "short", tokens()),
        p.number(
            "Input", "Input tokens that no cache was used for.", "short", tokens(equals(names.TOKEN_TYPE, "input"))
        ),
        p.number("Output", "Output tokens.", "short", tokens(equals(names.TOKEN_TYPE, "output"))),
        p.number(
            "Cache hit share",
            "Share of the prompt's tokens that were read from the cache: cache_read / (input + cache_read + "
            "cache_write).",
            "percentunit",
            share(tokens(*FROM_CACHE), tokens(*PROMPT)),
        ),
        p.number(
            "Spent on calls that failed",
            "Tokens of calls that failed or were truncated, as far as the provider had reported them.",
            "short",
            f"{tokens(*WASTED)} or vector(0)",
            (0, p.GREEN),
            (1, p.ORANGE),
        ),
        p.number(
            "Share spent on calls that failed",
            "Of all tokens.",
            "percentunit",
            share(tokens(*WASTED), tokens()),
            (0, p.GREEN),
            (0.01, p.ORANGE),
            (0.05, p.RED),
        ),
    ]


def graphs() -> list[Any]:
    kinds, outcomes = (names.TOKEN_TYPE,), (names.OUTCOME,)
    models = (names.REQUEST_MODEL,)
    by = ("job", names.REQUEST_MODEL, names.TOKEN_TYPE, names.OUTCOME)
    return [
        p.graph(
            "By kind",
            f"Each token counts once: input is what was neither read from nor written to the cache. {SLIDING}",
            "short",
            p.Query(sliding(names.TOKENS, by=kinds), legend(*kinds)),
            stacked=True,
            colors=KIND_COLORS,
        ),
        p.graph(
            "By outcome of the call",
            f"Everything but completed did not end in a whole answer. {SLIDING}",
            "short",
            p.Query(sliding(names.TOKENS, by=outcomes), legend(*outcomes)),
            stacked=True,
        ),
        p.graph(
            "Cache hit share by model",
            f"Share of the prompt's tokens that were read from the cache. {SLIDING}",
            "percentunit",
            p.Query(
                share(sliding(names.TOKENS, *FROM_CACHE, by=models), sliding(names.TOKENS, *PROMPT, by=models)),
                legend(*models),
            ),
            maximum=1,
        ),
        p.graph(
            "Spent on calls that did not complete",
            f"By kind of token, whoever is to blame. {SLIDING}",
            "short",
            p.Query(sliding(names.TOKENS, none_of(names.OUTCOME, ("completed",)), by=kinds), legend(*kinds)),
            stacked=True,
            colors=KIND_COLORS,
        ),
        p.listing(
            "Tokens by job and model",
            "Every kind of token in the time range.",
            f"{total(names.TOKENS, by=by)} > 0",
            dict(zip(map(label, by), ("Job", "Model", "Kind", "Outcome"), strict=True)),
            value="Tokens",
            span=24,
        ),
    ]


def per_call() -> list[Any]:
    queries = [
        p.Query(
            quantile(q, names.TOKEN_USAGE, (label(names.TOKEN_TYPE),), p.RATE, *p.CHOSEN),
            f"p{q * 100:g} {legend(names.TOKEN_TYPE)}",
        )
        for q in (0.5, 0.95)
    ]
    return [
        p.graph(
            "Tokens per call",
            "Median and 95th percentile, as the conventions count: input includes what came from and went to the "
            "cache.",
            "short",
            *queries,
            span=24,
        )
    ]
