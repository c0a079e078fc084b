# SPDX-License-Identifier: Apache-2.0
"""How many calls the tests here make: few enough for every change, or as many as `--calls` says."""

from __future__ import annotations

import resource

import pytest

CALLS_IN_CI = 600
MAX_FILES = 16_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--calls", type=int, default=CALLS_IN_CI, help="calls of each load test (default: %(default)s)")
    parser.addoption("--seed", type=int, default=7, help="what the mix of the load tests is drawn with")


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    # Not known where this folder is only part of what is run.
    return int(request.config.getoption("--calls", CALLS_IN_CI))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed", 7))


@pytest.fixture(autouse=True)
def many_files() -> None:
    """As many open files as the system allows: each call has two, its own end and the server's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, MAX_FILES)), hard))
