# SPDX-License-Identifier: Apache-2.0
"""Today's releases of the SDK → the cells to run for them, and a sentence on each that is not supported."""

from __future__ import annotations

from dataclasses import dataclass

from .cells import UPPER_BOUND, Cell, select
from .environments import newest_release


@dataclass(frozen=True)
class Newest:
    """The cells to run, sentences on releases outside of the supported range, and other things worth saying."""

    cells: list[Cell]
    outside: list[str]
    notes: list[str]


def look() -> Newest:
    """The cells for the newest release, and for a pre-release that is newer.

    Raises `CannotInstallError` when the package index has no answer.
    """
    supported = f"anthropic < {UPPER_BOUND}"
    release, pre_release = (newest_release(supported, pre_release=allowed) for allowed in (False, True))
    cells, notes = select(["newest"], ci=False), []
    if pre_release != release:
        [newest] = cells
        cells.append(Cell(pre_release, newest.python, "the newest pre-release"))
    else:
        notes.append(f"No pre-release of anthropic below {UPPER_BOUND} is newer than {release}.")
    of_all = dict.fromkeys(newest_release("anthropic", pre_release=allowed) for allowed in (False, True))
    outside = [
        f"anthropic {version} is outside of the supported range (below {UPPER_BOUND}): it was not run. "
        "The range stands in pyproject.toml and in matrix/cells.py."
        for version in of_all
        if int(version.partition(".")[0]) >= UPPER_BOUND
    ]
    return Newest(cells, outside, notes)
