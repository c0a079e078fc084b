# SPDX-License-Identifier: Apache-2.0
"""Rate limits that run down from answer to answer, and answers that ask the client to wait before the next attempt.

The headers are those of the Claude API; Amazon Bedrock and Google Vertex AI send none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..scenarios import COMPLETED, Scenario, scenario, sequence
from ..steps import Answer, Status, Whole
from ..wires import error_envelope
from .error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS

TITLE = "Rate limits that run down, and waits between attempts"
LIMITS = {"requests": 50, "tokens": 100_000, "input-tokens": 80_000, "output-tokens": 16_000}
"""The limits of one minute that the answers name."""
REMAINING = (0.8, 0.6, 0.4, 0.2, 0.0)
"""What remains of each limit after each of the first answers of `rate_limits`, as a share of it."""
_PRIORITY = {"input-tokens": 40_000, "output-tokens": 8_000}
_RESET = "2026-01-01T00:01:00Z"
_SECONDS, _MILLISECONDS = {"retry-after": "0.3"}, {"retry-after-ms": "200"}
_ODD = {
    "anthropic-ratelimit-requests-limit": "0",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-tokens-limit": "many",
    "anthropic-ratelimit-tokens-remaining": "few",
    "anthropic-ratelimit-input-tokens-limit": "80000",
    "anthropic-ratelimit-input-tokens-remaining": "90000",
    "anthropic-ratelimit-output-tokens-limit": "16000",
}


def limit_headers(share: float, limits: Mapping[str, int] = LIMITS, prefix: str = "ratelimit") -> dict[str, str]:
    """The headers of an answer after which `share` of each limit remains."""
    return {
        f"anthropic-{prefix}-{kind}-{name}": value
        for kind, limit in limits.items()
        for name, value in (("limit", str(limit)), ("remaining", str(int(limit * share))), ("reset", _RESET))
    }


def _completed(headers: Mapping[str, str]) -> Scenario:
    return scenario("", "", (Status(headers=headers), *COMPLETED[1:]), (Whole(headers=headers),))


def _refused(status: int, headers: Mapping[str, str]) -> Scenario:
    error_type = TYPE_OF_STATUS[status]
    body = error_envelope(error_type, ANTHROPIC_ERRORS[error_type][1])
    return scenario("", "", (Answer(status, body, headers, failure=error_type),))


_COMPLETED = _completed({})
_first_party = partial(sequence, only="anthropic")

SCENARIOS: tuple[Scenario, ...] = (
    _first_party(
        "rate_limits",
        "headers that leave 80%, 60%, 40%, 20%, 0% of each limit; then HTTP 429; then 100% again",
        *(_completed(limit_headers(share)) for share in REMAINING),
        _refused(429, {**limit_headers(0.0), "retry-after-ms": "1"}),
        _completed(limit_headers(1.0)),
    ),
    _first_party(
        "rate_limits_priority",
        "headers that leave 25% of the limits of the priority tier",
        _completed(limit_headers(0.25, _PRIORITY, "priority")),
    ),
    _first_party(
        "rate_limits_odd",
        "headers with a limit of 0, words for numbers, more remaining than the limit, or no remaining",
        _completed(_ODD),
    ),
    sequence(
        "http_429_retry_after_then_completed",
        "HTTP 429 that asks for a wait of 0.3 s in retry-after, then completed",
        _refused(429, _SECONDS),
        _COMPLETED,
    ),
    sequence(
        "http_529_retry_after_ms_then_completed",
        "HTTP 529 that asks for a wait of 200 ms in retry-after-ms, then completed",
        _refused(529, _MILLISECONDS),
        _COMPLETED,
    ),
    sequence(
        "http_429_then_529_retry_after_then_completed",
        "HTTP 429 that asks for 0.3 s, HTTP 529 that asks for 200 ms, then completed",
        _refused(429, _SECONDS),
        _refused(529, _MILLISECONDS),
        _COMPLETED,
    ),
)
