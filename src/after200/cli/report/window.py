# SPDX-License-Identifier: Apache-2.0
"""The time of a report, in whole steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = 120
"""How many steps a window has at the most."""

STEP_LENGTHS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
"""The lengths that a step can have, in seconds."""


@dataclass(frozen=True)
class Window:
    """The time that is asked for, in whole steps: `begin` and `end` in seconds since 1970."""

    begin: int
    end: int
    step: int


def window_of(begin: float, end: float) -> Window:
    """Returns the window, made a little longer so that it has whole steps, `STEPS` at the most."""
    step = next((each for each in STEP_LENGTHS if (end - begin) / each <= STEPS), math.ceil((end - begin) / STEPS))
    last = math.ceil(end / step) * step
    return Window(last - math.ceil((last - begin) / step) * step, last, step)
