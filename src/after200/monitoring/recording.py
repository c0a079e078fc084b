# SPDX-License-Identifier: Apache-2.0
"""The recording rules: a policy comes in, rule groups as plain data go out.

Every alert builds on these, so the awkward part (counting the birth of a series) is written and tested once. Names are
level:metric:operation; the level `model` is job, provider and model.
"""

from __future__ import annotations

from typing import Any, Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring.promql import Matcher, braces, count_by, equals, matches, none_of, one_of, share, sum_by
from after200.monitoring.sums import ALIVE, ANSWERS, ATTEMPTS, CALLS, RETURNED, STREAMS, TOOLS, rule, smooth_streams

PYTHON: Final = 'target_info{telemetry_sdk_language="python"}'
"""One series for each process, on every way that metrics take to Prometheus."""

FALLEN: Final = "model:after200_calls_fallen:count"

HIDDEN: Final = "model:after200_calls_hidden_failure"
JUDGED: Final = "model:after200_calls_judged"
BY_FAILURE: Final = "model_failure:after200_calls"
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

HIDDEN_MATCHERS: Final = (one_of(names.OUTCOME, p.ERRORS), matches(names.WIRE_STATUS, p.BELOW_400))
JUDGED_MATCHERS: Final = (one_of(names.OUTCOME, p.JUDGED),)
VALID_MATCHERS: Final = (*JUDGED_MATCHERS, none_of(names.FAILURE, p.CALLER_FAULTS))
BAD_MATCHERS: Final = (one_of(names.OUTCOME, p.ERRORS), none_of(names.FAILURE, p.CALLER_FAULTS))
REFUSED_MATCHERS: Final = (matches(names.WIRE_STATUS, p.RETRIED_STATUSES),)
TOOL_ERROR_MATCHERS: Final = (matches(names.ERROR_TYPE, ".+"),)


def recording_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All groups, each of at most 20 rules, which is what Mimir and Grafana Cloud accept.

    Within a group, each rule may build on those before it; what another group records is at most one evaluation old.
    """
    groups = {
        "calls": call_rules(policy),
        "budget": [*end_rules(policy), *budget_rules(policy)],
        "streams": stream_rules(policy),
        "attempts": attempt_rules(policy),
        "answers": answer_rules(policy),
    }
    return [{"name": f"after200.{name}", "rules": rules} for name, rules in groups.items()]


def call_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Calls, and what they suffer, in both windows; the increase in the fast one comes from the sum alone."""
    return [
        returned_rule(policy.window, policy.memory),
        returned_rule(policy.fast_window, policy.memory),
        *CALLS.rules(policy),
        rule(CALLS.increase(policy.fast_window), CALLS.rise(policy.fast_window, policy.memory)),
        *symptom_rules(policy.window),
        *symptom_rules(policy.fast_window),
        fallen_rule(policy.fast_window),
    ]


def returned_rule(w: str, memory: str) -> dict[str, Any]:
    """The jobs with processes that are back within the window, after more than five minutes of silence."""
    alive, seen = (f"last_over_time({PYTHON}[{time}] offset {w})" for time in (ALIVE, memory))
    return rule(RETURNED + w, count_by(["job"], f"{PYTHON} unless {alive} and {seen}"))


def fallen_rule(w: str) -> dict[str, Any]:
    """The models whose sums are below what they were before the window, so that it cannot judge."""
    before = f"max_over_time({CALLS.sum}[{ALIVE}] offset {w}) or max_over_time({CALLS.sum}[{ALIVE}])"
    return rule(FALLEN + w, count_by(p.LEVEL, f"{CALLS.sum} < ({before})"))


def symptom_rules(w: str) -> list[dict[str, Any]]:
    """Calls that are judged, hidden failures and failures by their name, in a window: how many, and which share."""
    judged = f"{JUDGED}:increase{w}"
    failures = CALLS.increase(w) + braces([one_of(names.OUTCOME, p.ERRORS)])
    return [
        rule(judged, calls(w, *JUDGED_MATCHERS)),
        rule(f"{HIDDEN}:increase{w}", calls(w, *HIDDEN_MATCHERS)),
        rule(f"{HIDDEN}:ratio{w}", share(f"{HIDDEN}:increase{w}", judged)),
        rule(f"{BY_FAILURE}:increase{w}", sum_by((*p.LEVEL, names.FAILURE), failures)),
        rule(f"{BY_FAILURE}:ratio{w}", shares_of_model(f"{BY_FAILURE}:increase{w}", judged)),
    ]


def calls(window: str, *matchers: Matcher) -> str:
    """The calls of each model in a window, as recorded."""
    return sum_by(p.LEVEL, CALLS.increase(window) + braces(matchers))


def shares_of_model(parts: str, whole: str) -> str:
    """Each part of the whole of its model, which has several parts."""
    return f"{parts} / {p.ON_LEVEL} group_left () ({whole} > 0)"


def end_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Calls that were abandoned, and those that burn the error budget."""
    w = policy.window
    return [
        rule(ABANDONED + w, share(calls(w, equals(names.OUTCOME, "abandoned")), calls(w))),
        rule(VALID + w, calls(w, *VALID_MATCHERS)),
        rule(f"{BAD}:increase{w}", calls(w, *BAD_MATCHERS)),
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
        for long in p.RATIO_WINDOWS
    ]
    counts = [rule(f"{VALID}{burn.long}", f"sum_over_time({VALID}{w}[{burn.long}:{w}])") for burn in p.BURN_WINDOWS]
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
