# SPDX-License-Identifier: Apache-2.0
"""Names for what comes from the SDK and its HTTP client. Its classes differ from version to version: none is typed.

The first three are the parameters of a wrapper, as wrapt passes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Wrapped = Callable[..., Any]
"""The function of the SDK that a wrapper stands in place of."""

Arguments = tuple[Any, ...]
"""The positional arguments of a call of it."""

Keywords = dict[str, Any]
"""The keyword arguments of a call of it."""

Foreign = Any
"""An object of the SDK, of its HTTP client or of a neighbour: a client, a request, a response, a stream, an event."""
