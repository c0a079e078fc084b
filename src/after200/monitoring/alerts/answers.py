# SPDX-License-Identifier: Apache-2.0
"""Alerts on answers of calls that completed."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring.alerts.alert import SHARE, WHERE, Alert
from after200.monitoring.naming import label


def answers(policy: p.Policy) -> list[Alert]:
    """Calls that completed, and whose answers are of little use all the same."""
    w, answer, tool = policy.window, label(names.ANSWER), label(names.TOOL_NAME)
    enough = f"and on ({', '.join(p.LEVEL)}) {r.ANSWERED}{w} >= {policy.minimum_answers}"
    return [
        Alert(
            "ClaudeRefusals",
            "warning",
            f'{r.BY_ANSWER}{w}{{{answer}="refused"}} > {policy.refusals_warning:g} {enough}',
            "Claude refuses to answer a large share of calls.",
            f"{SHARE} of the answers of {WHERE} were refusals, with HTTP status 200 (last {w}). A retry is refused "
            "again.",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeAnswersCut",
            "warning",
            f'{r.BY_ANSWER}{w}{{{answer}="cut"}} > {policy.cut_warning:g} {enough}',
            "A limit cuts off a large share of the answers of Claude.",
            f"{SHARE} of the answers of {WHERE} were cut by max_tokens or by the context window, with HTTP status 200 "
            f"(last {w}).",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeServerToolsFail",
            "warning",
            f"{r.TOOL_ERRORS}{w} > {policy.tools_warning:g} and {r.TOOL_CALLS}{w} >= {policy.minimum_tool_calls}",
            "A tool that runs at the provider fails inside answers of Claude.",
            f"{SHARE} of the results of {{{{ $labels.{tool} }}}} in answers of {WHERE} were errors (last {w}). The "
            "calls completed with HTTP status 200.",
            policy.answers_hold,
        ),
    ]
