# SPDX-License-Identifier: Apache-2.0
"""The calls whose end is decided although their body is not at its end: the provider gave a stop reason, or an error.

An application that decodes the body itself may then neither read on nor close the response, nor free it for long. So
such a call is ended when the next one begins, or before metrics are collected. After a stop reason something may still
come (a count of tokens, an error), so the body must have been quiet for a while, and nobody may be waiting for it.
"""

from __future__ import annotations

import weakref
from typing import Final

from ..call.record import Call, clock
from ..guard import guarded
from .running import Ending, RunningCall

QUIET: Final = 1.0
"""How long nothing may have come after a stop reason, in seconds."""

_decided: Final[dict[int, weakref.ref[RunningCall]]] = {}


def is_decided(call: Call) -> bool:
    """Returns whether the provider has said how `call` ends."""
    return call.error is not None or call.progress.stopped_at is not None or call.message.stop_reason is not None


def mark_decided(running: RunningCall) -> None:
    """Keeps `running`, whose end is decided, until it has ended."""
    _decided[id(running)] = weakref.ref(running)


@guarded
def end_decided(quiet: float = QUIET) -> None:
    """Ends the calls whose end is decided, as of the time of the decision.

    After a stop reason, only if nothing has come for `quiet` seconds and the application is not waiting for more.
    """
    for key, found in list(_decided.items()):
        running = found()
        if running is None or not running.is_open:
            _decided.pop(key, None)
            continue
        call = running.call
        at = call.failed_at or call.progress.stopped_at or call.progress.reason_at
        if call.failed_at is None and (running.feed is not None and running.feed.is_waiting):
            continue
        if at is not None and (call.failed_at is not None or clock() - at >= quiet):
            _decided.pop(key, None)
            running.end(Ending("closed", at=at))
