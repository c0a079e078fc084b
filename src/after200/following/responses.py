# SPDX-License-Identifier: Apache-2.0
"""The one registry, HTTP response → `RunningCall`, and the queue of what the application dropped.

Streams come and go (the SDK copies them from 1.14, its helpers read a second one up to 0.42), the response stays the
same. A finalizer can run at any allocation, in any thread, inside any lock, so all that one does is to append to the
queue. The queue is worked off when a call begins or ends, before metrics are collected, and when the process exits.
"""

from __future__ import annotations

import atexit
import weakref
from collections import deque
from typing import Any, Final

from ..call.record import clock
from ..guard import guarded
from .foreign import Foreign
from .running import RunningCall


class _Followed(weakref.ref[Any]):
    """A weak reference to a response, and the call that it answers."""

    __slots__ = ("key", "running")
    key: int
    running: RunningCall


_followed: Final[dict[int, _Followed]] = {}
DROPPED: Final[deque[tuple[RunningCall, float]]] = deque()
"""The calls whose bodies were dropped, each with the time. Finalizers append here, and do nothing else."""


def follow(response: Foreign, running: RunningCall) -> None:
    """Registers `response` as the one whose body ends `running`."""
    followed = _Followed(response, _response_is_gone)
    followed.key, followed.running = id(response), running
    _followed[followed.key] = followed
    running.response = weakref.ref(response)


def find(response: Foreign) -> RunningCall | None:
    """Returns the call that `response` answers, None when it is followed no more, or never was."""
    followed = _followed.get(id(response))
    return followed.running if followed is not None and followed() is response else None


def _response_is_gone(followed: weakref.ref[Any]) -> None:
    # Another response may have taken its place in the registry, at the same address.
    if isinstance(followed, _Followed):
        if _followed.get(followed.key) is followed:
            del _followed[followed.key]
        DROPPED.append((followed.running, clock()))


def dropped(running: RunningCall) -> None:
    """A finalizer found that the application let go of the body of `running`."""
    DROPPED.append((running, clock()))


@guarded
def end_dropped() -> None:
    """Ends the calls whose bodies were dropped, as of the time of the drop."""
    while DROPPED:
        try:
            running, at = DROPPED.popleft()
        except IndexError:  # Another thread was faster.
            return
        _end_one(running, at)


@guarded
def _end_one(running: RunningCall, at: float) -> None:
    running.settle("dropped", at=at)
    running.publish()


def end_all() -> None:
    """Ends every call whose body is still followed: the process exits."""
    end_dropped()
    for followed in list(_followed.values()):
        dropped(followed.running)
    end_dropped()


_exit_hooked = False


def end_at_exit() -> None:
    """Has `end_all` called when the process exits.

    Called when the first call begins and not earlier: exit handlers run in reverse order, and those of the
    OpenTelemetry providers must come after this one.
    """
    global _exit_hooked
    if not _exit_hooked:
        _exit_hooked = True
        atexit.register(end_all)
