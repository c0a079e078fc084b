# SPDX-License-Identifier: Apache-2.0
"""Which requests of the SDK are calls, as a table: method and path → operation, and how its body ends.

The rows that every door has are in `hooks/paths.py`; here are those that only the SDK has.
What is not in the table (counting tokens, listing models, files, ...) is left alone.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from ...guard import reported, warn_once
from .. import paths
from ..paths import Row, model_in, path_of

_ENDPOINTS: Final = (
    *paths.MESSAGES,
    Row("get", re.compile(r"/v1/messages/batches/[^/]+/results$"), "batch_results", "lines"),
    Row("get", re.compile(r"/v1/sessions/.+/stream$"), "invoke_agent", "open"),
)


_ID: Final = re.compile(r"(?<=/)(?=[^/]*\d)[^/{}]{4,}")
"""A segment of a path that is taken for an id: it has a digit, and at least four characters."""

_PLACE: Final = "unrecorded stream: "

MAX_NAMED: Final = 10
"""How many surfaces are named at the most, in case a path has ids that do not look like one."""


@lru_cache(maxsize=256)
def find_endpoint(method: str, url: str) -> Row | None:
    """The kind of call that a request with `method` to `url` is, as the SDK's own method named it."""
    for row in _ENDPOINTS:
        if method.lower() == row.method and row.pattern.search(path_of(url)):
            return row
    return None


def model_in_url(row: Row, url: str) -> str | None:
    """The model that a path of Bedrock or Vertex names: there their clients put it, and who calls `client.post`."""
    found = row.pattern.search(path_of(url))
    return model_in(found) if found else None


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
