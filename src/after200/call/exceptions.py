# SPDX-License-Identifier: Apache-2.0
"""An exception → what it means for the call that it came out of (`Raised`). Pure; used for verdicts and `classify`.

An exception is recognised by the name of its class and the package that the class comes from: the HTTP client behind
the SDK is `httpx` before 1.0 and `httpx2` after, and neither may be imported here.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..names import OTHER
from . import statuses
from .errors import find_error, read_error, read_error_header, read_frame_error
from .facts import ProviderError

_HTTP_CLIENTS: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "anyio", "aiohttp"})

_KNOWN: Final[dict[str, tuple[frozenset[str], str]]] = {
    "APITimeoutError": (frozenset({"anthropic"}), statuses.CLIENT_TIMEOUT),
    "TimeoutException": (_HTTP_CLIENTS, statuses.CLIENT_TIMEOUT),
    "TimeoutError": (frozenset({"builtins", "asyncio"}), statuses.CLIENT_TIMEOUT),
    "APIConnectionError": (frozenset({"anthropic"}), statuses.CONNECTION),
    "TransportError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "NetworkError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "ProtocolError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "ClientError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "ClosedResourceError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "BrokenResourceError": (_HTTP_CLIENTS, statuses.CONNECTION),
    "EndOfStream": (_HTTP_CLIENTS, statuses.CONNECTION),
    "OSError": (frozenset({"builtins"}), statuses.CONNECTION),
    "JSONDecodeError": (frozenset({"json"}), statuses.MALFORMED),
    "UnicodeDecodeError": (frozenset({"builtins"}), statuses.MALFORMED),
    "DecodingError": (_HTTP_CLIENTS, statuses.MALFORMED),
    "APIResponseValidationError": (frozenset({"anthropic"}), statuses.MALFORMED),
    "ValidationError": (frozenset({"pydantic", "pydantic_core"}), statuses.MALFORMED),
    "ParserError": (frozenset({"botocore"}), statuses.MALFORMED),
}
"""Name of an exception's class → the packages that it may come from, and the `error.type`."""

_BELOW_THE_APPLICATION: Final = _HTTP_CLIENTS | {
    # The SDK, and what it decodes with.
    "anthropic", "botocore", "pydantic", "pydantic_core", "json", "zlib", "gzip", "binascii", "brotli", "brotlicffi",
    "zstandard", "encodings", "codecs", "jiter",
    # The network stack, and what signs requests.
    "builtins", "asyncio", "concurrent", "socket", "_socket", "ssl", "_ssl", "select", "errno", "http", "email",
    "urllib", "urllib3", "socksio", "hpack", "hyperframe", "idna", "certifi", "sniffio", "trio", "outcome",
    "exceptiongroup", "uvloop", "httpx_aiohttp", "requests", "google", "boto3", "awscrt", "azure",
}  # fmt: skip
"""The packages whose exceptions the SDK, its HTTP client, a decoder or the network stack can raise."""

_CANCELLATIONS: Final = frozenset({"CancelledError", "Cancelled"})
"""The names that asyncio and trio give to the cancellation of a task."""


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
    if not isinstance(exception, Exception):
        is_cancelled = any(cls.__name__ in _CANCELLATIONS for cls in type(exception).__mro__)
        leaving = isinstance(exception, SystemExit | GeneratorExit)
        kind = "cancelled" if is_cancelled or not leaving else "left"
        return Raised(kind, ProviderError(None, None), None, None, class_name)
    status = _status_of(exception)
    is_of_the_sdk = _package(type(exception)) == "anthropic"
    # `APIResponseValidationError` has a status code and a body as well, but what it says is in its class.
    if is_of_the_sdk and isinstance(status, int) and hasattr(exception, "body") and _known_type(exception) is None:
        return _read_answer(exception, status, class_name)
    if is_of_the_application(exception):
        return Raised("cancelled", ProviderError(None, None), None, None, class_name)
    error = _error_in_invalid_body(exception) if is_of_the_sdk else _error_in_bedrock_frame(exception)
    if error is not None:
        should_retry = read_should_retry(headers_of(exception)) if is_of_the_sdk else None
        return Raised("answer", error, status if isinstance(status, int) else 200, should_retry, class_name)
    return Raised("failure", ProviderError(error_type_of(exception), None), None, None, class_name)


def _read_answer(exception: Any, status: int, class_name: str) -> Raised:
    error = read_error(exception.body)
    headers = headers_of(exception)
    if error.type is None:
        error = error._replace(type=read_error_header(headers.get("x-amzn-errortype")))
    if error.type is None and status >= 400:
        error = error._replace(type=str(status))
    return Raised("answer", error, status, read_should_retry(headers) if status >= 400 else None, class_name)


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


def read_should_retry(headers: Mapping[str, str]) -> bool | None:
    """Returns what the `x-should-retry` header says: true, false, or None when it is absent or something else."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry") or "")


def is_of_the_application(exception: BaseException) -> bool:
    """Returns whether only the application can have raised `exception`, or the exception that the SDK wrapped in it.

    A signal handler, a hook of the HTTP client or a middleware can raise anything in the middle of a read. A class of
    the application's own counts as the application's, whatever it extends.
    """
    if _package(type(exception)) not in _BELOW_THE_APPLICATION:
        return True
    cause = exception.__cause__
    return (
        cause is not None
        and _package(type(exception)) == "anthropic"
        and _package(type(cause)) not in _BELOW_THE_APPLICATION
    )


def error_type_of(exception: BaseException) -> str:
    """Returns `error.type` for an exception that carries no answer of the provider; `_OTHER` for an unknown one."""
    cause = exception.__cause__
    is_wrapper = cause is not None and type(exception).__name__ == "APIConnectionError"
    # The SDK wraps whatever its HTTP client raises, a body that cannot be decoded included.
    if is_wrapper and _known_type(cause) == statuses.MALFORMED:
        return statuses.MALFORMED
    return _known_type(exception) or OTHER


def _known_type(exception: BaseException | None) -> str | None:
    for cls in type(exception).__mro__:
        known = _KNOWN.get(cls.__name__)
        if known is not None and _package(cls) in known[0]:
            return known[1]
    return None


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def qualified_name(cls: type) -> str:
    """Returns the name of an exception's class as the conventions write it."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
