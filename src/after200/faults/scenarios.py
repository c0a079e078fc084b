# SPDX-License-Identifier: Apache-2.0
"""What a scenario is: a name, a sentence, and what to play on each attempt, streaming or not.

The catalog itself is data, one file per family in `catalog/`. Nothing here opens a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .steps import End, Healthy, Play, Status, Whole

OPENED: Play = (Status(), Healthy("start"))
MID_STREAM: Play = (*OPENED, Healthy("text"))
CLOSED: Play = (*MID_STREAM, Healthy("close"))
STOPPED: Play = (*CLOSED, Healthy("stop"))
COMPLETED: Play = (*STOPPED, End())
WHOLE: Play = (Whole(),)
BROKEN_BODY: Play = (Whole(only=0.5, chunked=True), End())


@dataclass(frozen=True)
class Usage:
    """The tokens that the provider bills; `output` appears in the last usage only, as on the real wire."""

    input: int = 12
    output: int = 7
    cache_creation: int = 0
    cache_read: int = 0


@dataclass(frozen=True)
class Reply:
    """What the model says in a healthy answer."""

    words: tuple[str, ...] = ("Hello", " from", " Claude", ".")
    stop_reason: str = "end_turn"
    usage: Usage = field(default_factory=Usage)
    fallback_credit_token: str = ""
    """What a refusal gives the client to ask another model with."""
    tool: bool = False
    """Call a tool of the request first; say the words once its result has come back."""
    thinking: bool = False
    results: tuple[str, ...] = ("succeeded",) * 4
    """How the requests of a batch ended: a result type, or `errored:` and an error type."""


@dataclass(frozen=True)
class Attempt:
    """What one attempt is answered: `stream` when it asked for a stream, else `whole`."""

    stream: Play
    whole: Play
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True)
class Scenario:
    """One scenario. The last of its attempts is played ever after.

    `only` names the one kind of request the scenario has a meaning for ("bedrock", "vertex", "sessions", "batches");
    empty: all of them.
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


def sequence(name: str, description: str, *parts: Scenario) -> Scenario:
    """A scenario that plays one of `parts` per attempt, the last one ever after."""
    return Scenario(name, description, tuple(part.attempt(0) for part in parts))
