# SPDX-License-Identifier: Apache-2.0
"""An exception → what it means for the call that it came out of (`Raised`): for the verdict, and for `classify`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..names import OTHER, errors
from .bodies import reader_for
from .errors import find_error, read_error, read_error_header, read_frame_error
from .exception_classes import known_type, package_of, qualified_name
from .facts import ProviderError
from .origins import origin_of

NO_ERROR: Final = ProviderError(None, None)


class Raised(NamedTuple):
    """What an exception means for its call."""

    kind: str
    """`answer`: it carries an answer of the provider; `failure`: the call failed otherwise; `cancelled`: the task was
    cancelled, or the exception came from the application; `left`: the process or a generator is being left."""

    error: ProviderError
    """The error of an answer, or our own name for what happened."""

    status: int | None
    """The status code of the answer, which is below 400 for an error inside a stream; None without an answer."""

    should_retry: bool | None
    """What the `x-should-retry` header of an answer with an HTTP error says."""

    class_name: str
    """The qualified name of the class, as the conventions write it."""


def read_exception(exception: BaseException) -> Raised:
    """Returns what `exception` means for the call that it came out of."""
    class_name = qualified_name(type(exception))
    if _is_group(exception):
        return _read_group(exception)._replace(class_name=class_name)
    if not isinstance(exception, Exception):
        kind = "left" if isinstance(exception, GeneratorExit) else "cancelled"
        return Raised(kind, NO_ERROR, None, None, class_name)
    status = _status_of(exception)
    is_of_the_sdk = package_of(type(exception)) == "anthropic"
    # `APIResponseValidationError` has a status code and a body as well, but what it says is in its class.
    if is_of_the_sdk and isinstance(status, int) and hasattr(exception, "body") and known_type(exception) is None:
        return _read_answer(exception, status, class_name)
    error = _error_in_invalid_body(exception) if is_of_the_sdk else _error_in_bedrock_frame(exception)
    if error is not None:
        should_retry = read_should_retry(headers_of(exception).get("x-should-retry")) if is_of_the_sdk else None
        return Raised("answer", error, status if isinstance(status, int) else 200, should_retry, class_name)
    cause = _wrapped_by_the_sdk(exception)
    origin = origin_of(cause or exception, wrapped=cause is not None)
    if origin == "application":
        return Raised("cancelled", NO_ERROR, None, None, class_name)
    error_type = _error_type_of(exception, cause)
    if origin == "transport" and error_type == OTHER:
        own_class = package_of(type(cause or exception)) != "builtins"
        error_type = errors.CONNECTION if own_class else OTHER
    if origin == "transport" and cause is not None:
        class_name = qualified_name(type(cause))
    return Raised("failure", ProviderError(error_type, None), None, None, class_name)


def _is_group(exception: BaseException) -> bool:
    return any(cls.__name__ == "BaseExceptionGroup" for cls in type(exception).__mro__)


def _read_group(group: BaseException) -> Raised:
    """Returns what the first failure in a group of exceptions means; what its first exception means if none is one."""
    all_raised = [read_exception(exception) for exception in getattr(group, "exceptions", ())]
    failures = [raised for raised in all_raised if raised.kind in ("answer", "failure")]
    return (failures or all_raised or [Raised("cancelled", NO_ERROR, None, None, "")])[0]


def _wrapped_by_the_sdk(exception: BaseException) -> BaseException | None:
    """Returns what came out of the HTTP client, of which the SDK made a connection error of its own."""
    is_wrapper = any(
        cls.__name__ == "APIConnectionError" and package_of(cls) == "anthropic" for cls in type(exception).__mro__
    )
    return exception.__cause__ if is_wrapper else None


def _read_answer(exception: Any, status: int, class_name: str) -> Raised:
    is_http_error = errors.is_http_error(status)
    headers = headers_of(exception)
    error = read_error(exception.body)
    if is_http_error and isinstance(exception.body, str):
        error = next(_errors_in_text(exception, headers), error)
    if error.type is None:
        error = error._replace(type=read_error_header(headers.get("x-amzn-errortype")))
    if error.type is None and is_http_error:
        error = error._replace(type=str(status))
    should_retry = read_should_retry(headers.get("x-should-retry")) if is_http_error else None
    return Raised("answer", error, status, should_retry, class_name)


def _errors_in_text(exception: Any, headers: Mapping[str, str]) -> Iterator[ProviderError]:
    """Yields the errors in the body of an HTTP error that is not JSON: it can be an event stream."""
    reader = reader_for(headers.get("content-type") or "", "message", stream=True)
    for facts in (*reader.feed(_content_of(exception)), *reader.finish()):
        if facts.error is not None:
            yield facts.error


def _content_of(exception: Any) -> bytes:
    """Returns the body that `exception` carries, in which a last event may lack the blank line that ends it."""
    try:
        content = exception.response.content
    except Exception:  # A response that has not been read.
        content = None
    return (content if isinstance(content, bytes) else exception.body.encode("utf-8", "replace")) + b"\n\n"


def _status_of(exception: BaseException) -> object:
    """Returns the status code on the status line: a corrected exception has another `status_code` than its response."""
    status = getattr(getattr(exception, "response", None), "status_code", None)
    return status if isinstance(status, int) else getattr(exception, "status_code", None)


def _error_in_invalid_body(exception: BaseException) -> ProviderError | None:
    """Returns the error in a whole body that a strict client of the SDK did not accept as a message."""
    return find_error(getattr(exception, "body", None))


_BEDROCK_FRAME: Final = "Bad response code, expected 200: "
"""How the `ValueError` begins that the SDK raised for an exception frame of Amazon Bedrock before 1.7."""


def _error_in_bedrock_frame(exception: BaseException) -> ProviderError | None:
    """Returns the error in a frame that the SDK wrote as a Python literal into the message of a `ValueError`."""
    message = str(exception.args[0]) if type(exception) is ValueError and exception.args else ""
    if not message.startswith(_BEDROCK_FRAME):
        return None
    try:
        frame = ast.literal_eval(message.removeprefix(_BEDROCK_FRAME))
        return read_frame_error(frame["headers"], json.loads(frame["body"] or "{}"))
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        return None


def headers_of(exception: object) -> Mapping[str, str]:
    """Returns the headers of the answer that `exception` carries; none where it carries none."""
    headers = getattr(getattr(exception, "response", None), "headers", None)
    return headers if headers is not None and hasattr(headers, "get") else {}


def read_should_retry(header: str | None) -> bool | None:
    """Returns what the `x-should-retry` header says: true, false, or None when it is absent or something else."""
    return {"true": True, "false": False}.get(header or "")


def error_type_of(exception: BaseException) -> str:
    """Returns `error.type` for an exception that carries no answer of the provider; `_OTHER` for an unknown one."""
    return _error_type_of(exception, _wrapped_by_the_sdk(exception))


def _error_type_of(exception: BaseException, cause: BaseException | None) -> str:
    # The SDK wraps whatever its HTTP client raises, a body that cannot be decoded included.
    by_cause = None if cause is None else known_type(cause)
    if by_cause in (errors.MALFORMED, errors.CLIENT_TIMEOUT):
        return by_cause
    return known_type(exception) or OTHER
