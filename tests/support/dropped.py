# SPDX-License-Identifier: Apache-2.0
"""What finds a stream that the application has dropped."""

from __future__ import annotations

import gc

from .sdk_tracing import HAS_TRACING

IN_A_CYCLE = not HAS_TRACING
"""Whether the SDK keeps each stream in a reference cycle of its own, as it does before 1.14: then reference counts do
not find what was dropped, with the package or without."""


def find_dropped() -> None:
    """Has the collector run, where nothing else finds a stream that was dropped."""
    if IN_A_CYCLE:
        gc.collect()
