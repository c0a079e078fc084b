# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: one fault server for all of them, and telemetry of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from after200.faults import FaultServer

from .telemetry import Telemetry


@pytest.fixture(scope="session")
def server() -> Iterator[FaultServer]:
    """One server plays all scenarios. Tests keep apart by the key in their base URL."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()
