# SPDX-License-Identifier: Apache-2.0
"""The recording rules: a policy comes in, rule groups as plain data go out.

Every alert builds on these, so the awkward part (counting the birth of a series) is written and tested once. Names are
level:metric:operation; the level `model` is job, provider and model.
"""

from __future__ import annotations

from typing import Any, Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring.naming import label
from after200.monitoring.promql import (
    Matcher,
    braces,
    equals,
    increase,
    matches,
    none_of,
    one_of,
    select,
    share,
    sum_by,
)

OUTCOMES: Final = "model_outcome:after200_calls:increase"
JUDGED: Final = "model:after200_calls_judged:increase"
HIDDEN: Final = "model:after200_calls_hidden_failure"
BY_FAILURE: Final = "model_failure:after200_calls:ratio"
ABANDONED: Final = "model:after200_calls_abandoned:ratio"
VALID: Final = "model:after200_calls_valid:increase"
BAD: Final = "model:after200_calls_bad"
STREAMS: Final = "model:after200_streams_ended:increase"
STALLED: Final = "model:after200_streams_stalled:ratio"
ATTEMPTS: Final = "model:after200_attempts:increase"
REFUSED: Final = "model:after200_attempts_refused:ratio"

HIDDEN_MATCHERS: Final = (one_of(names.OUTCOME, p.ERRORS), matches(names.WIRE_STATUS, p.BELOW_400))
JUDGED_MATCHERS: Final = (one_of(names.OUTCOME, p.JUDGED),)
VALID_MATCHERS: Final = (*JUDGED_MATCHERS, none_of(names.FAILURE, p.CALLER_FAULTS))
BAD_MATCHERS: Final = (one_of(names.OUTCOME, p.ERRORS), none_of(names.FAILURE, p.CALLER_FAULTS))
REFUSED_MATCHERS: Final = (matches(names.WIRE_STATUS, p.RETRIED_STATUSES),)


def rule(record: str, expr: str) -> dict[str, Any]:
    return {"record": record, "expr": expr}


def recording_groups(policy: p.Policy) -> list[dict[str, Any]]:
    """All groups. Within one, each rule may build on those before it."""
    return [
        {"name": "after200.calls", "rules": [*call_rules(policy), *budget_rules(policy)]},
        {"name": "after200.streams", "rules": stream_rules(policy)},
        {"name": "after200.attempts", "rules": attempt_rules(policy)},
    ]


def call_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Calls by how they ended, then the shares that the symptom alerts look at."""
    w = policy.window
    level = (*p.LEVEL, *map(label, (names.OUTCOME, names.FAILURE, names.WIRE_STATUS)))
    outcomes, judged = OUTCOMES + w, JUDGED + w

    def calls(*matchers: Matcher) -> str:
        return sum_by(p.LEVEL, outcomes + braces(matchers))

    by_failure = sum_by((*p.LEVEL, label(names.FAILURE)), outcomes + braces([one_of(names.OUTCOME, p.ERRORS)]))
    return [
        rule(outcomes, sum_by(level, increase(select(names.CALLS), w, policy.memory))),
        rule(judged, calls(*JUDGED_MATCHERS)),
        rule(f"{HIDDEN}:increase{w}", calls(*HIDDEN_MATCHERS)),
        rule(f"{HIDDEN}:ratio{w}", share(f"{HIDDEN}:increase{w}", judged)),
        rule(
            BY_FAILURE + w,
            f"{by_failure} / on ({', '.join(p.LEVEL)}) group_left () ({judged} > 0)",
        ),
        rule(ABANDONED + w, share(calls(equals(names.OUTCOME, "abandoned")), calls())),
        rule(VALID + w, calls(*VALID_MATCHERS)),
        rule(f"{BAD}:increase{w}", calls(*BAD_MATCHERS)),
        rule(f"{BAD}:ratio{w}", share(f"{BAD}:increase{w}", VALID + w)),
    ]


def stream_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Streams that ended, and the share of them that stalled."""
    w, gap = policy.window, names.LONGEST_GAP
    streams = STREAMS + w
    smooth = select(gap, equals("le", f"{policy.stall_seconds:g}"), part="bucket")
    ended = increase(select(gap, part="count"), w, policy.memory)
    return [
        rule(streams, sum_by(p.LEVEL, ended)),
        rule(
            STALLED + w,
            f"1 - {sum_by(p.LEVEL, increase(smooth, w, policy.memory))} / ({streams} > 0)",
        ),
    ]


def attempt_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Attempts, and the share of them that the SDK has to repeat or give up."""
    w = policy.window
    refused = increase(select(names.ATTEMPTS, *REFUSED_MATCHERS), w, policy.memory)
    return [
        rule(ATTEMPTS + w, sum_by(p.LEVEL, increase(select(names.ATTEMPTS), w, policy.memory))),
        rule(REFUSED + w, share(sum_by(p.LEVEL, refused), ATTEMPTS + w)),
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
            share(
                f"sum_over_time({BAD}:increase{w}[{long}])",
                f"sum_over_time({VALID}{w}[{long}])",
            ),
        )
        for long in p.RATIO_WINDOWS
    ]
    counts = [rule(f"{VALID}{burn.long}", f"sum_over_time({VALID}{w}[{burn.long}:{w}])") for burn in p.BURN_WINDOWS]
    return ratios + counts
