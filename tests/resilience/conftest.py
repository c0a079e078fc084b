# SPDX-License-Identifier: Apache-2.0
"""What an application sees of a handful of calls, to be compared with what it sees when telemetry is at fault."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from ..support.in_memory.trace import Trace
from .watching import Logged, watch_all


@pytest.fixture(scope="session")
def bare() -> list[Trace]:
    """What there is to see of each call without the package."""
    watch_all()
    return watch_all()


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What is logged in the test."""
    handler = Logged()
    loggers = [logging.getLogger(name) for name in ("after200", "opentelemetry", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)
