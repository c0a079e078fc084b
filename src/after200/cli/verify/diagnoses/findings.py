# SPDX-License-Identifier: Apache-2.0
"""`Finding`: one thing that is wrong, or worth knowing, and what to look at next."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What is the matter, in words for somebody who did not write this."""

    code: str
    what: str
    next: str
    wrong: bool = True
    """False for what is worth knowing and changes no verdict."""


def note(code: str, what: str, advice: str) -> Finding:
    """A finding that changes no verdict."""
    return Finding(code, what, advice, wrong=False)
