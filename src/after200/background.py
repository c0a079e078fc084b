# SPDX-License-Identifier: Apache-2.0
"""Work that a short-lived thread does, started where nobody may wait and no lock may be taken: in a finalizer.

No thread lives longer than there is work, and none is started where there is none. The thread is a bare one
(`_thread`): starting it waits for nothing, and the exit of the process does not wait for it (`Background.wait` does).
Under gevent, which replaces `_thread.start_new_thread`, it is a greenlet.
"""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from time import monotonic
from typing import Final

from .guard import guarded

PATIENCE: Final = 1.0
"""After how many seconds a thread is no longer waited for: it is in a call of the application's, or of an exporter's,
that takes long."""

STEP: Final = 0.0005
"""How long `wait` sleeps before it looks again, in seconds."""


class Background:
    """Does one kind of work in short-lived threads."""

    def __init__(self, work: Callable[[], object], waits: Callable[[], bool], *, most: int = 1) -> None:
        """
        Args:
            work: does all the work that waits. What it raises is logged once.
            waits: returns whether there is work.
            most: how many threads there may be at once. A second is started only if the first takes long.
        """
        self._work = guarded(work)
        self._waits = waits
        self._most = most
        self._workers: dict[object, int | None] = {}
        """Who is at work, each with the identifier of its thread once it runs."""
        self._started_at = 0.0

    def start_anew(self) -> None:
        """In a forked process: the threads of the parent are not here."""
        self._workers = {}

    def wake(self) -> None:
        """Sees to it that a thread does the work. Never waits, takes no lock, raises nothing: finalizers call it."""
        workers = self._workers
        if workers and (len(workers) >= self._most or monotonic() - self._started_at < PATIENCE):
            return  # That thread looks for work once more before it ends.
        worker = object()
        workers[worker] = None
        self._started_at = monotonic()
        try:
            _thread.start_new_thread(self._run, (worker,))
        except Exception:  # No thread can be had, or the interpreter ends: whoever comes next does the work.
            workers.pop(worker, None)

    def _run(self, worker: object) -> None:
        workers = self._workers
        try:
            while True:
                workers[worker] = _thread.get_ident()
                self._work()
                workers.pop(worker, None)
                # What came while the worker was still in the list woke nobody.
                if workers or not self._waits():
                    return
                self._started_at = monotonic()
        finally:
            workers.pop(worker, None)

    def wait(self, seconds: float) -> None:
        """Returns when the threads that are at work now are done, or after `seconds`. None waits for itself."""
        workers, me, until = self._workers, _thread.get_ident(), monotonic() + seconds
        others = [worker for worker, thread in list(workers.items()) if thread != me]
        while any(worker in workers for worker in others) and monotonic() < until:
            time.sleep(STEP)
