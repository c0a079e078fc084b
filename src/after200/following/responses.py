# SPDX-License-Identifier: Apache-2.0
"""The one registry, response → `RunningCall`.

Streams come and go (the SDK copies them from 1.14, its helpers read a second one up to 0.42), the response stays the
same.
"""

from __future__ import annotations

import weakref
from typing import Final

from ..guard import guarded_in_finalizer
from .dropped import drop
from .running import RunningCall


class _Followed(weakref.ref[object]):
    """A weak reference to a response, and the call that it answers."""

    __slots__ = ("key", "running")
    key: int
    running: RunningCall


_followed: Final[dict[int, _Followed]] = {}


def follow(response: object, running: RunningCall) -> None:
    """Registers `response` as the one whose body ends `running`."""
    followed = _Followed(response, _response_is_gone)
    followed.key, followed.running = id(response), running
    _followed[followed.key] = followed
    running.response = weakref.ref(response)


def find(response: object) -> RunningCall | None:
    """Returns the call that `response` answers, None when it is followed no more, or never was."""
    followed = _followed.get(id(response))
    return followed.running if followed is not None and followed() is response else None


@guarded_in_finalizer
def _response_is_gone(followed: weakref.ref[object]) -> None:
    # Another response may have taken its place in the registry, at the same address.
    if isinstance(followed, _Followed):
        if _followed.get(followed.key) is followed:
            del _followed[followed.key]
        drop(followed.running)


def all_followed() -> list[RunningCall]:
    """Returns the calls whose responses are still there."""
    return [followed.running for followed in list(_followed.values())]
