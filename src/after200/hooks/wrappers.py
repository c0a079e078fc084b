# SPDX-License-Identifier: Apache-2.0
"""The parameters of a wrapper, `wrapper(wrapped, instance, args, kwargs)`, as wrapt passes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Wrapped = Callable[..., Any]
"""The function of the library that the wrapper stands in place of. It must be called, whoever has wrapped it before."""

Arguments = tuple[Any, ...]
"""The positional arguments of a call of it."""

Keywords = dict[str, Any]
"""The keyword arguments of a call of it."""

ABSENT: Final[Any] = None
"""What is read in place of an argument that the library did not pass. Using it fails where that is guarded."""
