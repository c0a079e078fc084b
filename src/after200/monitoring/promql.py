# SPDX-License-Identifier: Apache-2.0
"""PromQL from names: a `Metric` and matchers come in, an expression goes out.

An attribute that the metric does not have raises at once, so a query that can never match cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from after200.names import Metric
from after200.names.prometheus import SERVER_LABELS, Part, label, metric_name, name_of_gauge_without_suffix


@dataclass(frozen=True)
class Matcher:
    """One label matcher, on an attribute as OpenTelemetry calls it."""

    attribute: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{label(self.attribute)}{self.operator}"{self.value}"'


def equals(attribute: str, value: str) -> Matcher:
    return Matcher(attribute, "=", value)


def matches(attribute: str, pattern: str) -> Matcher:
    return Matcher(attribute, "=~", pattern)


def one_of(attribute: str, values: Iterable[str]) -> Matcher:
    """One value needs no regular expression."""
    several = list(values)
    return Matcher(attribute, "=~" if len(several) > 1 else "=", "|".join(several))


def none_of(attribute: str, values: Iterable[str]) -> Matcher:
    several = list(values)
    return Matcher(attribute, "!~" if len(several) > 1 else "!=", "|".join(several))


def select(metric: Metric, *matchers: Matcher, part: Part = "") -> str:
    """A vector selector for one series name of the metric."""
    for matcher in matchers:
        if matcher.attribute not in metric.attributes and matcher.attribute not in SERVER_LABELS:
            raise ValueError(f"{metric.name} has no attribute {matcher.attribute!r}: it has {metric.attributes}")
    return metric_name(metric, part) + braces(matchers)


def select_gauge(metric: Metric, *matchers: Matcher) -> str:
    """A gauge of the unit `1`, under the name that it has on any way to Prometheus."""
    return f"({select(metric, *matchers)} or {name_of_gauge_without_suffix(metric)}{braces(matchers)})"


def braces(matchers: Iterable[Matcher]) -> str:
    text = ",".join(map(str, matchers))
    return f"{{{text}}}" if text else ""


def increase(selector: str, window: str, at: str = "") -> str:
    """How much the counters of a selector grew in the window, the birth of a series included.

    `increase()` sees a series only from its second sample on, so it misses the first failure of a process. A series
    that was not there one window ago is young: it counts by its value. The rules do the same at a fraction of the
    cost, see `sums.Counted`. `at` is empty, or an `@` modifier: the increase at that time.
    """
    return f"({selector}{at} unless {selector}{at} offset {window}) or increase({selector}[{window}]{at})"


def aggregated(operator: str, attributes: Iterable[str], expression: str) -> str:
    """One series for each combination of values of the attributes; one series in all without attributes."""
    labels = ", ".join(map(label, attributes))
    return f"{operator} by ({labels}) ({expression})" if labels else f"{operator}({expression})"


def labelled(expression: str, attribute: str, value: str, source: str = "", pattern: str = "") -> str:
    """The expression with one more label: where the label `source` matches the pattern, or everywhere without one."""
    source = label(source) if source else ""
    return f'label_replace({expression}, "{label(attribute)}", "{value}", "{source}", "{pattern}")'


sum_by, max_by, count_by = (partial(aggregated, operator) for operator in ("sum", "max", "count"))


def or_zero(expr: str, whole: str) -> str:
    """0 where the whole has series and the expression has none; nothing where nothing is connected."""
    return f"({expr} or 0 * {whole})"


def share(part: str, whole: str) -> str:
    """The part of the whole: 0 where the part has no series at all, nothing where the whole is 0."""
    return f"{or_zero(part, whole)} / ({whole} > 0)"


def count_up_to(native: str, bound: float) -> str:
    """How many values of a native histogram are at most `bound`; Prometheus interpolates between its boundaries."""
    return f"histogram_fraction(0, {bound:g}, {native}) * histogram_count({native})"
