# SPDX-License-Identifier: Apache-2.0
"""Whose calls fail: tables by an entry of the baggage, which a policy names, for services that set `metric_baggage`.

The tables read the series themselves: what the rules record, and so the alerts, know nothing of the entry.
"""

from __future__ import annotations

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.boards.frame import Row
from after200.monitoring.policy import ERRORS, Policy
from after200.monitoring.promql import Matcher, braces, matches, one_of, sum_by
from after200.monitoring.selection import AT_END, RANGE, chosen_for
from after200.monitoring.tables import MODEL, OUTCOME, Column, listing
from after200.names.prometheus import metric_name

VARIABLE = "by"
"""The variable of the dashboard that narrows these tables down to some values of the entry."""


def row(policy: Policy) -> list[Row]:
    """Returns the row of these tables; nothing where the policy names no entry."""
    if not policy.by:
        return []
    return [Row(f"By {policy.by}", tables_of(policy.by))]


def tables_of(entry: str) -> list[p.Panel]:
    """Returns the calls and the failed calls by the values of `entry`."""
    whose = Column(entry, entry, sets=VARIABLE, absent="none")
    failure = Column(names.ERROR_TYPE, "error.type", 190)
    of_metric = f"The service names the entry {entry} in its setting metric_baggage."
    return [
        listing(
            f"Calls by {entry}",
            f"Calls in the time range, by outcome. {of_metric}",
            in_range((entry, names.OUTCOME), matches(entry, f"${VARIABLE}")),
            [whose, OUTCOME],
            value="Calls",
        ),
        listing(
            f"Failed calls by {entry}",
            f"Calls that failed or were truncated in the time range, by model and error type. {of_metric}",
            in_range(
                (entry, names.REQUEST_MODEL, names.ERROR_TYPE),
                matches(entry, f"${VARIABLE}"),
                one_of(names.OUTCOME, ERRORS),
            ),
            [whose, MODEL, failure],
            value="Calls",
            nothing="no failed calls",
        ),
    ]


def in_range(by: tuple[str, ...], *matchers: Matcher) -> str:
    """Returns how much the series have grown in the time range, those that are new in it by their value; above 0."""
    # The entry is no attribute that `names` knows, so `chosen` would refuse it.
    selector = metric_name(names.CALLS) + braces([*chosen_for(names.CALLS), *matchers])
    now, before = f"{selector}{AT_END}", f"{selector} offset {RANGE}{AT_END}"
    return f"{sum_by(by, f'({now} - {before} >= 0 or {now})')} > 0"
