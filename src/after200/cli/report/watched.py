# SPDX-License-Identifier: Apache-2.0
"""What `watch` has seen → an `Incident`, for those without a backend.

There is no history, only counts and the last failed calls.
"""

from __future__ import annotations

from after200 import names
from after200.cli.answered import HasPoints, text
from after200.cli.report.counting import grouped
from after200.cli.report.incident import Incident, Limit, Request
from after200.cli.watch.summary import Summary

NO_HISTORY = (
    "after200 watch keeps counts and the last failed calls, and no history. With a Prometheus, "
    "after200 report says more."
)


def incident_of(summary: Summary, receiver: HasPoints, begin: float, end: float) -> Incident:
    """Returns what `summary` and the points of `receiver` say of the time from `begin` to `end`."""
    found = Incident(begin, end, 0, "after200 watch", [NO_HISTORY])
    found.calls = summary.calls
    found.models, found.failed = grouped(
        (point.attributes, int(point.value)) for point in receiver.points(names.CALLS.name)
    )
    found.attempts = summary.attempts
    answered = summary.answered
    found.retry_waits = {failure: round(seconds, 3) for failure, seconds in answered.waits.items()}
    for answer, number in answered.answers.items():
        found.answers[answer.kind] += number
    for point in receiver.points(names.TOKENS.name):
        kind, tokens = text(point.attributes, names.TOKEN_TYPE), int(point.value)
        found.tokens[kind] += tokens
        if point.attributes.get(names.OUTCOME) in names.ERROR_OUTCOMES:
            found.wasted_tokens[kind] += tokens
    found.tokens, found.wasted_tokens = +found.tokens, +found.wasted_tokens
    found.limits = [Limit(each.model, each.kind, each.used, None, each.limit) for each in answered.limits]
    found.requests = [
        Request(each.time, each.model, each.ending.error_type or "", each.request_id) for each in summary.failures[:200]
    ]
    return found
