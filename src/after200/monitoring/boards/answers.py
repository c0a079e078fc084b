# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Answers*: what the calls that completed were answered, and what failed inside the answers."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors, places, tables
from after200.monitoring import panels as p
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import USABLE_ANSWERS, Policy
from after200.monitoring.promql import equals, matches, none_of, one_of
from after200.monitoring.recording import TOOL_ERROR_MATCHERS
from after200.monitoring.tables import Column

USABLE = one_of(names.ANSWER, USABLE_ANSWERS)
UNUSABLE = none_of(names.ANSWER, USABLE_ANSWERS)
REFUSED = equals(names.ANSWER, "refused")
FALLBACK = equals(names.FALLBACK, "true")
NO_TIER = "no answer names its tier"
NAMED_TIER = matches(names.SERVICE_TIER, ".+")


def dashboard(policy: Policy) -> Board:
    answers = Counts(names.ANSWERS_RECEIVED, policy)
    results = Counts(names.SERVER_TOOL_CALLS, policy)
    return Board(
        places.ANSWERS,
        "Claude: Answers",
        "Calls that completed with HTTP status 200: whether their answers can be used.",
        [
            Row("Of the calls that completed", numbers(answers, results)),
            Row("What is wrong with the others", graphs(answers)),
            Row("Server tools: they run at the provider, inside the answer", tools(results)),
            Row("What was served", served(answers), collapsed=True),
        ],
    )


def numbers(answers: Counts, results: Counts) -> list[p.Panel]:
    policy = answers.policy
    return [
        answers.share(
            "Usable answers",
            "Complete answers, and paused ones that can be continued.",
            USABLE,
            steps=p.good_from(1 - 3 * (1 - policy.usable_target), policy.usable_target),
        ),
        answers.share(
            "Refused",
            "Answers that end with the stop reason refusal. A retry of the same request is refused again.",
            REFUSED,
            steps=p.bad_from(policy.refusals_warning, 2 * policy.refusals_warning),
        ),
        answers.share(
            "Cut",
            "Answers that max_tokens or the context window has cut off.",
            equals(names.ANSWER, "cut"),
            steps=p.bad_from(policy.cut_warning, 2 * policy.cut_warning),
        ),
        answers.share(
            "By another model", "Answers that a fallback model gave, because the one asked for declined.", FALLBACK
        ),
        results.share(
            "Failed server tools",
            "Of the results of tools that ran at the provider.",
            *TOOL_ERROR_MATCHERS,
            steps=p.bad_from(policy.tools_warning / 2, policy.tools_warning),
        ),
        p.count("Answers", "Calls of the Messages API that completed, over the whole range.", answers.total()),
    ]


def graphs(answers: Counts) -> list[p.Panel]:
    models = (names.REQUEST_MODEL,)
    return [
        answers.graph(
            "Answers that are not complete",
            "cut: by max_tokens or the context window. refused: by a classifier or the model. paused: can be "
            "continued. guarded: a guardrail of Bedrock stepped in. empty: not one content block.",
            none_of(names.ANSWER, ("complete",)),
            by=(names.ANSWER,),
            nothing="no incomplete answers",
        ),
        answers.graph(
            "Refusals by category",
            "What the provider's classifiers name as the subject; none where they name nothing.",
            REFUSED,
            by=(names.REFUSAL_CATEGORY,),
            absent=colors.NONE,
            nothing="no refusals",
        ),
        p.graph(
            "Usable answers by model",
            "Share of the answers that are complete or paused: of the models with the most that are not, and of all "
            "others together. A click on a line shows only this model.",
            "percentunit",
            answers.share_of_worst(USABLE, bad=(UNUSABLE,)),
            by=models,
            axis="of all answers",
            floor=0.95,
            maximum=1,
            worst="min",
        ),
        answers.listing(
            "Answers that are not usable",
            "Every kind in the time range. A click on a model shows only this model.",
            UNUSABLE,
            columns=(
                tables.MODEL,
                Column(names.ANSWER, "Answer", 110),
                Column(names.STOP_REASON, "Stop reason"),
                Column(names.REFUSAL_CATEGORY, "Category of the refusal"),
            ),
            span=24,
            nothing="no unusable answers",
        ).height(7),
    ]


def tools(results: Counts) -> list[p.Panel]:
    tool = (names.TOOL_NAME,)
    return [
        p.graph(
            "Server tools that fail",
            "Share of the results of each tool that report an error, inside answers with HTTP status 200. Dashed: "
            f"above it over {results.policy.window}, ClaudeServerToolsFail warns.",
            "percentunit",
            results.share_per_minute(*TOOL_ERROR_MATCHERS, by=tool),
            by=tool,
            axis="of the tool's results",
            nothing="no tools",
            limit=p.line(results.policy.tools_warning, results.per_minute()),
        ),
        results.listing(
            "Errors of server tools",
            "By tool and by the error that its result reports.",
            *TOOL_ERROR_MATCHERS,
            columns=(Column(names.TOOL_NAME, "Tool"), Column(names.ERROR_TYPE, "Error")),
            nothing="no tool failed",
        ),
    ]


def served(answers: Counts) -> list[p.Panel]:
    """The service tiers and speeds that served the answers."""
    return [
        answers.graph(
            "Answers by service tier",
            "The tier that was served, which can be less than the one that was asked for.",
            NAMED_TIER,
            by=(names.SERVICE_TIER,),
            nothing=NO_TIER,
        ),
        answers.listing(
            "Tiers and speeds",
            "What was served over the whole range. Not every answer names its speed.",
            NAMED_TIER,
            columns=(Column(names.SERVICE_TIER, "Service tier", 115), Column(names.SPEED, "Speed", absent="not named")),
            nothing=NO_TIER,
        ),
        answers.graph("All answers by model", "Calls of the Messages API that completed.", by=(names.REQUEST_MODEL,)),
        answers.graph(
            "Fallbacks by model",
            "Answers that another model gave than the one asked for, by the model asked for.",
            FALLBACK,
            by=(names.REQUEST_MODEL,),
            nothing="no fallbacks",
        ),
    ]
