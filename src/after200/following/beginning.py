# SPDX-License-Identifier: Apache-2.0
"""A call begins: what is recorded of it, and that the end of the process ends it."""

from __future__ import annotations

from ..call.observer import CallObserver
from .process_end import end_at_exit
from .running import RunningCall


def begin(running: RunningCall, observer: CallObserver, *, sdk_traces: bool = False) -> None:
    """Begins what `observer` records of `running`, whose request is about to be sent.

    `sdk_traces`: whether the SDK is about to make a span of its own for the call.
    """
    end_at_exit()
    running.recording = observer.begin(running.call, sdk_traces=sdk_traces)
