# SPDX-License-Identifier: Apache-2.0
"""How many examples the fuzz tests here try; the programs on LiteLLM, which only `make long` runs."""

from __future__ import annotations

import pytest

collect_ignore = ["test_programs.py", "test_proxy_and_aider.py"]
"""These run only where the file itself is asked for: they take minutes for what the tests of LiteLLM show already."""


@pytest.fixture(scope="module")
def examples(request: pytest.FixtureRequest) -> int | None:
    """How many examples are asked for; None for those of CI, which are the same each time."""
    count: int | None = request.config.getoption("--examples", None)
    return count
