# SPDX-License-Identifier: Apache-2.0
"""An error payload of any accepted shape, in any place → `ProviderError`. Nothing else in the package reads errors.

The shapes are those of the Claude API (`{"type": "error", "error": {"type": T, "message": M}}`), the same without the
outer type (LiteLLM, Envoy AI gateway), the error alone (`{"type": T, "message": M}`), and those of AWS
(`{"__type": "namespace#T", "Message": M}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..names import errors
from .facts import ProviderError
from .limits import clean_count, clean_text, looks_like_a_type

_FIRST_ERROR_CODE: Final = 400
"""The lowest number that says, as the `code` of an error, that there is one."""

WORDS_FOR_NOTHING: Final = frozenset({"none", "null", "nil", "undefined", "unknown", "error"})
"""What servers write where they have no type to name, in lower case."""

HEALTHY_TYPES: Final = frozenset(
    {
        "message",
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "completion",
        "ping",
    }
)
"""The types of the payloads that are no error: nearly every payload has one of them, so they are looked up first.
None of them is ever the type of an error."""

_DOCTYPE = re.compile(r"\s*<")


def names_error(kind: str) -> bool:
    """Returns whether an event or a payload of the type `kind` is an error in place of an event."""
    if kind in HEALTHY_TYPES:
        return False
    return kind == "error" or errors.documented(kind) is not None or kind.endswith(("_error", "Exception"))


def find_error(payload: object, name: str | None = None) -> ProviderError | None:
    """Returns the error that `payload` is, and None when it is something else.

    Args:
        payload: decoded JSON: the data of an event, a chunk, a whole body, a line.
        name: the name of its event, which says that it is an error, and of which type, where the payload does not.
    """
    kind, inner = (payload.get("type"), payload.get("error")) if isinstance(payload, dict) else (None, None)
    if kind is not None and kind == name and name in HEALTHY_TYPES and inner is None:
        return None  # Nearly every event: the rest would find the same.
    name = None if name is None else name.strip()
    error_by_name = name is not None and names_error(name)
    if isinstance(payload, dict):
        by_kind = kind != name and isinstance(kind, str) and names_error(kind)
        if by_kind or error_by_name or (inner is not None and _says_something(inner)):
            error = read_error(payload)
            # The name of an event is a type only where it names an error: `message` and `chunk` are none.
            return error if error.type is not None or not error_by_name else error._replace(type=_usable_type(name))
    elif error_by_name:
        return read_error(payload)._replace(type=_usable_type(name))
    return None


def _says_something(error: object) -> bool:
    """Returns whether an `error` field says that there is one: many servers always write the field, and leave it empty.

    A type, a message or a code does; as a code counts a word, and a number that is a status code of an error.
    """
    if not isinstance(error, dict):
        return clean_text(error) is not None
    if _usable_type(error.get("type")) or clean_text(error.get("message")) or _code(error):
        return True
    code = error.get("code")
    number = clean_count(code)
    return _usable_type(code) is not None if number is None else number >= _FIRST_ERROR_CODE


def read_error(payload: object) -> ProviderError:
    """Returns the error in `payload`, which is known to be one: a decoded body or payload of any shape, or text."""
    if not isinstance(payload, dict):
        # What a proxy answers in HTML is a page for people, not a message.
        return ProviderError(None, None if _DOCTYPE.match(str(payload)) else clean_text(payload))
    inner = payload.get("error")
    original_status = clean_count(payload.get("originalStatusCode"))
    own = _usable_type(payload.get("type"))
    if own is None or not names_error(own):  # `type` may be that of a healthy event.
        own = _usable_type(_shape_name(payload.get("__type")))
    if isinstance(inner, dict):
        error_type = _usable_type(inner.get("type")) or own
        message = clean_text(inner.get("message")) or clean_text(payload.get("message"))
        return ProviderError(error_type, message, _code(inner), original_status)
    message = payload.get("message") or payload.get("Message") or inner
    return ProviderError(own, clean_text(message), _code(payload), original_status)


def read_error_header(value: object) -> str | None:
    """Returns the error type in the `x-amzn-errortype` header of an answer from AWS, which ends at its colon."""
    return _usable_type(_shape_name(value.partition(":")[0])) if isinstance(value, str) else None


def read_frame_error(headers: Mapping[str, object], payload: object) -> ProviderError | None:
    """Returns the error in a frame of `application/vnd.amazon.eventstream`, and None for a frame that is an event.

    Args:
        headers: the frame's headers; `:exception-type` or `:error-code` names the error.
        payload: the frame's decoded payload, of any type.
    """
    if headers.get(":message-type") not in ("exception", "error"):
        return None
    kind = _shape_name(headers.get(":exception-type") or headers.get(":error-code"))
    error = read_error(payload if isinstance(payload, dict) else {})
    return error._replace(
        type=_usable_type(kind) or error.type, message=error.message or clean_text(headers.get(":error-message"))
    )


def _code(error: Mapping[str, object]) -> str | None:
    details = error.get("details")
    return _usable_type(details.get("error_code")) if isinstance(details, dict) else None


def _shape_name(value: object) -> object:
    # AWS may put the namespace of a shape before its name: `com.amazon.coral.service#ThrottlingException`.
    return value.rpartition("#")[2].strip() if isinstance(value, str) else None


def _usable_type(value: object) -> str | None:
    if not looks_like_a_type(value) or str(value).lower() in WORDS_FOR_NOTHING or value in HEALTHY_TYPES:
        return None
    return str(value)
