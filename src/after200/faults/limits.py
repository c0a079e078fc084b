# SPDX-License-Identifier: Apache-2.0
"""Rate limits that answers name and that run down as the server is used. They are never enforced: no answer is refused.

Only the Claude API names its limits; answers over the wires of Amazon Bedrock and Google Vertex AI do not.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from .truth import Truth

HEADERS = {
    "requests": "anthropic-ratelimit-requests",
    "tokens": "anthropic-ratelimit-tokens",
    "input_tokens": "anthropic-ratelimit-input-tokens",
    "output_tokens": "anthropic-ratelimit-output-tokens",
    "priority_input_tokens": "anthropic-priority-input-tokens",
    "priority_output_tokens": "anthropic-priority-output-tokens",
}
"""Kind of limit → what the names of its three headers begin with."""
WINDOW = 60.0
"""The seconds after which a limit is whole again."""
_SPENT_BY = {
    "tokens": ("input", "output", "cache_write"),
    "input_tokens": ("input", "cache_write"),
    "output_tokens": ("output",),
    "priority_input_tokens": ("input", "cache_write"),
    "priority_output_tokens": ("output",),
}
"""Kind of limit → the types of tokens that count against it; what is read from the cache never does."""


class RateLimits:
    """What remains of each limit in the current minute. `limits` maps kinds to requests or tokens a minute."""

    def __init__(self, limits: Mapping[str, int], clock: Callable[[], float] = time.time) -> None:
        self._limits = check_limits(limits)
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Make every limit whole."""
        self._spent: Counter[str] = Counter()
        self._ends = self._clock() + WINDOW

    def headers(self) -> dict[str, str]:
        """The headers that say what remains now."""
        reset = datetime.fromtimestamp(self._ends, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            f"{HEADERS[kind]}-{name}": value
            for kind, limit in self._limits.items()
            for name, value in (
                ("limit", str(limit)),
                ("remaining", str(max(0, limit - self._spent[kind]))),
                ("reset", reset),
            )
        }

    def count_request(self) -> None:
        """A request came; the first one after the end of a minute begins the next minute."""
        if self._clock() >= self._ends:
            self.restart()
        self._spent["requests"] += 1

    def count_tokens(self, content: Truth) -> None:
        """A response said that it took these tokens."""
        for kind, types in _SPENT_BY.items():
            self._spent[kind] += sum(entry.number for entry in content.tokens if entry.type in types)


def check_limits(limits: Mapping[str, int]) -> dict[str, int]:
    """The limits; raises `ValueError` that names what is wrong and what is accepted."""
    for kind, limit in limits.items():
        if kind not in HEADERS:
            raise ValueError(f"unknown rate limit {kind!r}; the kinds are {', '.join(HEADERS)}")
        if limit < 1:
            raise ValueError(f"the rate limit {kind!r} is {limit}; a limit is 1 or more a minute")
    return dict(limits)


def parse_limits(text: str) -> dict[str, int]:
    """`requests=50,output_tokens=16000` as limits; raises `ValueError`."""
    limits: dict[str, int] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        kind, _, number = (part.strip() for part in entry.partition("="))
        if not number.isdecimal():
            raise ValueError(f"{entry!r} is no rate limit; write KIND=NUMBER, as in requests=50,output_tokens=16000")
        limits[kind] = int(number)
    return check_limits(limits)
