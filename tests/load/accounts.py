# SPDX-License-Identifier: Apache-2.0
"""What was recorded of many calls, and whether it is what they must have come to."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..telemetry import Telemetry, described
from .plans import Account, Seen, must_be


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


def check(all_seen: Iterable[Seen], telemetry: Telemetry, served: int) -> None:
    """Everything adds up, and nothing is left over."""
    gc.collect()
    all_seen = list(all_seen)
    expected = Counter(must_be(seen) for seen in all_seen)
    counted = differences(expected, recorded(telemetry))
    assert {} == counted, f"expected and counted: {counted}"
    in_spans = differences(expected, Counter(account_of(described(span)) for span in telemetry.spans))
    assert {} == in_spans, f"expected and in spans: {in_spans}"
    attempts = sum(1 + len(seen.planned.row.attempts) for seen in all_seen)
    assert (attempts, attempts) == (served, telemetry.total("after200.attempts"))
    assert len(all_seen) == telemetry.total("gen_ai.client.operation.duration")
    assert [] == telemetry.open_spans
    assert 0 == telemetry.total("after200.streams.open")


def differences(expected: Counter[Account], found: Counter[Account]) -> dict[Account, tuple[int, int]]:
    """How often each account was expected and found, where that is not the same."""
    accounts = expected.keys() | found.keys()
    return {account: (expected[account], found[account]) for account in accounts if expected[account] != found[account]}


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))
