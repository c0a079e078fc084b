# SPDX-License-Identifier: Apache-2.0
"""The part of `docs/how-it-works.md` on how the reading of a body ends, drawn from the package's own table."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

from after200.following.reading import REFINED, TABLE, End, InFlight, Sign, State

PAGE: Final = Path(__file__).parent / "how-it-works.md"
BEGIN, END = "<!-- readings: written by python docs/reference.py -->\n", "<!-- /readings -->\n"

STATES: Final[dict[State, str]] = {
    "unread": "nobody hands events to the application",
    "reading": "the application waits for the next event",
    "paused": "the application has the last event",
    "gone": "the response, or whoever handed events on, was freed",
}
SIGNS: Final[dict[Sign, str]] = {
    "stop": "the events, or the bytes, are at their end",
    "raise": "an exception came out of a read",
    "close": "the application closed the stream",
    "body_closed": "somebody closed the body",
    "sdk_read": "the SDK ends its own span: the body was read",
    "sdk_failed": "the SDK ends its own span: the body failed",
    "sdk_closed": "the SDK ends its own span: the body was closed",
}
IN_FLIGHT: Final[dict[InFlight, str]] = {
    "exit": "while a `GeneratorExit` is raised",
    "interrupt": "during a cancellation or an interrupt",
}


def meaning(sign: Sign) -> str:
    """Returns what a sign is; of one that an exception in flight makes of another, which."""
    if sign in SIGNS:
        return SIGNS[sign]
    return "; ".join(
        f"`{of}` {IN_FLIGHT[exception]}" for (of, exception), refined in REFINED.items() if refined == sign
    )


def drawing() -> list[str]:
    """Returns a diagram: the states of a reading, and the signs that lead from each to an end."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> unread"]
    lines += [f"    {start} --> {end}" for start, end in (("unread", "reading"), ("reading", "paused"))]
    lines += ["    paused --> reading"]
    for state in get_args(State):
        for end in get_args(End):
            signs = [sign for sign, row in TABLE.items() if row[state] == end]
            if signs and end != "wait" and state != "gone":
                lines.append(f"    {state} --> {end}: {', '.join(signs)}")
    return [*lines, "```"]


def section() -> str:
    """Returns the drawing and the table."""
    states = get_args(State)
    rows = [
        f"| `{sign}` | {meaning(sign)} | {' | '.join(row[state] for state in states)} |" for sign, row in TABLE.items()
    ]
    return "\n".join(
        [
            *drawing(),
            "",
            "A reading that is `gone` is left out of the drawing. `wait`: undecided, the next sign decides.",
            "",
            *(f"- `{state}`: {words}" for state, words in STATES.items()),
            "",
            f"| sign | what it is | {' | '.join(f'`{state}`' for state in states)} |",
            "|---|---|" + "---|" * len(states),
            *rows,
            "",
        ]
    )


def page() -> str:
    """Returns the whole page, with the section written anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return before + BEGIN + section() + END + after
