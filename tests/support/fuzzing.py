# SPDX-License-Identifier: Apache-2.0
"""What the fuzz tests share: how many examples they try, and that the package logs no fault of its own meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings


def fuzz_settings(examples: int | None, in_ci: int, **more: Any) -> settings:
    """Settings for `examples`; for None, for `in_ci` examples, which are the same each time.

    A change is not to be held up by a find that it has nothing to do with.
    """
    return settings(
        max_examples=examples or in_ci,
        derandomize=examples is None,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        **more,
    )


class _Faults(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "failed in" in record.getMessage():
            self.lines.append(self.format(record))


@contextmanager
def logged_faults() -> Iterator[list[str]]:
    """What the package says of faults of its own, as it says it."""
    faults = _Faults()
    logging.getLogger("after200").addHandler(faults)
    try:
        yield faults.lines
    finally:
        logging.getLogger("after200").removeHandler(faults)
