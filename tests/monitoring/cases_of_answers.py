# SPDX-License-Identifier: Apache-2.0
"""Situations in which calls complete and are of little use, or are refused for money or for a limit."""

from __future__ import annotations

from .cases import CALL, COMPLETED, MODEL, PROCESS, WHERE, failed, labelled
from .promtool import Case, Firing


def answers(answer: str, **labels: str) -> str:
    return labelled("after200_answers_total", {**CALL, "after200_answer": answer, **labels})


def tools(tool: str, error: str = "") -> str:
    error_type = {"error_type": error} if error else {}
    return labelled("after200_server_tool_calls_total", {**PROCESS, "gen_ai_tool_name": tool, **error_type})


def limit(kind: str) -> str:
    name = "after200_rate_limit_utilization_ratio"
    return labelled(name, {**PROCESS, "after200_rate_limit_kind": kind})


def billing(calls: int) -> Firing:
    return Firing(
        "ClaudeBilling",
        {**MODEL, "after200_failure": "billing", "severity": "critical"},
        "Claude refuses calls because of billing.",
        f"{calls} calls of {WHERE} failed because of a spend limit or an unpaid account (last 5m). No retry helps: "
        "nobody gets an answer until somebody pays or raises the limit.",
    )


def refusals(share: str) -> Firing:
    return Firing(
        "ClaudeRefusals",
        {**MODEL, "after200_answer": "refused", "severity": "warning"},
        "Claude refuses to answer a large share of calls.",
        f"{share} of the answers of {WHERE} were refusals, with HTTP status 200 (last 5m). A retry is refused again.",
    )


def answers_cut(share: str) -> Firing:
    return Firing(
        "ClaudeAnswersCut",
        {**MODEL, "after200_answer": "cut", "severity": "warning"},
        "A limit cuts off a large share of the answers of Claude.",
        f"{share} of the answers of {WHERE} were cut by max_tokens or by the context window, with HTTP status 200 "
        "(last 5m).",
    )


def tools_fail(tool: str, share: str) -> Firing:
    return Firing(
        "ClaudeServerToolsFail",
        {**MODEL, "gen_ai_tool_name": tool, "severity": "warning"},
        "A tool that runs at the provider fails inside answers of Claude.",
        f"{share} of the results of {tool} in answers of {WHERE} were errors (last 5m). The calls completed with HTTP "
        "status 200.",
    )


def limit_near(kind: str, share: str) -> Firing:
    return Firing(
        "ClaudeRateLimitNear",
        {**MODEL, "after200_rate_limit_kind": kind, "severity": "warning"},
        "A rate limit of Claude is nearly used up.",
        f"{share} of the limit {kind} of {WHERE} is used up. Calls beyond it are refused with 429.",
    )


COMPLETE, REFUSED, CUT = answers("complete"), answers("refused", after200_refusal_category="cyber"), answers("cut")
UNPAID = failed("billing", "billing_error", "402", wire="402", phase="request")

CASES_OF_ANSWERS = (
    Case(
        "The first call that fails because of billing pages",
        {COMPLETED: "0+10x60", UNPAID: "_x40 1x80"},
        {"9m45s": (), "10m": (billing(1),), "16m": ()},
    ),
    Case(
        "Refusals warn when they are many, and again when the share is of enough answers",
        {COMPLETED: "0+10x80", COMPLETE: "0+9x80", REFUSED: "0x40 0+1x40"},
        {"9m": (), "11m": (), "16m": (refusals("10%"),)},
    ),
    Case(
        "A refusal among few answers fires nothing",
        {COMPLETED: "0x10 1x20 2x50", COMPLETE: "0x10 1x70", REFUSED: "0x30 1x50"},
        {"7m": (), "8m": (), "11m": ()},
    ),
    Case(
        "Answers that a limit cuts off warn",
        {COMPLETED: "0+10x80", COMPLETE: "0+8x80", CUT: "0x40 0+2x40"},
        {"9m": (), "16m": (answers_cut("20%"),)},
    ),
    Case(
        "A server tool that fails warns, and one that works does not",
        {
            COMPLETED: "0+10x80",
            tools("web_search"): "0+1x40 40x40",
            tools("web_search", "too_many_requests"): "0x40 0+1x40",
            tools("web_fetch"): "0+2x80",
        },
        {"9m": (), "16m": (tools_fail("web_search", "100%"),)},
    ),
    Case(
        "A rate limit that is nearly used up warns when that lasts",
        {COMPLETED: "0+10x80", limit("input_tokens"): "0.5x20 0.95x3 0.5x20 0.95x40", limit("requests"): "0.3x90"},
        {"5m30s": (), "12m": (), "14m": (limit_near("input_tokens", "95%"),)},
    ),
)
