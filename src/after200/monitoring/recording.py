# SPDX-License-Identifier: Apache-2.0
"""The recording rules: a policy comes in, rule groups as plain data go out.

Every alert builds on these, so the awkward part (counting the birth of a series) is written and tested once. Names are
level:metric:operation; the level `model` is job, provider and model.
"""

from __future__ import annotations

from typing import Any, Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring.promql import braces, count_by, equals, matches, none_of, share, sum_by
from after200.monitoring.sums import ALIVE, ANSWERS, ATTEMPTS, CALLS, RETURNED, STREAMS, TOOLS, rule, smooth_streams
from after200.monitoring.symptoms import FAILED_MATCHERS, JUDGED_MATCHERS, calls, down_rules, symptom_rules

PYTHON: Final = 'target_info{telemetry_sdk_language="python"}'
"""One series for each process, on every way that metrics take to Prometheus."""

ABANDONED: Final = "model:after200_calls_abandoned:ratio"
VALID: Final = "model:after200_calls_valid:increase"
BAD: Final = "model:after200_calls_bad"
STALLED: Final = "model:after200_streams_stalled:ratio"
ATTEMPTED: Final = "model:after200_attempts:increase"
REFUSED: Final = "model:after200_attempts_refused:ratio"
ANSWERED: Final = "model:after200_answers:increase"
BY_ANSWER: Final = "model_answer:after200_answers:ratio"
TOOL_CALLS: Final = "model_tool:after200_server_tool_calls:increase"
TOOL_ERRORS: Final = "model_tool:after200_server_tool_calls:ratio"

VALID_MATCHERS: Final = (*JUDGED_MATCHERS, none_of(names.FAILURE, p.CALLER_FAULTS))
BAD_MATCHERS: Final = (*FAILED_MATCHERS, none_of(names.FAILURE, p.CALLER_FAULTS))
REFUSED_MATCHERS: Final = (matches(names.WIRE_STATUS, p.RETRIED_STATUSES),)
TOOL_ERROR_MATCHERS: Final = (matches(names.ERROR_TYPE, ".+"),)


def recording_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All groups, each of at most 20 rules, which is what Mimir and Grafana Cloud accept.

    Within a group, each rule may build on those before it; what another group records is at most one evaluation old.
    """
    groups = {
        "calls": [*call_rules(policy), *symptom_rules(policy)],
        "budget": [*down_rules(policy), *end_rules(policy), *budget_rules(policy)],
        "streams": stream_rules(policy),
        "attempts": attempt_rules(policy),
        "answers": answer_rules(policy),
    }
    return [{"name": f"after200.{name}", "rules": rules} for name, rules in groups.items()]


def call_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Calls in each window; the increase in the shorter ones comes from the sum alone."""
    *shorter, _ = policy.windows
    return [
        *(returned_rule(w, policy.memory) for w in policy.windows),
        *CALLS.rules(policy),
        *(rule(CALLS.increase(w), CALLS.rise(w, policy.memory)) for w in shorter),
    ]


def returned_rule(w: str, memory: str) -> dict[str, Any]:
    """The jobs with processes that are back within the window, after more than five minutes of silence."""
    alive, seen = (f"last_over_time({PYTHON}[{time}] offset {w})" for time in (ALIVE, memory))
    return rule(RETURNED + w, count_by(["job"], f"{PYTHON} unless {alive} and {seen}"))


def shares_of_model(parts: str, whole: str) -> str:
    """Each part of the whole of its model, which has several parts."""
    return f"{parts} / {p.ON_LEVEL} group_left () ({whole} > 0)"


def end_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Calls that were abandoned, and those that burn the error budget."""
    w = policy.window
    return [
        rule(ABANDONED + w, share(calls(w, equals(names.OUTCOME, "abandoned")), calls(w))),
        rule(VALID + w, calls(w, *VALID_MATCHERS)),
        *(rule(f"{BAD}:increase{window}", calls(window, *BAD_MATCHERS)) for window in policy.windows),
        rule(f"{BAD}:ratio{w}", share(f"{BAD}:increase{w}", VALID + w)),
    ]


def budget_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """The share of bad calls over longer windows, from what was recorded for the shortest.

    Each call is in the recorded increase for one window long, in numerator and denominator alike, so the quotient of
    the sums is the share whatever the evaluation interval. The number of calls takes one sample per window instead.
    """
    w = policy.window
    ratios = [
        rule(
            f"{BAD}:ratio{long}",
            share(f"sum_over_time({BAD}:increase{w}[{long}])", f"sum_over_time({VALID}{w}[{long}])"),
        )
        for long in policy.longer_windows
    ]
    counts = [rule(f"{VALID}{burn.long}", f"sum_over_time({VALID}{w}[{burn.long}:{w}])") for burn in policy.burns]
    return ratios + counts


def stream_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Streams that ended, and the share of them that stalled."""
    w, smooth = policy.window, smooth_streams(policy)
    return [
        *STREAMS.rules(policy),
        *smooth.rules(policy),
        rule(STALLED + w, f"clamp_min(1 - {smooth.increase(w)} / ({STREAMS.increase(w)} > 0), 0)"),
    ]


def attempt_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Attempts, and the share of them that the SDK has to repeat or give up."""
    w = policy.window
    attempts = ATTEMPTS.increase(w)
    return [
        *ATTEMPTS.rules(policy),
        rule(ATTEMPTED + w, sum_by(p.LEVEL, attempts)),
        rule(REFUSED + w, share(sum_by(p.LEVEL, attempts + braces(REFUSED_MATCHERS)), ATTEMPTED + w)),
    ]


def answer_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Answers of completed calls by what they are, and results of server tools."""
    w, tool = policy.window, (*p.LEVEL, names.TOOL_NAME)
    answers, tools = ANSWERS.increase(w), TOOLS.increase(w)
    return [
        *ANSWERS.rules(policy),
        rule(ANSWERED + w, sum_by(p.LEVEL, answers)),
        rule(BY_ANSWER + w, shares_of_model(sum_by((*p.LEVEL, names.ANSWER), answers), ANSWERED + w)),
        *TOOLS.rules(policy),
        rule(TOOL_CALLS + w, sum_by(tool, tools)),
        rule(TOOL_ERRORS + w, share(sum_by(tool, tools + braces(TOOL_ERROR_MATCHERS)), TOOL_CALLS + w)),
    ]
