# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin of `make test`: of a test with many variants it runs representatives, `make test-all` runs them all.

Two markers say what is left out. A test with the marker `variants` is kept with as many variants as together cover what
all of them cover:

    @pytest.mark.variants                # every pair of values of two parameters
    @pytest.mark.variants(covers=kinds)  # what `kinds(**parameters)` returns: hashable values

A test with the marker `repeats` is left out as a whole, and names the file whose tests show the same behaviour:

    @pytest.mark.repeats("unit/test_reading.py")
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import pytest

MARKERS = (
    # Registered by tests/conftest.py, because every run meets them.
    "variants(covers): `make test` runs only representatives of this test (tests/README.md)",
    "repeats(test): `make test` leaves this test out, because `test` shows the same behaviour (tests/README.md)",
)

Covers = Callable[..., Iterable[Hashable]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out of `items` what `make test` leaves to `make test-all`."""
    left_out = set(unneeded(items))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def unneeded(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """The tests that repeat another one, and the variants that are not representative."""
    variants: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("repeats"):
            yield item
        elif item.get_closest_marker("variants") and hasattr(item, "callspec"):  # A module is marked as a whole.
            variants[item.nodeid.partition("[")[0]].append(item)
    for of_one_test in variants.values():
        kept = set(representatives([covered(item) for item in of_one_test]))
        yield from (item for place, item in enumerate(of_one_test) if place not in kept)


def covered(item: pytest.Item) -> frozenset[Hashable]:
    """What one variant of a test covers."""
    marker = item.get_closest_marker("variants")
    parameters: Mapping[str, Any] = item.callspec.params  # type: ignore[attr-defined]
    covers: Covers = marker.kwargs.get("covers", pairs) if marker else pairs
    return frozenset(covers(**parameters))


def pairs(**values: object) -> Iterator[Hashable]:
    """Every two of the named values; where there is only one, this one."""
    named = [(name, value if isinstance(value, Hashable) else repr(value)) for name, value in sorted(values.items())]
    return combinations(named, min(2, len(named)))


def representatives(variants: Sequence[frozenset[Hashable]]) -> list[int]:
    """The places of variants that together cover what all cover: each time the first of those that add the most."""
    left = set().union(*variants)
    # What a variant adds only ever becomes less: a figure that is out of date is too large, never too small.
    queue = [(-len(adds), place) for place, adds in enumerate(variants)]
    heapq.heapify(queue)
    chosen = []
    while left:
        _, place = heapq.heappop(queue)
        adds = len(variants[place] & left)
        if queue and (-adds, place) > queue[0]:
            heapq.heappush(queue, (-adds, place))
        else:
            chosen.append(place)
            left -= variants[place]
    return sorted(chosen)
