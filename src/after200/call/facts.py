# SPDX-License-Identifier: Apache-2.0
"""What one event, frame, line or body says (`Facts`), and what the events of a call say of its message together.

The parsers return these records; they write nowhere. Prompts, completions, tool arguments and results, and the
explanation of a refusal never get into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..names import OTHER
from ..names.errors import MALFORMED

MAX_DISTINCT_TOOLS: Final = 100
"""How many different pairs of server tool and error code are kept for one call."""


class ProviderError(NamedTuple):
    """An error as the provider sent it."""

    type: str | None
    """The type that it named; None where it named nothing usable."""

    message: str | None
    code: str | None = None
    """`error.details.error_code`."""

    original_status: int | None = None
    """`originalStatusCode` of a Bedrock frame: what the model itself answered."""

    def completed_by(self, later: ProviderError) -> ProviderError:
        """Returns this error with the original status of `later`, where it has none: the first error counts."""
        if self.original_status is None and later.original_status is not None:
            return self._replace(original_status=later.original_status)
        return self


class Tokens(NamedTuple):
    """Numbers of tokens; None for what the provider did not say."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None


class Usage(NamedTuple):
    """A `usage` object."""

    tokens: Tokens = Tokens()
    """The top-level counts, which add up to what is billed without compaction."""

    ttl_5m: int | None = None
    """Of `tokens.cache_write`: written to the cache for five minutes."""

    ttl_1h: int | None = None
    """Of `tokens.cache_write`: written to the cache for one hour."""

    thinking: int | None = None
    """Of `tokens.output`: spent on thinking."""

    compaction: Tokens | None = None
    """The tokens of all `compaction` iterations, which the top-level counts leave out."""

    fallback_model: str | None = None
    """The model of the `fallback_message` iteration that served the answer."""

    service_tier: str | None = None
    speed: str | None = None
    has_iterations: bool = False
    """Whether it has a list of iterations, which `compaction` and `fallback_model` are read from."""

    @property
    def input_counts(self) -> tuple[int | None, int | None, int | None]:
        """The tokens of the input by where they came from: none of them is counted twice."""
        return self.tokens.input, self.tokens.cache_read, self.tokens.cache_write

    @property
    def ttls(self) -> tuple[int | None, int | None]:
        """The parts of what was written to the cache."""
        return self.ttl_5m, self.ttl_1h

    @property
    def all_input(self) -> int | None:
        """Input tokens as the conventions count them: those read from and written to the cache are part of them."""
        tokens = self.tokens
        if tokens.input is None:
            return None
        return tokens.input + (tokens.cache_read or 0) + (tokens.cache_write or 0)


class Tool(NamedTuple):
    """The result of a tool that ran at the provider."""

    name: str
    """The type of its block without `_tool_result`."""

    error: str | None
    """Its error code; None for a tool that worked."""


class Message(NamedTuple):
    """What is said of a message, by one event or by all of them."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    refusal_category: str | None = None
    """The category in `stop_details` of a refusal."""

    guarded: bool = False
    """Whether a guardrail of Amazon Bedrock stepped in."""

    tools: tuple[tuple[Tool, int], ...] = ()
    """The results of server tools and how often each came, in the order of their first occurrence."""

    usage: Usage = Usage()


NOTHING_SAID: Final = Message()


class Facts(NamedTuple):
    """What one event or body says. A field that it says nothing about has its default."""

    chunk: bool = False
    """It is a `content_block_delta` with data."""

    text: bool = False
    """It has text that is not empty."""

    content: bool = False
    """It shows a block with content: any block, or part of one, that is not an empty text."""

    stopped: bool = False
    """The provider is finished."""

    error: ProviderError | None = None
    """The provider says that the call failed."""

    inner_error: ProviderError | None = None
    """The provider reports an error of something else: an entry of a batch, a session of an agent."""

    message: Message | None = None
    is_answer: bool = False
    """A whole body, or an entry of it, that is an answer."""

    is_malformed: bool = False
    """A body that is no answer."""

    was_cut: bool = False
    """The last line of the body was cut."""


CHUNK_CAME: Final = Facts(chunk=True, content=True)
TEXT_CAME: Final = Facts(chunk=True, text=True, content=True)
EMPTY_TEXT_CAME: Final = Facts(chunk=True)
STOP_CAME: Final = Facts(stopped=True)
BLOCK_BEGAN: Final = Facts(content=True)
IS_MALFORMED: Final = Facts(is_malformed=True)
UNDECODABLE: Final = Facts(error=ProviderError(MALFORMED, None))


def merged(before: Message, later: Message) -> Message:
    """Returns what two events said of a message together: what is said later holds, and no sum of tokens goes down."""
    if before is NOTHING_SAID and not later.tools:
        return later
    return Message(
        id=later.id or before.id,
        model=later.model or before.model,
        stop_reason=later.stop_reason or before.stop_reason,
        refusal_category=later.refusal_category or before.refusal_category,
        guarded=later.guarded or before.guarded,
        tools=_all_tools(before.tools, later.tools),
        usage=before.usage if later.usage == _NO_USAGE else _merged_usage(before.usage, later.usage),
    )


_NO_USAGE: Final = Usage()


def _merged_usage(before: Usage, later: Usage) -> Usage:
    # Of `iterations` said several times, the last list counts.
    last = later if later.has_iterations else before
    # The counts of one report belong together: a later one may call cached what the first one called input.
    inputs: Sequence[int | None] = before.input_counts
    reported = later.input_counts
    if reported == _NO_USAGE.input_counts or _sum(updated := _updated(inputs, reported)) < _sum(inputs):
        ttls = tuple(map(_highest, before.ttls, later.ttls))
    else:
        inputs, ttls = updated, _updated(before.ttls, later.ttls)
    return Usage(
        tokens=Tokens(inputs[0], _highest(before.tokens.output, later.tokens.output), inputs[1], inputs[2]),
        ttl_5m=ttls[0],
        ttl_1h=ttls[1],
        thinking=_highest(before.thinking, later.thinking),
        compaction=last.compaction,
        fallback_model=last.fallback_model,
        service_tier=later.service_tier or before.service_tier,
        speed=later.speed or before.speed,
        has_iterations=last.has_iterations,
    )


def _updated(before: Sequence[int | None], later: Sequence[int | None]) -> tuple[int | None, ...]:
    """Returns the counts of `later`, and where it has none, those of `before`."""
    return tuple([old if new is None else new for old, new in zip(before, later, strict=True)])


def _sum(counts: Sequence[int | None]) -> int:
    return sum(number or 0 for number in counts)


def _highest(before: int | None, later: int | None) -> int | None:
    """A gateway may send a later count that is lower; the higher one is what was used."""
    if before is None or later is None:
        return later if before is None else before
    return max(before, later)


def _all_tools(
    before: tuple[tuple[Tool, int], ...], later: tuple[tuple[Tool, int], ...]
) -> tuple[tuple[Tool, int], ...]:
    if not later:
        return before
    counts = dict(before)
    for tool, times in later:
        known = tool if tool in counts or len(counts) < MAX_DISTINCT_TOOLS else Tool(OTHER, tool.error and OTHER)
        counts[known] = counts.get(known, 0) + times
    return tuple(counts.items())
