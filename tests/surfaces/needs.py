# SPDX-License-Identifier: Apache-2.0
"""What a test needs of the installed SDK, looked up in the SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

Connect = Callable[..., Any]


_CLIENT = anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:9")


def needs(path: str) -> pytest.MarkDecorator:
    """Skips tests of what the installed SDK does not have: a dotted path below the client."""
    found: Any = _CLIENT
    for name in path.split("."):
        found = getattr(found, name, None)
    return pytest.mark.skipif(found is None, reason=f"this version of the SDK has no {path}")
