# SPDX-License-Identifier: Apache-2.0
"""What a scenario is: a name, a sentence, and what to play on each attempt, streaming or not.

The catalog itself is data, one file per family in `catalog/`. Nothing here opens a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .steps import Answer, End, Healthy, Play, Reset, Status, Whole

OPENED: Play = (Status(), Healthy("start"))
MID_STREAM: Play = (*OPENED, Healthy("text"))
CLOSED: Play = (*MID_STREAM, Healthy("close"))
STOPPED: Play = (*CLOSED, Healthy("stop"))
COMPLETED: Play = (*STOPPED, End())
WHOLE: Play = (Whole(),)


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
    tool: bool = False
    """Call a tool of the request first; say the words once its result has come back."""
    thinking: bool = False


@dataclass(frozen=True)
class Scenario:
    """One scenario: `stream` and `whole` hold the play of each attempt; the last one is played ever after.

    `whole` is what a request gets that does not stream. `only` names the one kind of request the scenario has a
    meaning for ("bedrock", "vertex", "sessions", "batches"); empty: all of them.
    """

    name: str
    description: str
    stream: tuple[Play, ...]
    whole: tuple[Play, ...] = (WHOLE,)
    reply: Reply = field(default_factory=Reply)
    only: str = ""

    def play(self, attempt: int, streaming: bool) -> Play:
        """The steps for this attempt, counted from 0."""
        plays = self.stream if streaming else self.whole
        return plays[min(attempt, len(plays) - 1)]


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
    return Scenario(name, description, (stream,), (whole or stream,), reply or Reply(), only)


def sequence(name: str, description: str, *parts: Scenario) -> Scenario:
    """A scenario that plays one of `parts` per attempt, the last one ever after."""
    streams = tuple(part.stream[0] for part in parts)
    wholes = tuple(part.whole[0] for part in parts)
    return replace(parts[-1], name=name, description=description, stream=streams, whole=wholes)


def ends_by_itself(play: Play) -> bool:
    """Whether a play comes to an end without the client's doing (all do, save a `Stall` without a limit)."""
    return isinstance(play[-1], (End, Answer, Whole, Reset))
