# SPDX-License-Identifier: Apache-2.0
"""Which requests of the SDK are calls, as a table: method and path → operation, and how its body ends.

What is not in the table (counting tokens, listing models, files, ...) is left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

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
