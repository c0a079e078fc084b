# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Answers*: what the calls that completed were answered, and what failed inside the answers."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.expressions import legend, or_none, or_zero
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.boards.service_tiers import served
from after200.monitoring.naming import label
from after200.monitoring.policy import USABLE_ANSWERS, Policy
from after200.monitoring.promql import equals, none_of, one_of, share
from after200.monitoring.recording import TOOL_ERROR_MATCHERS

PER_MINUTE = "answers per minute"
OF_ANSWERS = "of all answers"
REFUSED = (equals(names.ANSWER, "refused"),)
CUT = (equals(names.ANSWER, "cut"),)
FALLBACK = (equals(names.FALLBACK, "true"),)


def dashboard(policy: Policy) -> Board:
    counts = Counts(policy)
    return Board(
        places.ANSWERS,
        "Claude: Answers",
        "Calls that completed with HTTP status 200: whether their answers are of use.",
        [
            Row("Of the calls that completed", numbers(counts, policy)),
            Row("What is wrong with the others", graphs(counts)),
            Row("Server tools: they run at the provider, inside the answer", tools(counts, policy)),
            Row("What was served", served(counts), collapsed=True),
        ],
    )


def numbers(counts: Counts, policy: Policy) -> list[Any]:
    def of_answers(*matchers: Any) -> tuple[p.Query, p.Query]:
        return counts.both(
            lambda window: share(
                counts.total(names.ANSWERS_RECEIVED, *matchers, window=window),
                counts.total(names.ANSWERS_RECEIVED, window=window),
            )
        )

    usable = (
        (0, colors.RED),
        (1 - 3 * (1 - policy.usable_target), colors.ORANGE),
        (policy.usable_target, colors.GREEN),
    )
    refused = ((0, colors.GREEN), (policy.refusals_warning, colors.ORANGE), (2 * policy.refusals_warning, colors.RED))
    cut = ((0, colors.GREEN), (policy.cut_warning, colors.ORANGE), (2 * policy.cut_warning, colors.RED))
    tools = ((0, colors.GREEN), (policy.tools_warning / 2, colors.ORANGE), (policy.tools_warning, colors.RED))
    answers = counts.total(names.ANSWERS_RECEIVED)
    return [
        p.number(
            "Usable answers",
            "Complete answers, and paused ones that can be continued.",
            "percentunit",
            *of_answers(one_of(names.ANSWER, USABLE_ANSWERS)),
            steps=usable,
            decimals=2,
            nothing="no answers",
        ),
        p.number(
            "Refused",
            "Answers that end with the stop reason refusal. A retry of the same request is refused again.",
            "percentunit",
            *of_answers(*REFUSED),
            steps=refused,
            decimals=2,
            nothing="no answers",
        ),
        p.number(
            "Cut",
            "Answers that max_tokens or the context window has cut off.",
            "percentunit",
            *of_answers(*CUT),
            steps=cut,
            decimals=2,
            nothing="no answers",
        ),
        p.number(
            "By another model",
            "Answers that a fallback model gave, because the one asked for declined.",
            "percentunit",
            *of_answers(*FALLBACK),
            decimals=2,
            nothing="no answers",
        ),
        p.number(
            "Failed server tools",
            "Of the results of tools that ran at the provider.",
            "percentunit",
            *counts.both(
                lambda window: share(
                    counts.total(names.SERVER_TOOL_CALLS, *TOOL_ERROR_MATCHERS, window=window),
                    counts.total(names.SERVER_TOOL_CALLS, window=window),
                )
            ),
            steps=tools,
            decimals=2,
            nothing="no tools",
        ),
        p.count("Answers", "Calls of the Messages API that completed, over the whole range.", p.Query(answers)),
    ]


