# SPDX-License-Identifier: Apache-2.0
"""The headers of a response → its rate limits, by `after200.rate_limit.kind`. Other header values are not looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

_PREFIX: Final = b"anthropic-"
_KINDS: Final = {
    b"anthropic-ratelimit-requests": "requests",
    b"anthropic-ratelimit-tokens": "tokens",
    b"anthropic-ratelimit-input-tokens": "input_tokens",
    b"anthropic-ratelimit-output-tokens": "output_tokens",
    b"anthropic-priority-input-tokens": "priority_input_tokens",
    b"anthropic-priority-output-tokens": "priority_output_tokens",
}
"""The headers without their last part, `-limit` or `-remaining` → the kind."""

MAX_DIGITS: Final = 15


class RateLimit(NamedTuple):
    """One rate limit, in requests or tokens."""

    limit: int
    """Above 0."""

    remaining: int

    @property
    def utilization(self) -> float:
        """The share of the limit that is used up, from 0 to 1."""
        return max(1.0 - self.remaining / self.limit, 0.0)


def read_rate_limits(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, RateLimit]:
    """Returns the rate limits that `headers`, pairs of a name and a value, state whole.

    A limit of 0 and a value that is no whole number of at most 15 digits are left out.
    """
    found: dict[bytes, dict[bytes, int]] = {}
    for name, value in headers:
        if name[:10].lower() != _PREFIX:
            continue
        kind, _, part = name.lower().rpartition(b"-")
        if kind in _KINDS and part in (b"limit", b"remaining"):
            value = value.strip()
            if value.isdigit() and len(value) <= MAX_DIGITS:
                found.setdefault(kind, {})[part] = int(value)
    return {
        _KINDS[kind]: RateLimit(parts[b"limit"], parts[b"remaining"])
        for kind, parts in found.items()
        if parts.get(b"limit") and b"remaining" in parts
    }
