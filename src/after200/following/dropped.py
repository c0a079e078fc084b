# SPDX-License-Identifier: Apache-2.0
"""Calls whose bodies the application let go of: a queue, and the short-lived thread that ends what is in it.

A finalizer can run at any allocation, in any thread, inside anybody's lock. So it appends to a queue that is made for
finalizers, and has a thread end the calls in it (`background.py`). Neither needs a lock. Who begins a call, collects
metrics or ends the process ends what is in the queue too, in case no thread could be started.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Final

from ..background import Background
from ..call.record import clock
from ..guard import guarded, report_finalizers
from ..locks import in_child
from .decided import end_decided
from .running import Ending, RunningCall

THREADS: Final = 8
"""How many threads there may be at once, where each is in a function of the application's that takes long."""

WAIT: Final = 0.1
"""How long a collection waits for the calls that are being ended in another thread, in seconds."""


class _Queue:
    """The queue of this process."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked process: what is in the queue is the parent's."""
        self.calls: SimpleQueue[tuple[RunningCall, float]] = SimpleQueue()


_queue: Final = _Queue()


def drop(running: RunningCall) -> None:
    """The application dropped the body of `running`. May be called in a finalizer: does nothing that could wait."""
    if running.is_open:
        _queue.calls.put((running, clock()))
        _threads.wake()


@guarded
def end_dropped() -> None:
    """Ends the calls whose bodies were dropped, as of the time of the drop. Logs what finalizers have raised."""
    report_finalizers()
    calls = _queue.calls
    while not calls.empty():
        try:
            running, at = calls.get_nowait()
        except Empty:  # Another thread was faster.
            return
        end_one(running, at)


@guarded
def end_one(running: RunningCall, at: float) -> None:
    """Ends `running`, whose body was dropped at the time `at`."""
    running.settle(Ending("dropped", at=at))
    running.publish()


@guarded
def end_dropped_before(seconds: float = WAIT) -> None:
    """Ends them, and waits for those that another thread is ending, for at most `seconds`. Ends what is decided too."""
    end_decided()
    end_dropped()
    _threads.wait(seconds)


_threads: Final = Background(end_dropped, lambda: not _queue.calls.empty(), most=THREADS)


@in_child
def start_anew() -> None:
    """In a process that has just been forked."""
    _queue.start_anew()
    _threads.start_anew()
