# SPDX-License-Identifier: Apache-2.0
"""How counters grew, from their own series or from recorded ones: matchers come in, expressions and panels go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from after200 import names
from after200.monitoring.panels import NO_CALLS, UNJUDGED, Panel, Query, Steps, graph, number
from after200.monitoring.policy import Policy
from after200.monitoring.promql import Matcher, braces, increase, matches, or_zero, select, share, sum_by
from after200.monitoring.selection import (
    AT_END,
    RANGE,
    STEP_MINUTES,
    apart_from_worst,
    chosen,
    chosen_for,
    counted,
    or_none,
    worst_and_others,
)
from after200.monitoring.sums import CALLS, RECORDED
from after200.monitoring.tables import Column, listing
from after200.monitoring.windows import seconds
from after200.names import Metric

FROM_SERIES: Final = matches(names.PROVIDER_NAME, "$raw")
"""Finds every series, or none when the dashboard reads what the rules have recorded, see `choice_of_source`."""
SOURCE_PATTERN: Final = '/use="([^"]+)"/'
"""Finds the value of `raw` in what `choice_of_source` returns."""
WORDS: Final[dict[Metric, str]] = {
    names.CALLS: "calls",
    names.ATTEMPTS: "attempts",
    names.ANSWERS_RECEIVED: "answers",
    names.SERVER_TOOL_CALLS: "results",
    names.TOKENS: "tokens",
    names.INNER_ERRORS: "errors",
}
"""What each counter counts."""
NOTHING: Final[dict[Metric, str]] = {
    names.ATTEMPTS: "no attempts",
    names.ANSWERS_RECEIVED: "no answers",
    names.SERVER_TOOL_CALLS: "no tools",
    names.INNER_ERRORS: "no errors inside bodies",
    names.RETRY_WAIT: "no waits",
}
"""What a panel of a counter says where nothing was counted, if not that there are no calls."""
MODELS: Final = (names.REQUEST_MODEL,)


def choice_of_source(policy: Policy) -> str:
    """The query of the hidden variable `raw`: `.+` where the series themselves are asked, nothing where they are not.

    The recorded series are read when there are any, no instance is chosen, and there are many series of calls.
    """
    processes = [matches("job", "$job"), matches("instance", "$instance")]
    recorded = CALLS.increase(policy.window) + braces(processes)
    few = f"absent({recorded}) or count({select(names.CALLS, *processes)}) < {policy.recorded_from}"
    return f'query_result(label_replace({few}, "use", ".+", "", ""))'


@dataclass(frozen=True)
class Counts:
    """How a counter grew, from its series or, for a large fleet, from what the rules have recorded of them.

    The first methods return expressions, the last three the panels that the dashboards have most of.
    """

    metric: Metric
    policy: Policy

    def total(self, *matchers: Matcher, by: Iterable[str] = (), window: str = RANGE, at: str = "") -> str:
        """How much the counter grew over the time range of the dashboard, the birth of its series included.

        `at` is empty or `AT_END`.
        """
        if self.metric not in RECORDED:
            return sum_by(by, increase(chosen(self.metric, *matchers), window, at))
        series = sum_by(by, increase(chosen(self.metric, FROM_SERIES, *matchers), window, at))
        recorded = self.recorded(*matchers)
        if window != self.policy.window:
            recorded = f"sum_over_time({recorded}[{window}:{self.policy.window}]{at})"
        return f"({series} or {sum_by(by, recorded)})"

    def part(self, *matchers: Matcher, whole: Iterable[Matcher] = ()) -> str:
        """The same; 0 where nothing matches, but there are series of the whole."""
        return or_zero(self.total(*matchers), self.total(*whole))

    def per_minute(self, *matchers: Matcher, by: Iterable[str] = ()) -> str:
        """How much it grows in a minute, along a graph."""
        if self.metric not in RECORDED:
            return f"{sum_by(by, counted(chosen(self.metric, *matchers)))} / {STEP_MINUTES}"
        series = sum_by(by, counted(chosen(self.metric, FROM_SERIES, *matchers)))
        recorded = sum_by(by, self.recorded(*matchers))
        return f"({series} / {STEP_MINUTES} or {recorded} / {seconds(self.policy.window) / 60:g})"

    def share_per_minute(self, *part: Matcher, whole: Iterable[Matcher] = (), by: Iterable[str] = ()) -> str:
        """Which share of what `whole` selects the matchers select, along a graph: no number, so a gap, without any."""
        return share_or_gap(self.per_minute(*part, by=by), self.per_minute(*whole, by=by))

    def share_of_worst(self, *part: Matcher, whole: Iterable[Matcher] = (), bad: Iterable[Matcher] = ()) -> str:
        """The same for the models with the most of `bad` (without: of `part`) in the time range, and for all others."""
        parts, wholes = self.per_minute(*part, by=MODELS), self.per_minute(*whole, by=MODELS)
        ranking = self.ranking(*(bad or part), whole=whole)
        others = share_or_gap(*(sum_by((), apart_from_worst(expr, ranking)) for expr in (parts, wholes)))
        return worst_and_others(share_or_gap(parts, wholes), others, ranking)

    def per_minute_of_any(self, *matchers: Matcher, by: tuple[str, ...]) -> str:
        """`per_minute` of the values that anything was counted of in the whole time range.

        Their zeros stay: Grafana makes a bar as wide as the time to the next point.
        """
        any_at_all = f"{self.total(*matchers, by=by, at=AT_END)} > 0"
        return f"({self.per_minute(*matchers, by=by)} and {any_at_all})"

    def per_minute_of_worst(self, *matchers: Matcher, absent: str = "") -> str:
        """The same of the models with the most in the time range, and of all others together.

        `absent` is the name of what has no model.
        """
        expr, ranking = self.per_minute_of_any(*matchers, by=MODELS), self.ranking(*matchers)
        if absent:
            expr, ranking = or_none(expr, *MODELS, text=absent), or_none(ranking, *MODELS, text=absent)
        return worst_and_others(expr, sum_by((), apart_from_worst(expr, ranking)), ranking)

    def ranking(self, *matchers: Matcher, whole: Iterable[Matcher] = ()) -> str:
        """How much each model has of what the matchers select, in the whole time range."""
        return or_zero(self.total(*matchers, by=MODELS, at=AT_END), self.total(*whole, by=MODELS, at=AT_END))

    def recorded(self, *matchers: Matcher) -> str:
        """The recorded increase of the metric, narrowed down."""
        return RECORDED[self.metric].increase(self.policy.window) + braces([*chosen_for(self.metric), *matchers])

    def share(
        self,
        title: str,
        description: str,
        *part: Matcher,
        whole: Iterable[Matcher] = (),
        steps: Steps = UNJUDGED,
    ) -> Panel:
        """Two big numbers: which share of what `whole` selects the matchers select, in the range and of late."""

        def of_whole(window: str) -> str:
            return share(self.total(*part, window=window), self.total(*whole, window=window))

        queries, nothing = range_and_late(of_whole, self.policy), NOTHING.get(self.metric, NO_CALLS)
        return number(title, description, "percentunit", *queries, steps=steps, decimals=2, nothing=nothing)

    def graph(
        self,
        title: str,
        description: str,
        *matchers: Matcher,
        by: tuple[str, ...],
        absent: str = "",
        axis: str = "",
        unit: str = "short",
        span: int = 0,
        nothing: str = "",
    ) -> Panel:
        """Stacked bars: how much the counter grows in a minute, by the values of attributes; of models, the worst.

        A value that nothing was counted of in the whole time range has no series, so the panel can say so.
        `absent` stands where a series lacks the last of them. `axis` says what is counted, if not `WORDS`. `nothing`
        is what the panel says without data, if not `NOTHING`.
        """
        if by == MODELS:
            expr = self.per_minute_of_worst(*matchers, absent=absent)
        else:
            expr = self.per_minute_of_any(*matchers, by=by)
            if absent:
                expr = or_none(expr, by[-1], text=absent)
        axis, nothing = axis or f"{WORDS[self.metric]} per minute", nothing or NOTHING.get(self.metric, NO_CALLS)
        return graph(
            title,
            description,
            unit,
            expr,
            by=by,
            axis=axis,
            stacked=True,
            latest=False,
            span=span,
            nothing=nothing,
        )

    def listing(
        self,
        title: str,
        description: str,
        *matchers: Matcher,
        columns: Sequence[Column],
        span: int = 12,
        nothing: str = "",
    ) -> Panel:
        """A table: how much the counter grew over the whole range, by the attributes of the columns."""
        by = [attribute for column in columns for attribute in (column.attribute, column.joined) if attribute]
        expr = f"{self.total(*matchers, by=by)} > 0"
        value, nothing = WORDS[self.metric].capitalize(), nothing or NOTHING.get(self.metric, NO_CALLS)
        return listing(title, description, expr, columns, value=value, span=span, nothing=nothing)


def share_or_gap(part: str, whole: str) -> str:
    """`share` along a graph. Without the points in which the whole is 0, Grafana would draw a line through them."""
    return f"{or_zero(part, whole)} / {whole}"


def range_and_late(expr: Callable[[str], str], policy: Policy) -> tuple[Query, Query]:
    """An expression that depends on its window: over the whole range of the dashboard, and of late."""
    return Query(expr(RANGE), "in range"), Query(expr(policy.window), f"last {policy.window}")
