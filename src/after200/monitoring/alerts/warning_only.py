# SPDX-License-Identifier: Apache-2.0
"""Alerts that only warn: on answers, server tools, streams, retries, and rate limits."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring import sums
from after200.monitoring.alerts.alert import SHARE, WHERE, Alert
from after200.monitoring.promql import max_by, select, select_gauge, sum_by
from after200.names.prometheus import label


def answers(policy: p.Policy) -> list[Alert]:
    """Calls that completed, and whose answers are of little use all the same."""
    w, answer, tool = policy.window, label(names.ANSWER), label(names.TOOL_NAME)
    enough = f"and {p.ON_LEVEL} {r.ANSWERED}{w} >= {policy.minimum_answers}"
    return [
        Alert(
            "ClaudeRefusals",
            f'{r.BY_ANSWER}{w}{{{answer}="refused"}} > {policy.refusals_warning:g} {enough}',
            "Claude refuses to answer a large share of calls.",
            f"{SHARE} of the answers of {WHERE} were refusals, with HTTP status 200 (last {w}). A retry is refused "
            "again.",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeAnswersCut",
            f'{r.BY_ANSWER}{w}{{{answer}="cut"}} > {policy.cut_warning:g} {enough}',
            "A limit cuts off a large share of the answers of Claude.",
            f"{SHARE} of the answers of {WHERE} were cut by max_tokens or by the context window, with HTTP status 200 "
            f"(last {w}).",
            policy.answers_hold,
        ),
        Alert(
            "ClaudeServerToolsFail",
            f"{r.TOOL_ERRORS}{w} > {policy.tools_warning:g} and {r.TOOL_CALLS}{w} >= {policy.minimum_tool_calls}",
            "A tool that runs at the provider fails inside answers of Claude.",
            f"{SHARE} of the results of {{{{ $labels.{tool} }}}} in answers of {WHERE} were errors (last {w}). The "
            "calls completed with HTTP status 200.",
            policy.answers_hold,
        ),
    ]


def streams(policy: p.Policy) -> list[Alert]:
    """What streams suffer, and what the application does to them."""
    w = policy.window
    opened = sum_by(p.LEVEL, select(names.STREAMS_OPEN))
    return [
        Alert(
            "ClaudeStreamStalls",
            f"{r.STALLED}{w} > {policy.stalled_warning:g} and {sums.STREAMS.increase(w)} >= {policy.minimum_streams}",
            "Streams from Claude stall.",
            f"{SHARE} of the streams of {WHERE} had a gap of more than {policy.stall_seconds:g} s (last {w}).",
        ),
        Alert(
            "ClaudeStreamsStuck",
            f"{opened} > 0 unless {sum_by(p.LEVEL, sums.CALLS.increase(w))} > 0",
            "Streams from Claude stay open and no call ends.",
            f"{{{{ $value }}}} streams of {WHERE} are open, and no call has ended for {policy.stuck_hold}.",
            policy.stuck_hold,
        ),
        Alert(
            "ClaudeAbandonedStreams",
            f"{r.ABANDONED}{w} > {policy.abandoned_warning:g}",
            "The application drops streams from Claude without closing them.",
            f"{SHARE} of the calls of {WHERE} were dropped without being read to the end or closed (last {w}). "
            "Connections leak until the garbage collector comes by.",
        ),
    ]


def retries(policy: p.Policy) -> list[Alert]:
    """What the SDK repeats without telling anybody."""
    w = policy.window
    return [
        Alert(
            "ClaudeRetryStorm",
            f"{r.REFUSED}{w} > {policy.refused_warning:g} and {r.ATTEMPTED}{w} >= {policy.minimum_attempts}",
            "The SDK repeats a large share of its requests to Claude.",
            f"{SHARE} of the HTTP requests of {WHERE} were answered with something that the SDK sends again, or not at "
            f"all (last {w}). Calls take longer, and the retries add to the load.",
            policy.refused_hold,
        )
    ]


def limits(policy: p.Policy) -> list[Alert]:
    """What will be refused soon."""
    used = max_by((*p.LEVEL, names.RATE_LIMIT_KIND), select_gauge(names.RATE_LIMIT_UTILIZATION))
    return [
        Alert(
            "ClaudeRateLimitNear",
            f"{used} > {policy.limit_warning:g}",
            "A rate limit of Claude is nearly used up.",
            f"{SHARE} of the limit {{{{ $labels.{label(names.RATE_LIMIT_KIND)} }}}} of {WHERE} is used up. Calls "
            "beyond it are refused with 429.",
            policy.limit_hold,
        )
    ]
