# SPDX-License-Identifier: Apache-2.0
"""The series that the variables at the top of a dashboard select, and what graphs show of histograms among them."""

from __future__ import annotations

from typing import Final

from after200 import names
from after200.monitoring import colors
from after200.monitoring.promql import Matcher, count_up_to, equals, matches, select, select_gauge, sum_by
from after200.names import Metric
from after200.names.prometheus import Part, label

RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"
STEP: Final = "$__interval"
STEP_MINUTES: Final = "($__interval_ms / 60000)"
"""The time from one point of a graph to the next, in minutes."""
AT_END: Final = " @ end()"
"""After a selector: its value at the end of the dashboard's time range, whatever point of a graph is computed."""
MOST_MODELS: Final = 8
"""So many models have a series of their own in a graph."""
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


def counted(selector: str) -> str:
    """How much each counter of a selector has grown since the point of a graph before: whole numbers, each call once.

    A series that is new since then, or that began again at 0, counts by its value. `increase()` would extrapolate: it
    draws a single failure as 1.3 failures, and sees nothing between two samples that are further apart than its window.
    """
    return f"({selector} - {selector} offset {STEP} >= 0 or {selector})"


def worst(expr: str, ranking: str) -> str:
    """The series of the models that `ranking` puts first; it has one value for each model."""
    return f"(({expr}) and on ({label(names.REQUEST_MODEL)}) topk({MOST_MODELS}, {ranking}))"


def apart_from_worst(expr: str, ranking: str) -> str:
    """The series of all other models."""
    return f"(({expr}) unless on ({label(names.REQUEST_MODEL)}) topk({MOST_MODELS}, {ranking}))"


def worst_and_others(expr: str, others: str, ranking: str) -> str:
    """The series of the models that `ranking` puts first, and `others`, a series without labels, under that name."""
    return (
        f'{worst(expr, ranking)} or label_replace({others}, "{label(names.REQUEST_MODEL)}", "{colors.OTHERS}", "", "")'
    )


def or_none(expr: str, *attributes: str, text: str = colors.NONE) -> str:
    """The expression, with a word where these attributes are absent."""
    for attribute in attributes:
        name = label(attribute)
        expr = f'label_replace({expr}, "{name}", "{text}", "{name}", "")'
    return expr


# --- histograms, classic or native: the second alternative is empty where there are classic ones -------------------


def quantile(q: float, metric: Metric, *matchers: Matcher, by: tuple[str, ...] = (), births: bool = False) -> str:
    """A quantile of a histogram along a graph, in the metric's unit; no number, so a gap, where it got no values.

    `rate()` sees nothing of a series' first value. With `births` it counts, at four times the cost for Prometheus: for
    what may come once, as a failure does.
    """
    bucket, native = (chosen(metric, *matchers, part=part) for part in ("bucket", "native"))
    grown = (counted(bucket), _native(native)) if births else (f"rate({s}[{RATE}])" for s in (bucket, native))
    return " or ".join(
        f"histogram_quantile({q:g}, {sum_by((*le, *by), values)})"
        for le, values in zip((("le",), ()), grown, strict=True)
    )


def worst_quantile(q: float, metric: Metric, *matchers: Matcher) -> str:
    """A quantile of each of the slowest models, by the same quantile of the whole time range, and of all others."""
    model = (names.REQUEST_MODEL,)
    buckets, native = (chosen(metric, *matchers, part=part) for part in ("bucket", "native"))
    ranked = [
        f"histogram_quantile({q:g}, {sum_by((*le, *model), f'increase({selector}[{RANGE}]{AT_END})')}) >= 0"
        for le, selector in ((("le",), buckets), ((), native))
    ]
    ranking = f"({ranked[0]} or {ranked[1]})"
    rates = [sum_by((*le, *model), f"rate({s}[{RATE}])") for le, s in ((("le",), buckets), ((), native))]
    rest = [sum_by(le, apart_from_worst(rate, ranking)) for le, rate in zip((("le",), ()), rates, strict=True)]
    others = f"(histogram_quantile({q:g}, {rest[0]}) or histogram_quantile({q:g}, {rest[1]}))"
    return worst_and_others(quantile(q, metric, *matchers, by=model), others, ranking)


def observations(metric: Metric) -> str:
    """How many values a histogram has got since the point of a graph before."""
    native = sum_by((), _native(chosen(metric, part="native")))
    return f"({sum_by((), counted(chosen(metric, part='count')))} or histogram_count({native}))"


def observations_up_to(metric: Metric, bound: float) -> str:
    """How many of them are at most `bound`, which must be a boundary of the classic buckets."""
    classic = sum_by((), counted(chosen(metric, equals("le", f"{bound:g}"), part="bucket")))
    return f"({classic} or {count_up_to(sum_by((), _native(chosen(metric, part='native'))), bound)})"


def _native(selector: str) -> str:
    """`counted` of native histograms, whose differences cannot be compared with 0: the rate, and births as they are."""
    return f"({selector} unless {selector} offset {STEP} or rate({selector}[{RATE}]) * ($__interval_ms / 1000))"
