# SPDX-License-Identifier: Apache-2.0
"""Alerts on streams that stall, stay open, or are dropped by the application."""

from __future__ import annotations

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring import recording as r
from after200.monitoring import sums
from after200.monitoring.alerts.alert import SHARE, WHERE, Alert
from after200.monitoring.promql import select, sum_by


def streams(policy: p.Policy) -> list[Alert]:
    """What streams suffer, and what the application does to them."""
    w = policy.window
    many = f"{sums.STREAMS.increase(w)} >= {policy.minimum_streams}"
    calls_ended = sums.CALLS.increase(w)
    return [
        Alert(
            "ClaudeStreamStalls",
            "warning",
            f"{r.STALLED}{w} > {policy.stalled_warning:g} and {many}",
            "Streams from Claude stall.",
            f"{SHARE} of the streams of {WHERE} had a gap of more than {policy.stall_seconds:g} s (last {w}).",
        ),
        Alert(
            "ClaudeStreamsStuck",
            "warning",
            f"{sum_by(p.LEVEL, select(names.STREAMS_OPEN))} > 0 unless {sum_by(p.LEVEL, calls_ended)} > 0",
            "Streams from Claude stay open and no call ends.",
            f"{{{{ $value }}}} streams of {WHERE} are open, and no call has ended for {policy.stuck_hold}.",
            policy.stuck_hold,
        ),
        Alert(
            "ClaudeAbandonedStreams",
            "warning",
            f"{r.ABANDONED}{w} > {policy.abandoned_warning:g}",
            "The application drops streams from Claude without closing them.",
            f"{SHARE} of the calls of {WHERE} were dropped without being read to the end or closed (last {w}). "
            "Connections leak until the garbage collector comes by.",
        ),
    ]
