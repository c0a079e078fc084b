# SPDX-License-Identifier: Apache-2.0
"""The type of the fixture `check`."""

from __future__ import annotations

from collections.abc import Callable

from ..support.platforms.readers import Seen

Check = Callable[..., Seen]
