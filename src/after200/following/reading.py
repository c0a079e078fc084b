# SPDX-License-Identifier: Apache-2.0
"""How the reading of a body ends, as one table: the state of the reading × a sign of its end → what the end is.

The streams, the taps on the bodies, the SDK's own span and the finalizers only deliver signs. Nothing else decides.
"""

from __future__ import annotations

import sys
from typing import Final, Literal

from ..call.exceptions import read_exception
from ..call.facts import UNDECODABLE
from ..guard import guarded
from .dropped import drop
from .running import Ending, RunningCall

State = Literal["unread", "reading", "paused", "gone"]
"""`unread`: nobody hands events to the application (it reads bytes itself, or has not begun); `reading`: the
application waits for the next event; `paused`: it has the last event; `gone`: the response, or whoever handed events to
the application, was freed."""

Sign = Literal[
    "stop",
    "raise",
    "generator_exit",
    "close",
    "body_closed",
    "body_left",
    "sdk_read",
    "sdk_failed",
    "sdk_closed",
    "sdk_cancelled",
    "sdk_left",
]
"""What is seen of an end. `stop`: the events, or the bytes, are at their end; `raise`: an exception came out of a read;
`close`: the application closed the stream; `body_closed`: somebody closed the body; `sdk_*`: the SDK ends its own span,
because the body was read, failed, or was closed. A finalizer is no sign: it always means `dropped` (`dropped.py`).

What is in flight meanwhile makes another sign of some of them (`REFINED`): `generator_exit`: the exception that came
out of a read is the one that Python throws into a generator, or a coroutine, that is closed; `body_left`, `sdk_left`:
the same exception is in flight while the body is closed; `sdk_cancelled`: a cancellation or an interrupt is."""

End = Literal["read", "raised", "closed", "dropped", "wait", "undecodable"]
"""How the body ended, in the words of `call/verdict.py`; `wait`: undecided, because the SDK and its HTTP client close a
body while they still work on the last read, so the next sign decides; `undecodable`: its content encoding could not be
decoded."""

TABLE: Final[dict[Sign, dict[State, End]]] = {
    "stop": {"unread": "read", "reading": "read", "paused": "read", "gone": "read"},
    "raise": {"unread": "raised", "reading": "raised", "paused": "raised", "gone": "raised"},
    # A coroutine that was waiting for the next event was dropped.
    "generator_exit": {"unread": "dropped", "reading": "dropped", "paused": "dropped", "gone": "dropped"},
    "close": {"unread": "closed", "reading": "closed", "paused": "closed", "gone": "dropped"},
    "body_closed": {"unread": "closed", "reading": "wait", "paused": "closed", "gone": "dropped"},
    # `paused`: an event loop that ends closes the SDK's generator; the application did not.
    "body_left": {"unread": "closed", "reading": "wait", "paused": "dropped", "gone": "dropped"},
    "sdk_read": {"unread": "read", "reading": "read", "paused": "read", "gone": "dropped"},
    "sdk_failed": {"unread": "raised", "reading": "raised", "paused": "raised", "gone": "raised"},
    "sdk_closed": {"unread": "closed", "reading": "closed", "paused": "closed", "gone": "dropped"},
    # `reading`: the SDK closes the body because of the cancellation or the interrupt.
    "sdk_cancelled": {"unread": "closed", "reading": "raised", "paused": "closed", "gone": "dropped"},
    # `reading`: the HTTP client leaves its own generators, since it could not decode the bytes.
    "sdk_left": {"unread": "closed", "reading": "undecodable", "paused": "dropped", "gone": "dropped"},
}

InFlight = Literal["nothing", "error", "exit", "interrupt"]
"""The exception that is being raised or handled while a sign is delivered: none, an `Exception`, a `GeneratorExit`, or
any other (a cancellation, `KeyboardInterrupt`, `SystemExit`)."""

REFINED: Final[dict[tuple[Sign, InFlight], Sign]] = {
    ("raise", "exit"): "generator_exit",
    ("sdk_failed", "exit"): "generator_exit",
    ("body_closed", "exit"): "body_left",
    ("sdk_closed", "exit"): "sdk_left",
    ("sdk_closed", "interrupt"): "sdk_cancelled",
}
"""The signs that mean something else while an exception is in flight → what they mean then."""

OF_THE_SDK: Final[frozenset[Sign]] = frozenset({"sdk_read", "sdk_failed", "sdk_closed"})
"""The signs after which the SDK ends its own span at once."""


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


def in_flight(exception: BaseException | None) -> InFlight:
    """Returns what kind of exception is in flight."""
    if exception is None:
        return "nothing"
    if isinstance(exception, Exception):
        return "error"
    return "exit" if isinstance(exception, GeneratorExit) else "interrupt"


def decide(state: State, sign: Sign, exception: BaseException | None) -> End:
    """Returns what the end is.

    Args:
        state: how far the reading is.
        sign: the sign of the end, as it was delivered.
        exception: the exception that is in flight.
    """
    return TABLE[REFINED.get((sign, in_flight(exception)), sign)][state]


@guarded
def deliver(running: RunningCall, sign: Sign, exception: BaseException | None = None) -> None:
    """Ends `running` as the table says for `sign`.

    Args:
        running: the call whose body it is.
        sign: what was seen of the end.
        exception: what was raised; None to take the one that is being handled.
    """
    if running.ended is not None:
        return
    state, exception = state_of(running), exception or sys.exc_info()[1]
    end = decide(state, sign, exception)
    if end == "wait":
        return
    if end == "dropped":
        # A finalizer may be at work, inside any lock: all that is written now is the span that the SDK ends now.
        if sign in OF_THE_SDK and running.settle(Ending("dropped")):
            write_sdk_span(running)
        drop(running)
    elif end == "undecodable":
        running.learn(UNDECODABLE)
        running.end(Ending("read"))
    else:
        raised = read_exception(exception) if end == "raised" and exception is not None else None
        waits_for_bytes = running.feed is not None and running.feed.is_waiting
        running.end(Ending(end, raised, was_reading=state == "reading" or waits_for_bytes))


def write_sdk_span(running: RunningCall) -> None:
    """Writes how the call ended on the SDK's own span, which the SDK is about to end. Its record is published later."""
    if running.ended is not None and running.recording is not None:
        running.recording.write_sdk_span(running.ended)
