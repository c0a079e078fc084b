# SPDX-License-Identifier: Apache-2.0
"""The exceptions of libraries that reach Claude without the SDK, as far as they carry an answer: for `classify`.

LiteLLM wraps what it catches, writes the document of an error into the message, and gives every error that came in a
stream the status 500. botocore has the answer in a dictionary. The HTTP libraries have the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..names.errors import is_http_error
from .errors import find_error, read_error
from .events import decode
from .exception_classes import known_type, package_of, qualified_name
from .exceptions import Raised
from .facts import ProviderError

LONGEST_CHAIN: Final = 10
"""How many of the exceptions behind an exception are looked at."""

_HTTP_ERRORS: Final = frozenset({"HTTPStatusError", "HTTPError", "ClientResponseError"})
"""What `raise_for_status` raises, in httpx, requests and aiohttp."""

_MADE_UP: Final = 500
"""The status that LiteLLM gives to what came in a stream."""

_DOCUMENT: Final = re.compile(r"\{.*\}", re.DOTALL)


def read_library_exception(exception: BaseException) -> Raised | None:
    """Returns what an exception of such a library means; None for any other, and for one that carries no answer."""
    package = package_of(type(exception))
    if package == "litellm":
        return _read_litellm(exception)
    response = getattr(exception, "response", None)
    if package == "botocore" and isinstance(response, Mapping):
        return _read_client_error(exception, response)
    if package in ("httpx", "httpx2", "requests", "aiohttp") and type(exception).__name__ in _HTTP_ERRORS:
        status = getattr(exception, "status", getattr(response, "status_code", None))
        return _answered(exception, _error_in(_content_of(response)), status) if is_http_error(status) else None
    return None


def _read_client_error(exception: BaseException, response: Mapping[str, Any]) -> Raised:
    """`ClientError` of botocore, and `EventStreamError`, which extends it and comes out of a stream."""
    named, metadata = response.get("Error"), response.get("ResponseMetadata")
    code = str(named.get("Code", "")) if isinstance(named, Mapping) else ""
    error = read_error({"__type": "" if code.isdigit() else code, "message": (named or {}).get("Message")})
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None
    in_stream = type(exception).__name__ == "EventStreamError" or not is_http_error(status)
    return _answered(exception, error, 200 if in_stream else status)


def _read_litellm(exception: BaseException) -> Raised:
    chain = list(_chain_of(exception))
    in_stream = any(type(found).__name__ == "MidStreamFallbackError" for found in chain)
    statuses = [status for found in chain if isinstance(status := getattr(found, "status_code", None), int)]
    status = statuses[-1] if statuses else None  # The innermost comes from the answer, the others from LiteLLM.
    for found in chain:
        error = _error_in(str(found))
        if error.type is not None:
            return _answered(exception, error, 200 if in_stream else status)
    for found in chain:
        lost = None if package_of(type(found)) == "litellm" else known_type(found)
        if lost is not None:
            return Raised("failure", ProviderError(lost, None), None, None, qualified_name(type(exception)))
    if in_stream and status == _MADE_UP:
        status = 200
    return _answered(exception, ProviderError(None, None), status)


def _chain_of(exception: BaseException | None) -> Iterator[BaseException]:
    """Yields `exception`, and what is behind it: what LiteLLM names as the original, and what Python does."""
    for _ in range(LONGEST_CHAIN):
        if exception is None:
            return
        yield exception
        original = getattr(exception, "original_exception", None)
        if isinstance(original, BaseException) and original is not exception:
            yield original
        exception = exception.__cause__ or exception.__context__


def _error_in(text: str) -> ProviderError:
    """Returns the error in the document that `text` has in it, perhaps as Python writes bytes."""
    found = _DOCUMENT.search(text)
    for candidate in () if found is None else (found[0], found[0].replace("\\'", "'").replace("\\\\", "\\")):
        error = find_error(decode(candidate))
        if error is not None:
            return error
    return ProviderError(None, None)


def _content_of(response: object) -> str:
    try:
        content = getattr(response, "content", None)
    except Exception:  # A response that has not been read.
        content = None
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _answered(exception: BaseException, error: ProviderError, status: int | None) -> Raised:
    return Raised("answer", error, status, None, qualified_name(type(exception)))
