# SPDX-License-Identifier: Apache-2.0
"""How counters grew, from their own series or from recorded ones: matchers come in, an expression goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from after200 import names
from after200.monitoring.naming import label
from after200.monitoring.panels import Query
from after200.monitoring.policy import Policy, seconds
from after200.monitoring.promql import Matcher, braces, increase, matches, select, sum_by
from after200.monitoring.selection import CHOSEN, RANGE, RATE, RATE_MINUTES, chosen
from after200.monitoring.sums import CALLS, RECORDED
from after200.names import Metric

FROM_SERIES: Final = matches(names.PROVIDER_NAME, "$raw")
"""Finds every series, or none when the dashboard reads what the rules have recorded, see `choice_of_source`."""
WHOLE: Final = "in range"


def choice_of_source(policy: Policy) -> str:
    """The query of the hidden variable `raw`: `.+` where the series themselves are asked, nothing where they are not.

    The recorded series are read when there are any, no instance is chosen, and there are many series of calls.
    """
    where = braces([matches("job", "$job"), matches("instance", "$instance")])
    series = select(names.CALLS, matches("job", "$job"), matches("instance", "$instance"))
    few = f"absent({CALLS.increase(policy.window)}{where}) or count({series}) < {policy.recorded_from}"
    return f'query_result(label_replace({few}, "use", ".+", "", ""))'


SOURCE_PATTERN: Final = '/use="([^"]+)"/'


class Counts:
    """How counters grew, from their series or, for a large fleet, from what the rules have recorded of them."""

    def __init__(self, policy: Policy) -> None:
        self._window = policy.window

    def total(self, metric: Metric, *matchers: Matcher, by: Iterable[str] = (), window: str = RANGE) -> str:
        """How much a counter grew over the time range of the dashboard, the birth of its series included."""
        labels = tuple(map(label, by))
        if metric not in RECORDED:
            return sum_by(labels, increase(chosen(metric, *matchers), window))
        series = sum_by(labels, increase(chosen(metric, FROM_SERIES, *matchers), window))
        recorded = self.recorded(metric, *matchers)
        if window != self._window:
            recorded = f"sum_over_time({recorded}[{window}:{self._window}])"
        return f"({series} or {sum_by(labels, recorded)})"

    def per_minute(self, metric: Metric, *matchers: Matcher, by: Iterable[str] = ()) -> str:
        """How much it grows in a minute, along a graph."""
        labels = tuple(map(label, by))
        if metric not in RECORDED:
            return f"{sum_by(labels, increase(chosen(metric, *matchers), RATE))} / {RATE_MINUTES}"
        series = sum_by(labels, increase(chosen(metric, FROM_SERIES, *matchers), RATE))
        recorded = sum_by(labels, self.recorded(metric, *matchers))
        return f"({series} / {RATE_MINUTES} or {recorded} / {seconds(self._window) / 60:g})"

    def recorded(self, metric: Metric, *matchers: Matcher) -> str:
        """The recorded increase of a metric, narrowed down."""
        general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
        return RECORDED[metric].increase(self._window) + braces([*general, *matchers])

    def both(self, expr: Callable[[str], str]) -> tuple[Query, Query]:
        """An expression that depends on its window: over the whole range of the dashboard, and of late."""
        return Query(expr(RANGE), WHOLE), Query(expr(self._window), f"last {self._window}")
