# SPDX-License-Identifier: Apache-2.0
"""How counters grew, from their own series or from recorded ones: matchers come in, expressions and panels go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from after200 import names
from after200.monitoring.panels import NO_CALLS, UNJUDGED, Panel, Query, Steps, graph, number
from after200.monitoring.policy import Policy, seconds
from after200.monitoring.promql import Matcher, braces, increase, matches, select, share, sum_by
from after200.monitoring.selection import RANGE, RATE, RATE_MINUTES, chosen, chosen_for, or_none
from after200.monitoring.sums import CALLS, RECORDED
from after200.monitoring.tables import Column, listing
from after200.names import Metric

FROM_SERIES: Final = matches(names.PROVIDER_NAME, "$raw")
"""Finds every series, or none when the dashboard reads what the rules have recorded, see `choice_of_source`."""
WHOLE: Final = "in range"
WORDS: Final[dict[Metric, str]] = {
    names.CALLS: "calls",
    names.ATTEMPTS: "attempts",
    names.ANSWERS_RECEIVED: "answers",
    names.SERVER_TOOL_CALLS: "results",
    names.TOKENS: "tokens",
    names.INNER_ERRORS: "errors",
}
"""What each counter counts."""


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
    """How counters grew, from their series or, for a large fleet, from what the rules have recorded of them.

    The first methods return expressions, the others the panels that the dashboards have most of.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def total(self, metric: Metric, *matchers: Matcher, by: Iterable[str] = (), window: str = RANGE) -> str:
        """How much a counter grew over the time range of the dashboard, the birth of its series included."""
        if metric not in RECORDED:
            return sum_by(by, increase(chosen(metric, *matchers), window))
        series = sum_by(by, increase(chosen(metric, FROM_SERIES, *matchers), window))
        recorded = self.recorded(metric, *matchers)
        if window != self.policy.window:
            recorded = f"sum_over_time({recorded}[{window}:{self.policy.window}])"
        return f"({series} or {sum_by(by, recorded)})"

    def per_minute(self, metric: Metric, *matchers: Matcher, by: Iterable[str] = ()) -> str:
        """How much it grows in a minute, along a graph."""
        if metric not in RECORDED:
            return f"{sum_by(by, increase(chosen(metric, *matchers), RATE))} / {RATE_MINUTES}"
        series = sum_by(by, increase(chosen(metric, FROM_SERIES, *matchers), RATE))
        recorded = sum_by(by, self.recorded(metric, *matchers))
        return f"({series} / {RATE_MINUTES} or {recorded} / {seconds(self.policy.window) / 60:g})"

    def share_per_minute(
        self, metric: Metric, *part: Matcher, whole: Iterable[Matcher] = (), by: Iterable[str] = ()
    ) -> str:
        """Which share of what `whole` selects the matchers select, along a graph."""
        return share(self.per_minute(metric, *part, by=by), self.per_minute(metric, *whole, by=by))

    def recorded(self, metric: Metric, *matchers: Matcher) -> str:
        """The recorded increase of a metric, narrowed down."""
        return RECORDED[metric].increase(self.policy.window) + braces([*chosen_for(metric), *matchers])

    def both(self, expr: Callable[[str], str]) -> tuple[Query, Query]:
        """An expression that depends on its window: over the whole range of the dashboard, and of late."""
        return Query(expr(RANGE), WHOLE), Query(expr(self.policy.window), f"last {self.policy.window}")

    def share(
        self,
        title: str,
        description: str,
        metric: Metric,
        *part: Matcher,
        whole: Iterable[Matcher] = (),
        steps: Steps = UNJUDGED,
        nothing: str = NO_CALLS,
    ) -> Panel:
        """Two big numbers: which share of `whole` the matchers select, over the whole range and of late."""

        def of_whole(window: str) -> str:
            return share(self.total(metric, *part, window=window), self.total(metric, *whole, window=window))

        queries = self.both(of_whole)
        return number(title, description, "percentunit", *queries, steps=steps, decimals=2, nothing=nothing)

    def graph(
        self,
        title: str,
        description: str,
        metric: Metric,
        *matchers: Matcher,
        by: tuple[str, ...],
        absent: str = "",
        axis: str = "",
        unit: str = "short",
        span: int = 12,
    ) -> Panel:
        """Stacked areas: how much a counter grows in a minute, by the values of attributes.

        `absent` stands where a series lacks the last of them. `axis` says what is counted, if not `WORDS`.
        """
        expr = self.per_minute(metric, *matchers, by=by)
        if absent:
            expr = or_none(expr, by[-1], text=absent)
        axis = axis or f"{WORDS[metric]} per minute"
        return graph(title, description, unit, expr, by=by, axis=axis, stacked=True, span=span)

    def listing(
        self,
        title: str,
        description: str,
        metric: Metric,
        *matchers: Matcher,
        columns: Sequence[Column],
        span: int = 12,
    ) -> Panel:
        """A table: how much a counter grew over the whole range, by the attributes of the columns."""
        expr = self.total(metric, *matchers, by=[column.attribute for column in columns])
        return listing(title, description, f"{expr} > 0", columns, value=WORDS[metric].capitalize(), span=span)
