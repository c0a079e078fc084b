# SPDX-License-Identifier: Apache-2.0
"""When the process ends, the streams that are open are ended, before the providers that record them shut down."""

from __future__ import annotations

import atexit
import threading
from typing import Final

from ..call.record import clock
from ..guard import guarded
from ..locks import in_child
from .dropped import end_dropped_before, end_one
from .responses import all_followed

WAIT: Final = 1.0
"""How long is waited for calls that another thread is ending, in seconds."""


@guarded
def end_all() -> None:
    """Ends every call whose body is still followed."""
    for running in all_followed():
        end_one(running, clock())
    end_dropped_before(WAIT)


class _Hooks:
    """Where `end_all` is registered in this process."""

    exit = False
    threads = False


def end_at_exit() -> None:
    """Has `end_all` called when the process exits, before the providers of the OpenTelemetry SDK shut down.

    Exit handlers run in the reverse order of their registration, and providers that the application sets up later
    register later. So this one is registered once more when the main thread has ended: all its providers are there by
    then, and no exit handler has run. Where Python does not have that moment (it is not documented), providers that are
    set up after the first call come first.
    """
    if _Hooks.exit:
        return
    _Hooks.exit = True
    atexit.register(end_all)
    if not _Hooks.threads:
        _Hooks.threads = True
        at_end_of_main_thread = getattr(threading, "_register_atexit", None)
        if at_end_of_main_thread is not None:
            at_end_of_main_thread(_come_first)


@guarded
def _come_first() -> None:
    atexit.unregister(end_all)
    atexit.register(end_all)


@in_child
def start_anew() -> None:
    """In a forked process, which may have forgotten its exit handlers, as those of `multiprocessing` do."""
    _Hooks.exit = False
    atexit.unregister(end_all)
