# SPDX-License-Identifier: Apache-2.0
"""The fault server as a pytest fixture: `claude_faults`, one server per test, with a log of its own.

Nothing is imported until a test asks for the fixture: the plugin is loaded wherever the package is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import FaultServer


@pytest.fixture
def claude_faults() -> Iterator[FaultServer]:
    """A running fault server: `claude_faults.base_url("overloaded_error_mid_stream")`, `claude_faults.log`."""
    try:
        from .server import FaultServer
    except ModuleNotFoundError as error:
        pytest.fail(f"the fixture claude_faults needs {error.name}: pip install 'after200[faults]'", pytrace=False)
    with FaultServer() as server:
        yield server
