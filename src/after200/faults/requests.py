# SPDX-License-Identifier: Apache-2.0
"""Which request of which API this is: method, path and body in, one frozen `Request` out, or `UnknownPath`.

One table of routes holds every path that the SDK's clients send (2.11 and before).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

_PUBLISHER = r"(?:/v1)?/projects/[^/]+/locations/[^/]+/publishers/anthropic/models"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Route:
    """One path of the API: what it is for, on which wire, and how it is shown in messages."""

    method: str
    pattern: str
    api: str
    wire: str
    shown: str
    streaming: bool | None = None
    """None: the body's `stream` says."""


ROUTES = (
    Route("POST", r"(?:/anthropic)?/v1/messages", "messages", "anthropic", "/v1/messages"),
    Route("POST", r"(?:/anthropic)?/v1/messages/count_tokens", "count_tokens", "anthropic", "/v1/messages/count_tokens", False),
    Route("POST", r"/v1/complete", "completions", "anthropic", "/v1/complete"),
    Route("GET", r"/v1/messages/batches/(?P<id>[^/]+)", "batch", "anthropic", "/v1/messages/batches/{id}", False),
    Route("GET", r"/v1/messages/batches/(?P<id>[^/]+)/results", "batches", "anthropic", "/v1/messages/batches/{id}/results", True),
    Route("GET", r"/v1/sessions/(?P<id>[^/]+)/events/stream", "sessions", "anthropic", "/v1/sessions/{id}/events/stream", True),
    Route("GET", r"/v1/sessions/(?P<id>[^/]+)/threads/[^/]+/stream", "sessions", "anthropic", "/v1/sessions/{id}/threads/{id}/stream", True),
    Route("POST", r"/model/(?P<model>[^/]+)/invoke", "messages", "bedrock", "/model/{model}/invoke", False),
    Route("POST", r"/model/(?P<model>[^/]+)/invoke-with-response-stream", "messages", "bedrock", "/model/{model}/invoke-with-response-stream", True),
    Route("POST", _PUBLISHER + "/count-tokens:rawPredict", "count_tokens", "vertex", "…/publishers/anthropic/models/count-tokens:rawPredict", False),
    Route("POST", _PUBLISHER + "/(?P<model>[^/:]+):rawPredict", "messages", "vertex", "…/publishers/anthropic/models/{model}:rawPredict", False),
    Route("POST", _PUBLISHER + "/(?P<model>[^/:]+):streamRawPredict", "messages", "vertex", "…/publishers/anthropic/models/{model}:streamRawPredict", True),
)  # fmt: skip
_PATTERNS = tuple((route, re.compile(route.pattern)) for route in ROUTES)


class UnknownPath(Exception):
    """The path is none of the API's; the message names those that are."""

    def __init__(self, method: str, path: str) -> None:
        known = ", ".join(f"{route.method} {route.shown}" for route in ROUTES)
        super().__init__(f"unknown path {method} {path[:200]}; after the scenario's name the server knows: {known}")


@dataclass(frozen=True)
class Request:
    """What was asked. `model` is the one in the URL, else the one in the body, else empty."""

    api: str
    wire: str
    method: str
    path: str
    model: str
    streaming: bool
    body: Mapping[str, Any] = field(repr=False)
    resource_id: str
    message_id: str
    own_url: str = ""

    @classmethod
    def of_nothing(cls, method: str, path: str) -> Request:
        """What stands for a request that the server does not know."""
        return cls("unknown", "anthropic", method, path, "", False, {}, "", _message_id())

    @property
    def request_id(self) -> str:
        return self.message_id.replace("msg_", "req_")

    @property
    def kinds(self) -> frozenset[str]:
        """What a scenario's `only` may name for this request."""
        return frozenset({self.wire, self.api})


def split_target(target: str) -> tuple[str, str, str]:
    """A request target, split into scenario, key and the path that follows: `/name@key/v1/messages?x`."""
    path = urlsplit(target if target.startswith("/") else "/" + target).path
    first, slash, rest = path.lstrip("/").partition("/")
    name, _, key = unquote(first).partition("@")
    return name, key, slash + rest.rstrip("/")


def read_request(method: str, path: str, body: bytes, own_url: str = "") -> Request:
    """The request that came; raises `UnknownPath`."""
    for route, pattern in _PATTERNS:
        found = pattern.fullmatch(path)
        if found and route.method == method:
            return _request(route, found.groupdict(), path, _read_json(body), own_url)
    raise UnknownPath(method, path)


def _request(route: Route, named: dict[str, Any], path: str, body: Mapping[str, Any], own_url: str) -> Request:
    model = unquote(named["model"]) if named.get("model") else body.get("model")
    return Request(
        api=route.api,
        wire=route.wire,
        method=route.method,
        path=path,
        model=model if isinstance(model, str) else "",
        streaming=body.get("stream") is True if route.streaming is None else route.streaming,
        body=body,
        resource_id=named.get("id") or "",
        message_id=_message_id(),
        own_url=own_url,
    )


def _read_json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except ValueError:  # covers what is not UTF-8 too
        return {}
    return value if isinstance(value, dict) else {}


def _message_id() -> str:
    return f"msg_01{next(_numbers):022d}"
