# SPDX-License-Identifier: Apache-2.0
"""What an expression returns where series or labels are absent, and the legend of what it returns."""

from __future__ import annotations

from after200 import names
from after200.monitoring import colors
from after200.monitoring.naming import label
from after200.monitoring.promql import Matcher, matches
from after200.names import Metric


def or_zero(expr: str, whole: str) -> str:
    """0 where the whole has series and the expression has none; nothing where nothing is connected."""
    return f"({expr} or 0 * {whole})"


def legend(*attributes: str) -> str:
    """A legend of label values."""
    return " · ".join(f"{{{{{label(attribute)}}}}}" for attribute in attributes)


def or_none(expr: str, *attributes: str, text: str = colors.NONE) -> str:
    """The expression, with a word where these attributes are absent."""
    for attribute in attributes:
        name = label(attribute)
        expr = f'label_replace({expr}, "{name}", "{text}", "{name}", "")'
    return expr


def with_model(metric: Metric) -> tuple[Matcher, ...]:
    """Leaves out what is of no model, as the results of a batch are."""
    return (matches(names.REQUEST_MODEL, ".+"),) if names.REQUEST_MODEL in metric.attributes else ()
