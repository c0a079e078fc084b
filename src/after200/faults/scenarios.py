# SPDX-License-Identifier: Apache-2.0
"""What a scenario is: a name, a sentence, and what to play on each attempt, streaming or not.

The catalog itself is data, one file per family in `catalog/`. Nothing here opens a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .replies import Reply
from .steps import End, Healthy, Play, Status, Step, Whole

OPENED: Play = (Status(), Healthy("start"))
MID_STREAM: Play = (*OPENED, Healthy("text"))
CLOSED: Play = (*MID_STREAM, Healthy("close"))
STOPPED: Play = (*CLOSED, Healthy("stop"))
COMPLETED: Play = (*STOPPED, End())
WHOLE: Play = (Whole(),)
BROKEN_BODY: Play = (Whole(only=0.5, chunked=True), End())


@dataclass(frozen=True)
class Attempt:
    """What one attempt is answered: `stream` when it asked for a stream, else `whole`."""

    stream: Play
    whole: Play
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True)
class Scenario:
    """One scenario. The last of its attempts is played ever after.

    `only` names the one kind of request the scenario has a meaning for ("anthropic", "bedrock", "vertex", "sessions",
    "batches"); empty: all of them.
    """

    name: str
    description: str
    attempts: tuple[Attempt, ...]
    only: str = ""

    def attempt(self, number: int) -> Attempt:
        """What this attempt is answered, counted from 0."""
        return self.attempts[min(number, len(self.attempts) - 1)]


def scenario(
    name: str,
    description: str,
    stream: Play,
    whole: Play | None = None,
    *,
    reply: Reply | None = None,
    only: str = "",
) -> Scenario:
    """A scenario that plays the same on every attempt; without `whole`, non-streaming requests get `stream`."""
    return Scenario(name, description, (Attempt(stream, whole or stream, reply or Reply()),), only)


def sequence(name: str, description: str, *parts: Scenario, only: str = "") -> Scenario:
    """A scenario that plays one of `parts` per attempt, the last one ever after."""
    return Scenario(name, description, tuple(part.attempt(0) for part in parts), only)


def answered(name: str, description: str, reply: Reply, *, only: str = "") -> Scenario:
    """A scenario of a healthy answer, streamed or whole."""
    return scenario(name, description, COMPLETED, WHOLE, reply=reply, only=only)


def failing(name: str, description: str, *events: Step, whole: Step) -> Scenario:
    """A scenario that streams some content, then these events, then ends; a call that does not stream gets `whole`."""
    return scenario(name, description, (*MID_STREAM, *events, End()), (whole,))
