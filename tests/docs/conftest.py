# SPDX-License-Identifier: Apache-2.0
"""The service that the documentation calls `app.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from after200.cli.chat import find_chat_service


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with an `app.py`: the example's chat service."""
    shutil.copy(find_chat_service(), tmp_path / "app.py")
    return tmp_path
