# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: of a test with many variants, run a share, another one in each cell; of all tests, those of CI.

The suite runs them all on one version; every version runs them all in the full matrix. Which variants belong to which
share follows from their names alone, so a failure comes back when the same cell is run again.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

MANY = 40
"""How many variants of a test are run whatever the share."""


def pytest_addoption(parser: Any) -> None:
    """The share to run, and the tests among which it is."""
    group = parser.getgroup("matrix")
    group.addoption("--share", default="1/1", metavar="K/N", help="share K (from 1) of N of tests with many variants")
    group.addoption(
        "--among", action="append", default=[], metavar="PREFIX", help="run only tests whose ids begin so; repeatable"
    )


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Deselects what belongs to other shares, and what is not among the tests that were asked for."""
    share, _, shares = config.getoption("share").partition("/")
    among = tuple(config.getoption("among")) or ("",)
    variants = Counter(map(_test, items))
    left_out = [
        item
        for item in items
        if not item.nodeid.startswith(among)
        or (variants[_test(item)] > MANY and zlib.crc32(item.nodeid.encode()) % int(shares) != int(share) - 1)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        kept = set(items) - set(left_out)
        items[:] = [item for item in items if item in kept]


def _test(item: Any) -> str:
    """The test that `item` is a variant of."""
    return str(item.nodeid.partition("[")[0])
