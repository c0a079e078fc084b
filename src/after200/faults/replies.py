# SPDX-License-Identifier: Apache-2.0
"""What the model says in a healthy answer, and what it costs: data that a scenario carries, with no wire in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .blocks import Block, Json


@dataclass(frozen=True)
class Iteration:
    """One entry of `usage.iterations`, in tokens. Without a model, it is the model that was asked for.

    `type` is "message", "compaction", "advisor_message" or "fallback_message", as the SDK 2.14 has them.
    """

    type: str = "message"
    input: int = 12
    output: int = 7
    cache_creation: int = 0
    cache_read: int = 0
    model: str = ""


@dataclass(frozen=True)
class Usage:
    """The tokens that the provider bills; `output` appears in the last usage only, as on the real wire.

    `ttl_5m` and `ttl_1h` split `cache_creation`; `thinking` is the part of `output` that was spent on thinking. None:
    the provider does not split. `iterations` come with the last usage, `first_iterations` with `message_start`.
    """

    input: int = 12
    output: int = 7
    cache_creation: int = 0
    cache_read: int = 0
    ttl_5m: int | None = None
    ttl_1h: int | None = None
    thinking: int | None = None
    service_tier: str = "standard"
    speed: str = ""
    iterations: tuple[Iteration, ...] = ()
    first_iterations: tuple[Iteration, ...] = ()


@dataclass(frozen=True)
class Fallback:
    """Another model answers than the one asked for, inside the same call.

    With `hop`, the model asked for has begun and declined in this very call: a `fallback` block says so between what
    the two models said, and `message_start` still names the first of them.
    """

    model: str
    category: str | None = None
    hop: bool = True


@dataclass(frozen=True)
class Reply:
    """What the model says in a healthy answer: the blocks of `before`, then one block of text, if there are words."""

    words: tuple[str, ...] = ("Hello", " from", " Claude", ".")
    before: tuple[Block, ...] = ()
    stop_reason: str | None = "end_turn"
    stop_sequence: str | None = None
    stop_details: Mapping[str, object] | None = None
    usage: Usage = field(default_factory=Usage)
    fallback: Fallback | None = None
    tool: bool = False
    """Call a tool of the request first; say the words once its result has come back."""
    beside: Mapping[str, Json] = field(default_factory=dict)
    """Fields that stand beside `type`: type of the event, or `message` for a whole body → the fields."""
    results: tuple[str, ...] = ("succeeded",) * 4
    """How the requests of a batch ended: a result type, or `errored:` and an error type."""
