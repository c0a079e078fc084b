# SPDX-License-Identifier: Apache-2.0
"""What tests install packages with, from the index that the machine uses."""

from __future__ import annotations

import os
import shutil

from .authorities import OF_THE_MACHINE, VARIABLE


def find_uv() -> str | None:
    """The path of the program uv; None where there is none."""
    try:
        import uv
    except ImportError:
        return shutil.which("uv")
    return str(uv.find_uv_bin())


def to_install() -> dict[str, str]:
    """The environment of a program that installs: with the machine's authorities, without another Python's paths."""
    unwanted = (VARIABLE, OF_THE_MACHINE, "PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    before = os.environ.get(OF_THE_MACHINE)
    return {**kept, VARIABLE: before} if before else kept
