# SPDX-License-Identifier: Apache-2.0
"""How the commands write numbers."""

from __future__ import annotations


def seconds_of(time: float) -> str:
    """Returns a time in seconds, with so many places that it is not 0 unless it is exactly."""
    return f"{time:.1f} s" if time >= 1 or not time else f"{time:.2g} s"
