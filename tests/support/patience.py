# SPDX-License-Identifier: Apache-2.0
"""How long a test waits for what must happen: until it has happened, or until it is clear that it never will."""

from __future__ import annotations

PATIENCE_S = 600.0
"""Seconds after which a process or a server hangs: on a busy machine, too, what does not hang takes less."""
