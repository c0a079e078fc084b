# SPDX-License-Identifier: Apache-2.0
"""One fault server per module; each test clears its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from after200.faults import FaultServer


@pytest.fixture(scope="module")
def _running() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def server(_running: FaultServer, caplog: pytest.LogCaptureFixture) -> Iterator[FaultServer]:
    """A running server; the test fails when the server logs a fault of its own."""
    _running.clear()
    with caplog.at_level(logging.WARNING):
        yield _running
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("after200", "asyncio"))] == []
