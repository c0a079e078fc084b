# SPDX-License-Identifier: Apache-2.0
"""What was recorded of many calls, and whether it is what they must have come to."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from after200.faults import Served

from ..support.telemetry import Telemetry, described
from .plans import Account, Seen, must_be, timed_out


def account_of(attributes: Any) -> Account:
    """What a point of `after200.calls`, or a span, says."""
    names = ("after200.outcome", "error.type", "http.response.status_code", "after200.wire.status_code")
    return Account(*(attributes.get(name) for name in names))


def recorded(telemetry: Telemetry) -> Counter[Account]:
    """The calls by what the counter says they came to."""
    calls: Counter[Account] = Counter()
    for metric, point in telemetry.data_points():
        if metric.name == "after200.calls" and point.value:
            calls[account_of(point.attributes)] += point.value
    return calls


def check(all_seen: Iterable[Seen], telemetry: Telemetry, served: Sequence[Served]) -> None:
    """Everything adds up with what the callers saw and what the server says that it answered; nothing is left over."""
    gc.collect()
    all_seen = list(all_seen)
    expected = Counter(must_be(seen) for seen in all_seen)
    counted = differences(expected, recorded(telemetry))
    assert {} == counted, f"expected and counted: {counted}"
    in_spans = differences(expected, Counter(account_of(described(span)) for span in telemetry.spans))
    assert {} == in_spans, f"expected and in spans: {in_spans}"
    attempts = sum(1 + len(seen.planned.row.attempts) for seen in all_seen)
    assert (attempts, attempts) == (len(served), telemetry.total("after200.attempts"))
    check_messages(all_seen, telemetry, {entry.key: entry for entry in served})
    assert len(all_seen) == telemetry.total("gen_ai.client.operation.duration")
    assert [] == telemetry.open_spans
    assert 0 == telemetry.total("after200.streams.open")


def check_messages(all_seen: list[Seen], telemetry: Telemetry, served: dict[str, Served]) -> None:
    """The answers and the tokens are those that the server told of.

    A caller that leaves a stream after its first event was told of the tokens in that event only. One whose read timed
    out before the first event, as happens on a busy machine, was told of none.
    """
    answers: Counter[str | None] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for seen in all_seen:
        told = served[seen.key].content
        if must_be(seen).outcome == "completed":
            answers[told.answer] += 1
        if seen.left is not None or timed_out(seen):
            parts = told.tokens_at_start if seen.was_told else ()
        else:
            parts = told.tokens
        for part in parts:
            tokens[part.type, part.detail] += part.number
    wrong = differences(answers, total_by(telemetry, "after200.answers", "after200.answer"))
    assert {} == wrong, f"expected and counted: {wrong}"
    names = ("gen_ai.token.type", "after200.token.detail")
    wrong = differences(tokens, total_by(telemetry, "after200.tokens", *names))
    assert {} == wrong, f"expected and counted: {wrong}"


def total_by(telemetry: Telemetry, metric_name: str, *names: str) -> Counter[Any]:
    """The sum of a counter by the values of the attributes `names`; of one attribute, by its value alone."""
    totals: Counter[Any] = Counter()
    for metric, point in telemetry.data_points():
        if metric.name == metric_name and point.value:
            values = tuple(point.attributes.get(name, "") for name in names)
            totals[values if len(names) > 1 else values[0]] += point.value
    return totals


def differences(expected: Counter[Any], found: Counter[Any]) -> dict[Any, tuple[int, int]]:
    """How often each thing was expected and found, where that is not the same."""
    accounts = expected.keys() | found.keys()
    return {account: (expected[account], found[account]) for account in accounts if expected[account] != found[account]}


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))
