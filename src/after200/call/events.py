# SPDX-License-Identifier: Apache-2.0
"""A server-sent event (its name and its data) → `Facts`.

Only the few events that say something are decoded. For the others, a substring test shows that their data has the
expected type and no `error` field. A quoted name cannot stand inside a JSON string, where every quote is escaped.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ..names.endings import EndRule
from .errors import HEALTHY_TYPES, find_error, names_error, read_error
from .facts import BLOCK_BEGAN, CHUNK_CAME, STOP_CAME, Facts
from .messages import GUARDRAIL, TOOL_RESULT, read_payload

CHUNK: Final = "content_block_delta"
CHUNK_TYPE: Final = '"content_block_delta"'
"""What stands in the data of every chunk."""

TEXT_TYPE: Final = '"text_delta"'
ERROR_FIELD: Final = '"error"'

ERROR_BYTES: Final = ERROR_FIELD.encode()
CHUNK_HEADS: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta"',
    b'event: content_block_delta\ndata: {"type": "content_block_delta"',
)
"""How a chunk begins in the very form in which the Claude API writes it, or a gateway in Python does."""

IN_CHUNK_DATA: Final = len(CHUNK_HEADS[0])
"""A place in the data of a chunk that begins so, from where on there is no line end but that of the data."""

CHUNK_NAME: Final = b"event: content_block_delta\n"
_DATA_HEADS: Final = tuple(head.removeprefix(CHUNK_NAME) for head in CHUNK_HEADS)
"""The two lines of such a chunk."""

_PAYLOAD_HEADS: Final = tuple(head.removeprefix(b"data: ") for head in _DATA_HEADS)

LF: Final = ord("\n")
CR: Final = ord("\r")
BRACE: Final = ord("}")

KNOWN_NAMES: Final = (HEALTHY_TYPES - {"message"}) | {"error"}
"""The events that every version of the SDK knows. Of any other, some versions give the application nothing."""

NOT_JSON: Final = (ValueError, RecursionError)
"""What `json.loads` raises for text that is not JSON, or that is nested as deep as a server likes."""

_UNDECODED: Final[dict[str, tuple[str, tuple[str, ...], Facts | None]]] = {
    "content_block_start": ('"content_block_start"', (ERROR_FIELD, f'{TOOL_RESULT}"', '"text"'), BLOCK_BEGAN),
    "content_block_stop": ('"content_block_stop"', (ERROR_FIELD,), None),
    "message_stop": ('"message_stop"', (ERROR_FIELD, GUARDRAIL), STOP_CAME),
    "ping": ('"ping"', (ERROR_FIELD,), None),
}
"""An event's name → what must stand in its data, what must not, and what the event then says without being decoded."""


def read_event(name: str | None, data: str, rule: EndRule = "message", *, look_for_text: bool = True) -> Facts | None:
    """Returns what the event called `name` with `data` says; None when it says nothing.

    Args:
        name: None for an event without a name, which the SDK never hands to the application.
        data: the event's data; an event without data says nothing unless its name is `error`.
        rule: what ends the body. The events of an agent's session (`open`) report errors of the session.
        look_for_text: False once the first text is known, so that no further chunk is decoded.
    """
    if not data:
        return Facts(error=read_error({})) if name is not None and name.strip() == "error" else None
    if name == CHUNK and CHUNK_TYPE in data and ERROR_FIELD not in data and not (look_for_text and TEXT_TYPE in data):
        return CHUNK_CAME
    if rule == "open" and name is not None:
        return _read_session_event(name, data)
    if name is not None and (undecoded := _UNDECODED.get(name)) is not None:
        needed, excluded, facts = undecoded
        if needed in data:
            for word in excluded:
                if word in data:
                    break
            else:
                return facts
    payload = decode(data)
    if name is None:
        error = find_error(payload)
        return None if error is None else Facts(error=error)
    facts = read_payload(payload, name)
    if name == "ping" and facts is not None and facts.error is None:
        return None  # Whatever it says, no version of the SDK hands it to the application.
    if facts is None and name == CHUNK:
        # Data that is no JSON object is a chunk all the same: the SDK raises for it, or the application decodes it.
        return CHUNK_CAME
    return facts


# These are asked for each chunk. An operator takes a fifth of the time of a method of bytes that searches, but
# for bytes within bytes: there `in` is the slowest, and `partition` the fastest.


def is_plain_chunk(data: bytes) -> bool:
    """Returns whether `data`, a piece of a body, is one chunk in the form in which most are written, and no error."""
    return (
        data.startswith(CHUNK_HEADS)
        and data[-1] == data[-2] == LF
        and LF not in (inside := data[IN_CHUNK_DATA:-2])
        and CR not in inside
        and not inside.partition(ERROR_BYTES)[1]
    )


def is_plain_data(line: bytes) -> bool:
    """Returns whether `line` is the data of such a chunk, which comes after `CHUNK_NAME`, with its line end."""
    return (
        line.startswith(_DATA_HEADS)
        and line[-1] == LF
        and LF not in (inside := line[:-1])
        and CR not in inside
        and not inside.partition(ERROR_BYTES)[1]
    )


def is_plain_payload(data: bytes) -> bool:
    """Returns whether `data` is the JSON of such a chunk, without the lines of an event around it."""
    return data.startswith(_PAYLOAD_HEADS) and data[-1] == BRACE and not data.partition(ERROR_BYTES)[1]


def _read_session_event(name: str, data: str) -> Facts | None:
    if name.endswith(".error"):
        # `session.error` or `workflow_run.error`: what a session met, while its stream goes on.
        return Facts(inner_error=read_error(decode(data)))
    if not names_error(name.strip()):
        return None
    error = find_error(decode(data), name)
    return None if error is None else Facts(error=error)


def decode(data: str | bytes) -> Any:
    """Returns the JSON in `data`, or None."""
    try:
        return json.loads(data)
    except NOT_JSON:
        return None
