# SPDX-License-Identifier: Apache-2.0
"""Programs that run in a process of their own."""

from __future__ import annotations

from collections.abc import Callable

Run = Callable[..., str]
