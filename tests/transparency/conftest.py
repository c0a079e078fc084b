# SPDX-License-Identifier: Apache-2.0
"""How many examples are tried, and the package under test, which must log no fault of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from after200.signals import bounds, metrics

from ..support.fuzzing import fuzz_settings
from .instrumented import PROFILE, Instrumented

EXAMPLES_IN_CI = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--examples", type=int, default=None, help=f"examples for each fuzz test; {EXAMPLES_IN_CI} by default"
    )


def pytest_configure(config: pytest.Config) -> None:
    count = config.getoption("--examples", None)
    settings.register_profile(PROFILE, fuzz_settings(count, EXAMPLES_IN_CI))


@pytest.fixture(scope="session")
def instrumented() -> Iterator[Instrumented]:
    instrumented = Instrumented()
    logger = logging.getLogger("after200")
    logger.addHandler(instrumented.faults)
    yield instrumented
    logger.removeHandler(instrumented.faults)


@pytest.fixture(scope="module", autouse=True)
def names_of_its_own() -> Iterator[None]:
    """What is sent here must not use up the names that the process admits, for the tests that come after."""
    with pytest.MonkeyPatch.context() as patched:
        fresh = bounds.Bounds()
        for module in (bounds, metrics):
            patched.setattr(module, "BOUNDS", fresh)
        yield
