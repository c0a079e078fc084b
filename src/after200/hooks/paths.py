# SPDX-License-Identifier: Apache-2.0
"""Which requests ask Claude for a message, as a table of methods and paths that all doors read.

A path counts as it is on the wire: an encoded `/` is part of a name. Whatever the host and whatever stands before the
path, so that gateways count too. What only one door has is in that door's own rows: `hooks/sdk/endpoints.py`,
`hooks/http/calls.py`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from .. import names
from ..names.endings import EndRule


class Row(NamedTuple):
    """A row of the table of paths."""

    method: str
    """In lower case."""

    pattern: re.Pattern[str]
    """What the path ends in; group `model` is the model, group `streams` says that the path asks for a stream."""

    operation: str
    """`gen_ai.operation.name`."""

    end_rule: EndRule
    """What ends the body of the answer."""

    provider: str = names.ANTHROPIC
    """`gen_ai.provider.name`, where nothing but the path says it."""

    is_shared: bool = False
    """Whether services of other kinds have such a path too, so that header or body must confirm that it is a call."""


BEDROCK_MODEL: Final = r"/model/(?P<model>[^/]+)/"
MESSAGES: Final = (
    Row("post", re.compile(r"/v1/messages$"), "chat", "message", is_shared=True),
    Row("post", re.compile(r"/v1/complete$"), "text_completion", "completion", is_shared=True),
    Row(
        "post",
        re.compile(r"/publishers/anthropic/models/(?P<model>[^/:]+):(rawPredict|(?P<streams>streamRawPredict))$"),
        "chat",
        "message",
        names.VERTEX,
    ),
    Row(
        "post",
        re.compile(BEDROCK_MODEL + r"(invoke|(?P<streams>invoke-with-response-stream))$"),
        "chat",
        "message",
        names.BEDROCK,
    ),
)
"""The rows that every door has."""


def path_of(target: str) -> str:
    """Returns the path of `target`, a URL or the path in it, without query and fragment."""
    return target.partition("?")[0].partition("#")[0]


def model_in(found: re.Match[str]) -> str | None:
    """Returns the model that a path names; None for a path that names none."""
    model = found.groupdict().get("model")
    return None if model is None else unquote(model)
