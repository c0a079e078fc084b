# SPDX-License-Identifier: Apache-2.0
"""How the reading of a body ends, as one table: the state of the reading × a sign of its end → what the end is.

The streams, the taps on the bodies, the SDK's own span and the finalizers only deliver signs. Nothing else decides.
"""

from __future__ import annotations

import sys
from typing import Final, Literal

from ..call.facts import UNDECODABLE
from ..guard import guarded
from .dropped import dropped
from .running import RunningCall

State = Literal["unread", "reading", "paused", "gone"]
"""`unread`: nobody hands events to the application (it reads bytes itself, or has not begun); `reading`: the
application waits for the next event; `paused`: it has the last event; `gone`: the response, or whoever handed events to
the application, was freed."""

Sign = Literal["stop", "raise", "close", "body_closed", "sdk_read", "sdk_failed", "sdk_closed"]
"""`stop`: the events, or the bytes, are at their end; `raise`: an exception came out of a read; `close`: the
application closed the stream; `body_closed`: somebody closed the body; `sdk_*`: the SDK ends its own span, because the
body was read, failed, or was closed. A finalizer is no sign: it always means `dropped` (`dropped.py`)."""

End = Literal["read", "raised", "closed", "dropped", "wait", "undecodable"]
"""How the body ended, in the words of `call/verdict.py`; `wait`: the next sign will tell, since the SDK and its HTTP
client close a body while they still work on the last read; `undecodable`: its content encoding could not be decoded."""

TABLE: Final[dict[Sign, dict[State, End]]] = {
    "stop": {"unread": "read", "reading": "read", "paused": "read", "gone": "read"},
    "raise": {"unread": "raised", "reading": "raised", "paused": "raised", "gone": "raised"},
    "close": {"unread": "closed", "reading": "closed", "paused": "closed", "gone": "dropped"},
    "body_closed": {"unread": "closed", "reading": "wait", "paused": "closed", "gone": "dropped"},
    "sdk_read": {"unread": "read", "reading": "read", "paused": "read", "gone": "dropped"},
    "sdk_failed": {"unread": "raised", "reading": "raised", "paused": "raised", "gone": "raised"},
    "sdk_closed": {"unread": "closed", "reading": "closed", "paused": "closed", "gone": "dropped"},
}


def state_of(running: RunningCall) -> State:
    """Returns how far the reading of the body of `running` is."""
    if running.response is not None and running.response() is None:
        return "gone"
    if running.reader is None:
        return "unread"
    reader = running.reader()
    if reader is None:
        return "gone"
    return "reading" if reader.is_reading else "paused"


@guarded
def deliver(running: RunningCall, sign: Sign, exception: BaseException | None = None) -> None:
    """Ends `running` as the table says for `sign`. `exception` is what was raised, for a sign that has one."""
    if running.ended is not None:
        return
    state = state_of(running)
    end, exception = decide(state, sign, exception or sys.exc_info()[1])
    if end == "dropped":
        # A finalizer may be at work, inside any lock: all that is written now is the span that the SDK ends now.
        if sign.startswith("sdk_") and running.settle("dropped"):
            running.complete_sdk_span()
        dropped(running)
    elif end == "undecodable":
        running.learn(UNDECODABLE)
        running.end("read")
    elif end != "wait":
        running.end(end, exception if end == "raised" else None, was_reading=state == "reading")


def decide(state: State, sign: Sign, in_flight: BaseException | None) -> tuple[End, BaseException | None]:
    """Returns what the end is, and the exception that it is due to.

    Args:
        state: how far the reading is.
        sign: the sign of the end.
        in_flight: the exception that is being raised or handled while the sign is delivered.
    """
    end = TABLE[sign][state]
    if end == "raised" and isinstance(in_flight, GeneratorExit):
        return "dropped", None  # A coroutine that was waiting for the next event was dropped.
    if end == "closed" and sign in ("body_closed", "sdk_closed") and isinstance(in_flight, BaseException):
        if state == "paused" and isinstance(in_flight, GeneratorExit):
            return "dropped", None  # An event loop that ends closes the SDK's generator; the application did not.
        if state == "reading" and sign == "sdk_closed" and isinstance(in_flight, GeneratorExit):
            return "undecodable", None  # The HTTP client leaves its own generators: it could not decode the bytes.
        if state == "reading" and not isinstance(in_flight, Exception | GeneratorExit):
            return "raised", in_flight  # A cancellation or an interrupt, for which the SDK closes the body.
    return end, in_flight
