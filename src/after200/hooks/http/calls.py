# SPDX-License-Identifier: Apache-2.0
"""Which requests of an HTTP library are calls, as a table of paths, and what their bodies ask for: request → `Call`.

The rows that every door has are in `hooks/paths.py`; Converse is here, which the SDK does not speak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ... import names
from ...call.limits import clean_name
from ...call.record import Call
from ...names.endings import EndRule
from .. import paths
from ..parameters import parameters_of
from ..paths import Row, model_in, path_of

MAX_DECODED: Final = 1 << 20
"""The longest request body that is decoded, in bytes. Of a longer one, only the outermost members are looked at."""

MAX_SEARCHED: Final = 1 << 24
"""The longest request body that is looked at, in bytes."""


class Kind(NamedTuple):
    """What a path says of a call."""

    provider: str
    """`gen_ai.provider.name`."""

    operation: str
    """`gen_ai.operation.name`."""

    end_rule: EndRule
    model: str | None
    """The model that stands in the path."""

    streams: bool
    """Whether the path itself asks for a stream."""

    is_shared: bool
    """Whether services of other kinds have such a path too, so that header or body must confirm that it is a call."""


PATHS: Final = (
    *paths.MESSAGES,
    Row(
        "post",
        re.compile(paths.BEDROCK_MODEL + r"(converse|(?P<streams>converse-stream))$"),
        "chat",
        "converse",
        names.BEDROCK,
    ),
)
"""Which requests with `POST` are calls. Of Amazon Bedrock's, those whose model has `anthropic.` in its id."""

_ENDINGS: Final = (
    "/v1/messages", "/v1/complete", "awPredict", "/invoke", "-stream", "/converse",
)  # fmt: skip
"""What every path of the table ends in: so a request whose path ends otherwise needs no further look."""


def find_kind(target: str) -> Kind | None:
    """Returns what kind of call a `POST` to `target` is; None for a request that is no call.

    `target` is a URL or the path in it, with or without a query, as it is on the wire.
    """
    path = path_of(target)
    return _find(path) if path.endswith(_ENDINGS) else None


@lru_cache(maxsize=256)
def _find(path: str) -> Kind | None:
    for row in PATHS:
        found = row.pattern.search(path)
        if found is None:
            continue
        model = model_in(found)
        if row.provider == names.BEDROCK and "anthropic." not in str(model):
            return None
        streams = found.groupdict().get("streams") is not None
        return Kind(row.provider, row.operation, row.end_rule, clean_name(model), streams, row.is_shared)
    return None


def read_call(
    client: str, kind: Kind, body: object, *, has_version: bool, host: str | None = None, port: int | None = None
) -> Call | None:
    """Returns the call that a request is; None for a request to another service.

    Args:
        client: `after200.client`, the library that sends the request.
        kind: what its path says.
        body: the body where it is in memory, as bytes, text or a mapping that has yet to be encoded; else anything.
        has_version: whether the request has an `anthropic-version` header.
        host: `server.address`.
        port: `server.port`.
    """
    members = outermost_members(body)
    if kind.is_shared and not has_version and "messages" not in members and "prompt" not in members:
        return None
    stream = members.get("stream")
    return Call(
        operation=kind.operation,
        provider=kind.provider,
        model=kind.model or clean_name(members.get("model")),
        stream=True if kind.streams else stream if isinstance(stream, bool) else None if not members else False,
        says_stream=kind.streams or isinstance(stream, bool),
        server_address=host,
        server_port=port,
        parameters=parameters_of(members),
        end_rule=kind.end_rule,
        client=client,
    )


# --- the body ---

_PIECE: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
"""A string, a bracket, a colon, a comma, or a number or word of a JSON text."""


def outermost_members(body: object) -> Mapping[str, Any]:
    """Returns the members of the outermost object of a request's body; none for a body that is not in memory.

    A one-shot body (an iterator, a file) is not touched. Of a text longer than `MAX_DECODED`, a member that is an
    object or a list is None.
    """
    if isinstance(body, Mapping):
        return body
    if not isinstance(body, str | bytes | bytearray) or len(body) > MAX_SEARCHED:
        return {}
    try:
        if len(body) > MAX_DECODED:
            return _search_members(body.encode("utf-8", "replace") if isinstance(body, str) else bytes(body))
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _search_members(text: bytes) -> dict[str, Any]:
    members: dict[str, Any] = {}
    depth, key, last = 0, None, b""
    for found in _PIECE.finditer(text):
        piece = found[0]
        if piece in b"}]":
            depth -= 1
        elif piece in b"{[":
            depth += 1
            if depth == 2 and key is not None:
                members[key], key = None, None
        elif depth == 1 and piece == b":":
            key = json.loads(last)
        elif depth == 1 and piece != b",":
            if key is not None:
                members[key], key = json.loads(piece), None
            last = piece
    return members
