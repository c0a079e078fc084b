# SPDX-License-Identifier: Apache-2.0
"""One meaning, one colour: what each value of an attribute is drawn in, on every dashboard.

A failure has the same colour whether a panel shows it as `after200.failure`, as an error type, or as a status. Green is
for what went well and for nothing else; red for what is the provider's fault; grey for what says nothing. Models have
no colour here: Grafana's palette gives each name a colour, the same on every dashboard.
"""

from __future__ import annotations

from typing import Final

from after200 import names
from after200.names import errors

GREEN, RED, DARK_RED, ORANGE, MAGENTA = "#73BF69", "#F2495C", "#8F1020", "#FF9830", "#E02FA0"
YELLOW, GOLD, PURPLE, VIOLET = "#FADE2A", "#B8920B", "#B877D9", "#7B4FD0"
BROWN, TAN, GREY, LIGHT_GREY, DARK_GREY, BLUE, LIGHT_BLUE, CYAN = (
    "#A1664A", "#D9B38C", "#8E8E8E", "#CCCCDC", "#5E6066", "#5794F2", "#8AB8FF", "#4FC3C3",
)  # fmt: skip

NONE: Final = "none"
"""What stands in a panel where an attribute is absent."""
NO_RESPONSE: Final = "no response"
SDK: Final = "SDK"
"""What stands in place of the client where the anthropic SDK made the call."""
OTHERS: Final = "others"
"""The name of the series that stands for all models without one of their own: grey, whatever the palette says."""
NEUTRAL: Final = "text"
"""Grafana's name for the colour of its text: what has no judgement."""

FAILURES: Final[dict[str, str]] = {
    "overloaded": RED,
    "server_error": DARK_RED,
    "rate_limited": ORANGE,
    "billing": MAGENTA,
    "timeout": YELLOW,
    "connection": GOLD,
    "truncated": PURPLE,
    "malformed": VIOLET,
    "denied": BROWN,
    "invalid_request": TAN,
    "other": GREY,
}
STATUSES: Final[dict[str, str]] = {
    "200": GREEN,
    **{str(status): FAILURES[failure] for status, failure in errors.STATUSES.items()},
    # Shades, for statuses that are drawn beside another one of the same failure.
    "503": "#FF8A9A",
    "502": "#5A2A33",
    "408": "#FFF6B0",
    "401": "#5A3424",
    "404": "#8C7355",
    NO_RESPONSE: FAILURES["connection"],
    NONE: FAILURES["truncated"],
}
"""`none` is the corrected status of a failure for which the provider documents none, as of a truncated stream."""

ERROR_TYPES: Final[dict[str, str]] = {
    **{error_type: FAILURES[row.failure] for error_type, row in errors.ERROR_TYPES.items()},
    **{str(status): FAILURES[failure] for status, failure in errors.STATUSES.items()},
    names.OTHER: FAILURES["other"],
}
"""An HTTP error without a type has its status as `error.type`."""

TOKEN_TYPES: Final[dict[str, str]] = {"input": BLUE, "output": CYAN, "cache_read": "#B8D8F0", "cache_write": "#C8A2FF"}
BANDS: Final = (GREEN, "#B5D96B", YELLOW, ORANGE, RED)
"""How long something took, from short to long."""
QUANTILES: Final[dict[str, str]] = {"p50": CYAN, "p95": BLUE, "p99": "#E3D0FF"}
UNJUDGED: Final = (
    RED, ORANGE, PURPLE, YELLOW, MAGENTA, LIGHT_BLUE, BROWN, CYAN, VIOLET, TAN, GOLD, BLUE, DARK_RED, GREY,
)  # fmt: skip
"""For names that are bad news all alike, as those of alerts: colours that differ, and none of them green."""
TARGET: Final = "#FFFFFF"
"""A line that others are to stay below or above."""

OF: Final[dict[str, dict[str, str]]] = {
    names.FAILURE: FAILURES,
    names.ERROR_TYPE: ERROR_TYPES,
    names.HTTP_STATUS: STATUSES,
    names.WIRE_STATUS: STATUSES,
    names.OUTCOME: {
        "completed": GREEN,
        "failed": RED,
        "truncated": FAILURES["truncated"],
        "closed": LIGHT_BLUE,
        "cancelled": "#3D6BB5",
        "abandoned": ORANGE,
    },
    names.PHASE: {"request": GREY, "first_chunk": YELLOW, "mid_stream": RED},
    names.CLIENT: {
        SDK: LIGHT_BLUE,
        "httpx": PURPLE,
        "aiohttp": TAN,
        "requests": YELLOW,
        "botocore": ORANGE,
    },
    names.ANSWER: {
        "complete": GREEN,
        "paused": LIGHT_BLUE,
        "cut": ORANGE,
        "refused": RED,
        "guarded": VIOLET,
        "empty": YELLOW,
        "other": GREY,
    },
    names.REFUSAL_CATEGORY: {
        "cyber": RED,
        "bio": MAGENTA,
        "frontier_llm": VIOLET,
        "reasoning_extraction": ORANGE,
        "general_harms": YELLOW,
        NONE: GREY,
    },
    names.TOKEN_TYPE: TOKEN_TYPES,
    names.TOKEN_DETAIL: {
        "output · thinking": "#2F8F8F",
        "cache_write · ttl_5m": "#C8A2FF",
        "cache_write · ttl_1h": "#8F6AD9",
        "input · compaction": "#3D6BB5",
        "output · compaction": "#7FE0E0",
        "cache_read · compaction": "#B8D8F0",
        "cache_write · compaction": "#E3D0FF",
    },
    names.RATE_LIMIT_KIND: {
        "requests": LIGHT_BLUE,
        "tokens": "#3D6BB5",
        "input_tokens": "#B8D8F0",
        "output_tokens": CYAN,
        "priority_input_tokens": "#C8A2FF",
        "priority_output_tokens": "#8F6AD9",
    },
    names.TOOL_NAME: {
        "web_search": LIGHT_BLUE,
        "web_fetch": "#3D6BB5",
        "code_execution": CYAN,
        "bash_code_execution": "#1F6060",
        "text_editor_code_execution": "#B5EFEF",
        "tool_search": "#C8A2FF",
        "mcp": "#8F6AD9",
        "advisor": TAN,
    },
    names.SERVICE_TIER: {"standard": LIGHT_BLUE, "priority": "#3D6BB5", "batch": CYAN},
}
"""Attribute → value → colour. A detail of tokens stands with the kind of token that it is a part of."""


def grouped(table: dict[str, str]) -> dict[str, list[str]]:
    """Colour → the values that are drawn in it."""
    groups: dict[str, list[str]] = {}
    for value, color in table.items():
        groups.setdefault(color, []).append(value)
    return groups
