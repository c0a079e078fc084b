# SPDX-License-Identifier: Apache-2.0
"""The series that the variables at the top of a dashboard select, and what graphs show of histograms among them."""

from __future__ import annotations

from typing import Final

from after200 import names
from after200.monitoring import colors
from after200.monitoring.naming import Part, label
from after200.monitoring.promql import Matcher, count_up_to, equals, matches, select, select_gauge, sum_by
from after200.names import Metric

RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"
RATE_MINUTES: Final = f"scalar((time() - last_over_time(vector(time())[1s:1s] offset {RATE})) / 60)"
"""The window of a graph's queries in minutes: the time now less the time one window ago."""
CHOSEN: Final = (
    matches("job", "$job"),
    matches("instance", "$instance"),
    matches(names.PROVIDER_NAME, "$provider"),
    matches(names.REQUEST_MODEL, "$model"),
)
"""What the variables select. Recorded series have no instance: they are found as long as none is chosen."""
OF_A_MODEL: Final = matches(names.REQUEST_MODEL, ".+")
"""Leaves out what is of no model, as the results of a batch are."""


def chosen_for(metric: Metric) -> list[Matcher]:
    """What the variables select, as far as the metric has their labels."""
    return [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]


def chosen(metric: Metric, *matchers: Matcher, part: Part = "") -> str:
    """The metric's series that the variables select, narrowed down further."""
    return select(metric, *chosen_for(metric), *matchers, part=part)


def chosen_gauge(metric: Metric, *matchers: Matcher) -> str:
    """The same of a gauge of the unit `1`, whatever name it has on its way to Prometheus."""
    return select_gauge(metric, *chosen_for(metric), *matchers)


def or_none(expr: str, *attributes: str, text: str = colors.NONE) -> str:
    """The expression, with a word where these attributes are absent."""
    for attribute in attributes:
        name = label(attribute)
        expr = f'label_replace({expr}, "{name}", "{text}", "{name}", "")'
    return expr


# --- histograms, classic or native: the second alternative is empty where there are classic ones -------------------


def quantile(q: float, metric: Metric, *matchers: Matcher, by: tuple[str, ...] = ()) -> str:
    """A quantile of a histogram along a graph, in the metric's unit."""
    buckets = sum_by(("le", *by), f"rate({chosen(metric, *matchers, part='bucket')}[{RATE}])")
    native = sum_by(by, f"rate({chosen(metric, *matchers, part='native')}[{RATE}])")
    return f"histogram_quantile({q:g}, {buckets}) or histogram_quantile({q:g}, {native})"


def observations(metric: Metric) -> str:
    """How many values a histogram gets along a graph."""
    return f"({_sum_of_increase(metric, part='count')} or histogram_count({_sum_of_increase(metric, part='native')}))"


def observations_up_to(metric: Metric, bound: float) -> str:
    """How many of them are at most `bound`, which must be a boundary of the classic buckets."""
    classic = _sum_of_increase(metric, equals("le", f"{bound:g}"), part="bucket")
    return f"({classic} or {count_up_to(_sum_of_increase(metric, part='native'), bound)})"


def _sum_of_increase(metric: Metric, *matchers: Matcher, part: Part) -> str:
    return sum_by((), f"increase({chosen(metric, *matchers, part=part)}[{RATE}])")
