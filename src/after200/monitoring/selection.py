# SPDX-License-Identifier: Apache-2.0
"""The series that the variables at the top of a dashboard select, and the windows of its queries."""

from __future__ import annotations

from typing import Final

from after200 import names
from after200.monitoring.naming import Part
from after200.monitoring.promql import Matcher, matches, select, select_gauge
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


def chosen(metric: Metric, *matchers: Matcher, part: Part = "") -> str:
    """The metric's series that the variables select, as far as it has their labels, narrowed down further."""
    general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
    return select(metric, *general, *matchers, part=part)


def chosen_gauge(metric: Metric, *matchers: Matcher) -> str:
    """The same of a gauge of the unit `1`, whatever name it has on its way to Prometheus."""
    general = [m for m in CHOSEN if m.attribute in (*metric.attributes, "job", "instance")]
    return select_gauge(metric, *general, *matchers)
