# SPDX-License-Identifier: Apache-2.0
"""What a request of the SDK returned → what it says of its call. Nothing is written here: `results.py` does that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from ...call.exceptions import Raised, read_exception
from ...call.facts import IS_MALFORMED, Facts
from ...call.messages import read_whole
from ...names.endings import EndRule
from .objects import HTTPResponse

DEPTH: Final = 4
"""How many levels of the SDK's models are looked at: a message, its usage, the entries of it, their details."""


class Answer(NamedTuple):
    """What a request came back with, as far as it has been read."""

    response: HTTPResponse | None = None
    """The HTTP response; None for a message that has been parsed, and for a lost connection."""

    has_open_body: bool = False
    """Whether the application has yet to read the body of `response`."""

    body: bytes | None = None
    """The whole body, read and decoded; None where `facts` say what it is, or where there is none."""

    content_type: str = ""
    """The media type of `body`."""

    is_text: bool = False
    """Whether the application asked for a message, so that events in `body` are text to it, and no answer."""

    facts: Facts | None = None
    """What the SDK's message says."""

    raised: Raised | None = None
    """The exception that the request raised. With a `body`, the SDK raised because of what that is."""


def read_returned(result: object, rule: EndRule, *, stream: bool) -> Answer:
    """Returns what `result` is, which a request returned.

    Args:
        result: a stream, a raw response, or a message.
        rule: what ends the body of this kind of call.
        stream: whether the application asked for a stream.
    """
    response = find_response(result)
    if response is not None:
        body = read_body(response)
        if body is None:
            return Answer(response, has_open_body=True)
        # The SDK has read it, or a hook of the HTTP client; or it came whole from a cache.
        return Answer(response, body=body, content_type=response.headers.get("content-type", "") or "")
    if isinstance(result, str):
        # The SDK hands a body of another media type than JSON to the application as text.
        return Answer(body=result.encode("utf-8", "replace"), is_text=True)
    return Answer(facts=read_message(result, rule))


def read_raised(exception: BaseException, response: HTTPResponse | None) -> Answer:
    """Returns what `exception` is, which a request raised.

    `response`: the one that came with a success, of a call that does not stream; None without one.
    """
    raised = read_exception(exception)
    if response is not None and response.is_stream_consumed and raised.kind not in ("cancelled", "left"):
        return Answer(
            response,
            body=response.content,
            content_type=response.headers.get("content-type", "") or "",
            is_text=True,
            raised=raised,
        )
    return Answer(getattr(exception, "response", None), raised=raised)


def read_body(response: HTTPResponse) -> bytes | None:
    """Returns the body of `response`, decoded; None if nobody has read it whole."""
    if not response.is_closed:
        return None
    try:
        return response.content
    except Exception:  # It was closed before it was read.
        return None


def find_response(result: object) -> HTTPResponse | None:
    """Returns the HTTP response behind what a request returned, None for a message that has been parsed."""
    for candidate in (getattr(result, "http_response", None), getattr(result, "response", None), result):
        if candidate is not None and hasattr(candidate, "status_code") and hasattr(candidate, "is_stream_consumed"):
            return cast("HTTPResponse", candidate)
    return None


def read_message(message: object, rule: EndRule) -> Facts:
    """Returns what the object says that the SDK made of a whole body: a message, or a model of whatever JSON came."""
    return IS_MALFORMED if message is None else read_whole(as_json(message), rule)


def as_json(value: object, depth: int = DEPTH) -> object:
    """Returns a model of the SDK as a mapping, and its models in it. The SDK does not validate: it may be anything."""
    if value is None or isinstance(value, str | int | float) or not depth:
        return value
    if isinstance(value, list):
        return [as_json(item, depth - 1) for item in value]
    if isinstance(value, Mapping):
        return value
    fields = getattr(value, "__dict__", None)
    if fields is None:
        return value
    # What the version does not know as a field: the tokens of the cache before 0.34.
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {name: as_json(field, depth - 1) for name, field in {**fields, **extra}.items()}