def graphs(counts: Counts) -> list[Any]:
    models = (names.REQUEST_MODEL,)
    incomplete = none_of(names.ANSWER, ("complete",))
    every = counts.per_minute(names.ANSWERS_RECEIVED, by=models)
    rows = {
        names.REQUEST_MODEL: tables.MODEL,
        names.ANSWER: tables.Column("Answer", 110),
        names.STOP_REASON: tables.Column("Stop reason"),
        names.REFUSAL_CATEGORY: tables.Column("Category of the refusal"),
    }
    return [
        p.graph(
            "Answers that are not complete",
            "cut: by max_tokens or the context window. refused: by a classifier or the model. paused: can be "
            "continued. guarded: a guardrail of Bedrock stepped in. empty: not one content block.",
            "short",
            p.Query(counts.per_minute(names.ANSWERS_RECEIVED, incomplete, by=(names.ANSWER,)), legend(names.ANSWER)),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.ANSWERS,
        ),
        p.graph(
            "Refusals by category",
            "What the provider's classifiers name as the subject; none where they name nothing.",
            "short",
            p.Query(
                or_none(
                    counts.per_minute(names.ANSWERS_RECEIVED, *REFUSED, by=(names.REFUSAL_CATEGORY,)),
                    names.REFUSAL_CATEGORY,
                ),
                legend(names.REFUSAL_CATEGORY),
            ),
            stacked=True,
            axis=PER_MINUTE,
            colored=colors.REFUSALS,
        ),
        p.graph(
            "Usable answers by model",
            "Share of the answers that are complete or paused. A click on a line shows only this model.",
            "percentunit",
            p.Query(
                share(
                    counts.per_minute(names.ANSWERS_RECEIVED, one_of(names.ANSWER, USABLE_ANSWERS), by=models), every
                ),
                legend(*models),
            ),
            axis=OF_ANSWERS,
            floor=0.95,
            maximum=1,
            sets=names.REQUEST_MODEL,
        ),
        p.graph(
            "Fallbacks by model",
            "Answers that another model gave than the one asked for, by the model asked for.",
            "short",
            p.Query(or_zero(counts.per_minute(names.ANSWERS_RECEIVED, *FALLBACK, by=models), every), legend(*models)),
            stacked=True,
            axis=PER_MINUTE,
            sets=names.REQUEST_MODEL,
        ),
        tables.listing(
            "Answers that are not usable",
            "Every kind in the time range. A click on a model shows only this model.",
            f"{counts.total(names.ANSWERS_RECEIVED, none_of(names.ANSWER, USABLE_ANSWERS), by=tuple(rows))} > 0",
            {label(attribute): column for attribute, column in rows.items()},
            value="Answers",
            span=24,
        ),
    ]


def tools(counts: Counts, policy: Policy) -> list[Any]:
    tool = (names.TOOL_NAME,)
    rows = {
        names.TOOL_NAME: tables.Column("Tool"),
        names.ERROR_TYPE: tables.Column("Error"),
        names.REQUEST_MODEL: tables.MODEL,
    }
    return [
        p.graph(
            "Server tools that fail",
            "Share of the results of each tool that report an error, inside answers with HTTP status 200. Dashed: "
            "where ClaudeServerToolsFail warns.",
            "percentunit",
            p.Query(
                share(
                    counts.per_minute(names.SERVER_TOOL_CALLS, *TOOL_ERROR_MATCHERS, by=tool),
                    counts.per_minute(names.SERVER_TOOL_CALLS, by=tool),
                ),
                legend(*tool),
            ),
            p.Query(f"vector({policy.tools_warning:g})", "warns"),
            axis="of the tool's results",
            colored=colors.TOOLS,
            limits=("warns",),
        ),
        tables.listing(
            "Errors of server tools",
            "By tool and by the error that its result reports.",
            f"{counts.total(names.SERVER_TOOL_CALLS, *TOOL_ERROR_MATCHERS, by=tuple(rows))} > 0",
            {label(attribute): column for attribute, column in rows.items()},
            value="Results",
        ),
    ]
