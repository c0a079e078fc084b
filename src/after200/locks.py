# SPDX-License-Identifier: Apache-2.0
"""Every lock of this package is made here, and renewed here in a process that has just been forked.

A fork copies a lock as it is, held too, but only the thread that forked: nobody would ever release the copy. So no
other module makes a lock, or an object of the standard library that has one (an event, a condition, a queue).
`tests/context/test_locks.py` looks for them.

What may be done only once needs no lock: see `Claim`.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from typing import Final

from .guard import guarded

_locks: Final[weakref.WeakSet[Lock]] = weakref.WeakSet()
_in_child: Final[list[Callable[[], None]]] = []

Claim = list[None]
"""Something that one thread only may do, and only once: a list with one element for the one who takes it."""


def take(claim: Claim) -> bool:
    """Returns True to the first who asks, and False to everyone after that. Never waits."""
    try:
        claim.pop()
    except IndexError:
        return False
    return True


class Lock:
    """A lock that is free in a forked process, whoever held it in the parent. It is not reentrant."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def acquire(self, *, blocking: bool = True) -> bool:
        """Returns whether the lock is acquired; False only if `blocking` is False and the lock is held."""
        return self._lock.acquire(blocking)

    def release(self) -> None:
        """Releases the lock. It is free already if this thread forked while it held the lock."""
        with contextlib.suppress(RuntimeError):
            self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()

    def renew(self) -> None:
        """Puts a lock that is free in place of the one that was copied."""
        self._lock = threading.Lock()


class _Process:
    """This process, which is another one after a fork."""

    __slots__ = ("token",)

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.token = object()


this_process: Final = _Process()
"""Its `token` is another object in a forked process. To compare two costs less than to ask for a process id."""


def in_child(function: Callable[[], None]) -> Callable[[], None]:
    """Has `function` called in each process that has just been forked, after all locks were renewed."""
    _in_child.append(guarded(function))
    return function


@guarded
def after_fork() -> None:
    """In a process that has just been forked: renews every lock, then calls what `in_child` was given."""
    this_process.renew()
    for lock in list(_locks):
        lock.renew()
    for function in _in_child:
        function()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
