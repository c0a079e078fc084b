# SPDX-License-Identifier: Apache-2.0
"""How much memory an object holds, whatever its fields are called."""

from __future__ import annotations

import gc
import sys
from types import FunctionType, ModuleType
from typing import Any


def held(owner: Any) -> int:
    """Returns the bytes of `owner` and of everything that can be reached from it; code and modules are left out."""
    seen: dict[int, Any] = {}
    waiting = [owner]
    while waiting:
        found = waiting.pop()
        if id(found) not in seen and not isinstance(found, type | ModuleType | FunctionType):
            seen[id(found)] = found
            waiting += gc.get_referents(found)
    return sum(map(sys.getsizeof, seen.values()))
