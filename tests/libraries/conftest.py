# SPDX-License-Identifier: Apache-2.0
"""How many examples the fuzz tests here try."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def examples(request: pytest.FixtureRequest) -> int | None:
    """How many examples are asked for; None for those of CI, which are the same each time."""
    count: int | None = request.config.getoption("--examples", None)
    return count
