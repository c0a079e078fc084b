# SPDX-License-Identifier: Apache-2.0
"""The one way in which a call ends: judged, recorded, handed to the signals, exactly once.

Comes in: a call and how the reading of its body ended. An end that the garbage collector brings can come at any
allocation, even while OpenTelemetry holds one of its locks in this very thread; such an end waits until the next call.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from contextvars import copy_context
from types import FrameType
from typing import Final

from ..call.record import Call, Verdict
from ..call.verdict import How, judge
from ..guard import guarded

_LOCK_HOLDERS: Final = ("opentelemetry.sdk", "opentelemetry.exporter")
_deferred: deque[Call] = deque()


@guarded
def finish(call: Call, how: How, exception: BaseException | None = None) -> None:
    """Ends `call`, unless it has ended."""
    if not call.ended:
        end(call, judge(call, how, exception), body_over=how in ("read", "raised"))


@guarded
def end(call: Call, verdict: Verdict, *, body_over: bool = True) -> None:
    """Ends `call` with `verdict`, unless it has ended."""
    # A stream that was open when the process forked is the parent's to count.
    if call.process != os.getpid():
        return
    ended = call.end(verdict, body_over=body_over)
    if ended is None:
        return
    if call.release is not None:
        call.release()
        call.release = None
    handle, call.handle = call.handle, None
    call.signals.end(ended, handle)


@guarded
def drop(call: Call) -> None:
    """The application let go of the stream, as a finalizer of Python's found out."""
    if call.ended:
        return
    if _holds_a_lock(sys._getframe(1)):
        _deferred.append(call)
    else:
        # In a context of its own: Python before 3.12 does not survive that one is changed while it is being changed.
        copy_context().run(finish, call, "dropped")


def finish_deferred() -> None:
    """Ends the calls whose end had to wait."""
    while _deferred:
        try:
            call = _deferred.popleft()
        except IndexError:  # Another thread was faster.
            return
        finish(call, "dropped")


def _holds_a_lock(frame: FrameType | None) -> bool:
    """Whether the garbage was collected while this thread was inside the code whose locks recording takes."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_LOCK_HOLDERS):
            return True
        frame = frame.f_back
    return False
