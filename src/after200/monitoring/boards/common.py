# SPDX-License-Identifier: Apache-2.0
"""The queries that several dashboards share: matchers come in, an aggregated expression goes out."""

from __future__ import annotations

from collections.abc import Iterable

from after200.monitoring.naming import label
from after200.monitoring.panels import RANGE, RATE, chosen
from after200.monitoring.promql import Matcher, increase, sum_by
from after200.names import Metric


def total(metric: Metric, *matchers: Matcher, by: Iterable[str] = ()) -> str:
    """How much a counter grew over the time range of the dashboard, the birth of its series included."""
    return sum_by(map(label, by), increase(chosen(metric, *matchers), RANGE))


def sliding(metric: Metric, *matchers: Matcher, by: Iterable[str] = ()) -> str:
    """The same for a window that slides along the graph."""
    return sum_by(map(label, by), increase(chosen(metric, *matchers), RATE))


def legend(*attributes: str) -> str:
    """A legend of label values."""
    return " · ".join(f"{{{{{label(attribute)}}}}}" for attribute in attributes)


def or_none(expr: str, attribute: str, text: str = "none") -> str:
    """The expression, with a word where the attribute is absent."""
    name = label(attribute)
    return f'label_replace({expr}, "{name}", "{text}", "{name}", "")'


SLIDING = "Counted in a window of $__rate_interval that slides along."
"""What the description of a graph of `sliding` queries ends with."""
