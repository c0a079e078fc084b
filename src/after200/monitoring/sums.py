# SPDX-License-Identifier: Apache-2.0
"""The counters that the rules record, summed over processes, and how much each sum rose in a window.

A counter metric comes in; what is recorded of it goes out, as rules and as the names of the recorded series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring.promql import count_up_to, equals, select, sum_by
from after200.names import Metric

ALIVE: Final = "5m"
"""How long Prometheus takes a series without new samples for alive."""
RETURNED: Final = "job:after200_returned:count"


def rule(record: str, expr: str) -> dict[str, Any]:
    return {"record": record, "expr": expr}


@dataclass(frozen=True)
class Counted:
    """Counters, summed over the processes of each job, and what the rules record of them.

    `increase()` misses the first call of each series, and Prometheus cannot join tens of thousands of series at every
    evaluation to see which are young. So the rules read the series twice only: once for the plain increase, and once
    for their sum. How far the sum has risen shows the births; everything after that works on the few sums.

    The sum can also rise because processes come back that had been away (scrapes that failed, Prometheus restarted),
    and fall because processes went. So the rise is measured from the highest sum of the five minutes before the
    window, or of the whole `memory` where a job has processes that came back. Where it is smaller than the plain
    increase, the increase holds.
    """

    prefix: str
    """Level and metric, the first two parts of the names of what is recorded."""
    total: str
    """PromQL: the sum of the counters now."""
    known: str
    """PromQL: the plain increase in the window `<w>`, summed."""

    @property
    def sum(self) -> str:
        return f"{self.prefix}:sum"

    def increase(self, window: str) -> str:
        """The name of the recorded increase in `window`."""
        return f"{self.prefix}:increase{window}"

    def rules(self, policy: p.Policy) -> list[dict[str, Any]]:
        """What is recorded for the window."""
        w = policy.window
        known = f"{self.prefix}:increase_of_known{w}"
        risen = f"{self.prefix}:rise{w}"
        return [
            # Most series are born at zero and stay there: what is zero is left out, and rises from nothing.
            rule(self.sum, f"({self.total}) > 0"),
            rule(known, f"({self.known.replace('<w>', w)}) > 0"),
            rule(risen, self.rise(w, policy.memory)),
            rule(self.increase(w), f"({risen} > {known}) or {known} or {risen}"),
        ]

    def rise(self, window: str, memory: str) -> str:
        """By how much the sums have risen in the window; nothing where they have fallen."""
        alive = f"max_over_time({self.sum}[{ALIVE}] offset {window})"
        back = f"max_over_time({self.sum}[{memory}] offset {window}) and on (job) {RETURNED}{window}"
        away = f"last_over_time({self.sum}[{memory}] offset {window})"
        before = f"(({back}) or {alive} or {away})"
        return f"({self.sum} - {before}) >= 0 or ({self.sum} unless {alive})"


def counted(prefix: str, metric: Metric) -> Counted:
    """A counter metric, summed by all its labels but the instance, for the dashboards to read."""
    by, selector = ("job", *metric.attributes), select(metric)
    known = sum_by(by, f"increase({selector}[<w>])")
    return Counted(f"{prefix}:{metric.name.replace('.', '_')}", sum_by(by, selector), known)


CALLS: Final = counted("job_call", names.CALLS)
ATTEMPTS: Final = counted("job_attempt", names.ATTEMPTS)
ANSWERS: Final = counted("job_answer", names.ANSWERS_RECEIVED)
TOOLS: Final = counted("job_tool", names.SERVER_TOOL_CALLS)
RECORDED: Final = {
    names.CALLS: CALLS,
    names.ATTEMPTS: ATTEMPTS,
    names.ANSWERS_RECEIVED: ANSWERS,
    names.SERVER_TOOL_CALLS: TOOLS,
}
"""The metrics that are recorded with all their labels."""
_GAP_COUNT = select(names.LONGEST_GAP, part="count")
_GAP_NATIVE = select(names.LONGEST_GAP, part="native")
_GAP_SUM = sum_by(p.LEVEL, _GAP_NATIVE)
_GAP_INCREASE = sum_by(p.LEVEL, f"increase({_GAP_NATIVE}[<w>])")
STREAMS: Final = Counted(
    "model:after200_streams_ended",
    f"{sum_by(p.LEVEL, _GAP_COUNT)} or histogram_count({_GAP_SUM})",
    f"{sum_by(p.LEVEL, f'increase({_GAP_COUNT}[<w>])')} or histogram_count({_GAP_INCREASE})",
)


def smooth_streams(policy: p.Policy) -> Counted:
    """Streams that ended without a stall, from classic buckets or from native histograms."""
    bucket = select(names.LONGEST_GAP, equals("le", f"{policy.stall_seconds:g}"), part="bucket")
    return Counted(
        "model:after200_streams_smooth",
        f"{sum_by(p.LEVEL, bucket)} or {count_up_to(_GAP_SUM, policy.stall_seconds)}",
        f"{sum_by(p.LEVEL, f'increase({bucket}[<w>])')} or {count_up_to(_GAP_INCREASE, policy.stall_seconds)}",
    )
