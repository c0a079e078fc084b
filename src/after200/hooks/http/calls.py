# SPDX-License-Identifier: Apache-2.0
"""Which requests of an HTTP library are calls, as a table of paths, and what their bodies ask for: request → `Call`.

Section 10 of the contract. A path counts as it is on the wire: an encoded `/` is part of a name. Whatever the host and
whatever stands before the path, so that gateways count too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from ...call.limits import name
from ...call.record import Call, Parameter
from ...names.endings import EndRule

MAX_DECODED: Final = 1 << 20
"""The longest request body that is decoded, in bytes. Of a longer one, only the outermost members are looked at."""

MAX_SEARCHED: Final = 1 << 24
"""The longest request body that is looked at, in bytes."""

MAX_STOP_SEQUENCES: Final = 16


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


class Row(NamedTuple):
    """A row of the table of paths."""

    pattern: re.Pattern[str]
    """What the path ends in; group `model` is the model."""

    provider: str
    operation: str
    end_rule: EndRule
    is_shared: bool = False


_BEDROCK: Final = r"/model/(?P<model>[^/]+)/"
PATHS: Final = (
    Row(re.compile(r"/v1/messages$"), "anthropic", "chat", "message", is_shared=True),
    Row(re.compile(r"/v1/complete$"), "anthropic", "text_completion", "completion", is_shared=True),
    Row(
        re.compile(r"/publishers/anthropic/models/(?P<model>[^/:]+):(rawPredict|(?P<streams>streamRawPredict))$"),
        "gcp.vertex_ai",
        "chat",
        "message",
    ),
    Row(re.compile(_BEDROCK + r"(invoke|(?P<streams>invoke-with-response-stream))$"), "aws.bedrock", "chat", "message"),
    Row(re.compile(_BEDROCK + r"(converse|(?P<streams>converse-stream))$"), "aws.bedrock", "chat", "converse"),
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
    path = target.partition("?")[0].partition("#")[0]
    return _find(path) if path.endswith(_ENDINGS) else None


@lru_cache(maxsize=256)
def _find(path: str) -> Kind | None:
    for row in PATHS:
        found = row.pattern.search(path)
        if found is None:
            continue
        groups = found.groupdict()
        model = None if groups.get("model") is None else unquote(groups["model"])
        if row.provider == "aws.bedrock" and "anthropic." not in str(model):
            return None
        return Kind(
            row.provider, row.operation, row.end_rule, name(model), groups.get("streams") is not None, row.is_shared
        )
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
        model=kind.model or name(members.get("model")),
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


_PARAMETERS: Final[dict[str, tuple[tuple[str, ...], tuple[type, ...]]]] = {
    "max_tokens": (("max_tokens", "max_tokens_to_sample", "maxTokens"), (int,)),
    "temperature": (("temperature",), (float, int)),
    "top_p": (("top_p", "topP"), (float, int)),
    "top_k": (("top_k",), (int,)),
}
"""A parameter that the conventions have an attribute for → its names in the APIs, and the types that it may have."""


def parameters_of(members: Mapping[str, Any]) -> dict[str, Parameter]:
    """Returns the request parameters that the conventions have attributes for. Converse has them in an object."""
    config = members.get("inferenceConfig")
    fields = {**members, **config} if isinstance(config, Mapping) else members
    parameters: dict[str, Parameter] = {}
    for parameter, (names, types) in _PARAMETERS.items():
        value = next((fields[known] for known in names if known in fields), None)
        if isinstance(value, types) and not isinstance(value, bool):
            parameters[parameter] = float(value) if types[0] is float else value  # type: ignore[assignment, arg-type]
    stops = fields.get("stop_sequences") or fields.get("stopSequences")
    if isinstance(stops, list | tuple):
        parameters["stop_sequences"] = tuple(str(sequence) for sequence in stops[:MAX_STOP_SEQUENCES])
    return parameters
