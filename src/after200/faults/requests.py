# SPDX-License-Identifier: Apache-2.0
"""Which request of which API this is: method, path and body in, one frozen `Request` out, or `NotThereError`.

One table of routes holds every path that the SDK's clients send (2.11 and before).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

_VERTEX = "/projects/{project}/locations/{region}/publishers/anthropic/models"
_PREFIXES = (
    r"/anthropic",  # Foundry, Bedrock Mantle
    r"/v1(?=/projects)",  # Vertex
    r"/v1/projects/[^/]+/locations/[^/]+/workspaces/[^/]+/invoke",  # Google Cloud
)
"""What the default base URLs of the platforms put before the path: accepted, never required."""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Route:
    """One path of the API: what it is for, on which wire; `streaming` None: the body's `stream` says."""

    method: str
    path: str
    api: str
    wire: str = "anthropic"
    streaming: bool | None = None

    def pattern(self) -> re.Pattern[str]:
        path = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path)
        return re.compile(f"(?:{'|'.join(_PREFIXES)})?{path}")


ROUTES = (
    Route("POST", "/v1/messages", "messages"),
    Route("POST", "/v1/messages/count_tokens", "count_tokens", streaming=False),
    Route("POST", "/v1/complete", "completions"),
    Route("GET", "/v1/messages/batches/{id}", "batch", streaming=False),
    Route("GET", "/v1/messages/batches/{id}/results", "batches", streaming=True),
    Route("GET", "/v1/sessions/{id}/events/stream", "sessions", streaming=True),
    Route("GET", "/v1/sessions/{id}/threads/{thread}/stream", "sessions", streaming=True),
    Route("POST", "/model/{model}/invoke", "messages", "bedrock", streaming=False),
    Route("POST", "/model/{model}/invoke-with-response-stream", "messages", "bedrock", streaming=True),
    Route("POST", "/model/{model}/converse", "converse", "bedrock", streaming=False),
    Route("POST", "/model/{model}/converse-stream", "converse", "bedrock", streaming=True),
    Route("POST", _VERTEX + "/count-tokens:rawPredict", "count_tokens", "vertex", streaming=False),
    Route("POST", _VERTEX + "/{model}:rawPredict", "messages", "vertex", streaming=False),
    Route("POST", _VERTEX + "/{model}:streamRawPredict", "messages", "vertex", streaming=True),
)
_PATTERNS = tuple((route, route.pattern()) for route in ROUTES)


class NotThereError(ValueError):
    """There is no such scenario, or no such path; the message names what there is."""


@dataclass(frozen=True)
class Request:
    """What was asked; without more than method and path, a request that the server does not know.

    `model` is the one in the URL, else the one in the body, else empty.
    """

    method: str
    path: str
    api: str = "unknown"
    wire: str = "anthropic"
    model: str = ""
    streaming: bool = False
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    resource_id: str = ""
    own_url: str = ""
    message_id: str = field(default_factory=lambda: f"msg_01{next(_numbers):022d}")

    @property
    def request_id(self) -> str:
        return self.message_id.replace("msg_", "req_")


def split_target(target: str) -> tuple[str, str, str]:
    """A request target, split into scenario, key and the path that follows: `/name@key/v1/messages?x`."""
    path = re.sub(r"^https?://[^/]*", "", target.partition("?")[0])  # clients of a proxy send the whole URL
    first, slash, rest = path.removeprefix("/").partition("/")
    name, _, key = unquote(first).partition("@")
    return name, key, slash + rest.rstrip("/")


def scenario_path(name: str, key: str) -> str:
    """The first segment of the path, for a base URL."""
    return f"/{name}@{quote(key, safe='')}" if key else f"/{name}"


def read_request(method: str, path: str, body: bytes, own_url: str = "") -> Request:
    """The request that came; raises `NotThereError` for a path that is none of the API's."""
    for route, pattern in _PATTERNS:
        found = pattern.fullmatch(path)
        if found and route.method == method:
            named, asked = found.groupdict(), _read_json(body)
            model = unquote(named["model"]) if named.get("model") else asked.get("model")
            return Request(
                method,
                path,
                api=route.api,
                wire=route.wire,
                model=model if isinstance(model, str) else "",
                streaming=asked.get("stream") is True if route.streaming is None else route.streaming,
                body=asked,
                resource_id=named.get("id") or "",
                own_url=own_url,
            )
    known = ", ".join(f"{route.method} {route.path}" for route in ROUTES)
    raise NotThereError(f"unknown path {method} {path[:200]}; after the scenario's name the server knows: {known}")


def _read_json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested without end
        return {}
    return value if isinstance(value, dict) else {}
