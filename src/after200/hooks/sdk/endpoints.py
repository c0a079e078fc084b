# SPDX-License-Identifier: Apache-2.0
"""Which requests of the SDK are calls, as a table: method and path → operation, and how its body ends.

What is not in the table (counting tokens, listing models, files, ...) is left alone.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from ...guard import reported, warn_once
from ...names.endings import EndRule


class Endpoint(NamedTuple):
    """A kind of call."""

    operation: str
    """`gen_ai.operation.name`."""

    end_rule: EndRule
    """What ends the body: `message_stop` (message), a `stop_reason` (completion), its end (lines), nothing (open)."""


_MODEL_IN_PATH: Final = re.compile(
    r"/model/(?P<bedrock>[^/]+)/invoke(-with-response-stream)?$"
    r"|/publishers/anthropic/models/(?P<vertex>[^/:]+):(rawPredict|streamRawPredict)$"
)
"""Where Bedrock and Vertex have the model: the SDK's own clients put it there, and so does who calls `client.post`."""

_ENDPOINTS: Final = (
    ("post", re.compile(r"/v1/messages$"), Endpoint("chat", "message")),
    ("post", _MODEL_IN_PATH, Endpoint("chat", "message")),
    ("post", re.compile(r"/v1/complete$"), Endpoint("text_completion", "completion")),
    ("get", re.compile(r"/v1/messages/batches/[^/]+/results$"), Endpoint("batch_results", "lines")),
    ("get", re.compile(r"/v1/sessions/.+/stream$"), Endpoint("invoke_agent", "open")),
)


_ID: Final = re.compile(r"(?<=/)(?=[^/]*\d)[^/{}]{4,}")
"""A segment of a path that is taken for an id: it has a digit, and at least four characters."""

_PLACE: Final = "unrecorded stream: "

MAX_NAMED: Final = 10
"""How many surfaces are named at the most, in case a path has ids that do not look like one."""


@lru_cache(maxsize=256)
def find_endpoint(method: str, url: str) -> Endpoint | None:
    """The kind of call that a request with `method` to `url` is, as the SDK's own method named it."""
    path = url.partition("?")[0]
    for known_method, pattern, endpoint in _ENDPOINTS:
        if method.lower() == known_method and pattern.search(path):
            return endpoint
    return None


def model_in_url(url: str) -> str | None:
    """The model that a path of Bedrock or Vertex names."""
    found = _MODEL_IN_PATH.search(url.partition("?")[0])
    return unquote(found["bedrock"] or found["vertex"]) if found else None


def shape_of(url: str) -> str:
    """Returns the path of `url` without its query, and with `{id}` for what looks like an id."""
    return _ID.sub("{id}", urlsplit(url).path)


def name_unrecorded_stream(method: str, url: str) -> None:
    """Warns once that a request which is no call in the table streams: the SDK may be newer than the table."""
    surface = f"{method.upper()} {shape_of(url)}"
    if sum(place.startswith(_PLACE) for place in reported) < MAX_NAMED:
        version = getattr(sys.modules.get("anthropic"), "__version__", "of an unknown version")
        warn_once(
            _PLACE + surface,
            "after200 does not record %s, which streams, of anthropic %s: whether it fails after the 200 is in no span "
            "and no metric.",
            surface,
            version,
        )
