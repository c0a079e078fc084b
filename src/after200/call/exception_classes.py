# SPDX-License-Identifier: Apache-2.0
"""The classes of exceptions that come out of a call, by name and package: what each means, and whose it is.

Classes are known by name because the HTTP client behind the SDK is `httpx` before 1.0 and `httpx2` after, and neither
may be imported here.
"""

from __future__ import annotations

from typing import Final

from ..names import errors

HTTP_CLIENTS: Final = frozenset(
    {"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "anyio", "aiohttp", "requests", "urllib3", "botocore"}
)

_KNOWN: Final[dict[str, tuple[frozenset[str], str]]] = {
    "APITimeoutError": (frozenset({"anthropic"}), errors.CLIENT_TIMEOUT),
    "TimeoutException": (HTTP_CLIENTS, errors.CLIENT_TIMEOUT),
    "TimeoutError": (frozenset({"builtins", "asyncio", "urllib3"}), errors.CLIENT_TIMEOUT),
    "Timeout": (frozenset({"requests"}), errors.CLIENT_TIMEOUT),
    "ServerTimeoutError": (frozenset({"aiohttp"}), errors.CLIENT_TIMEOUT),
    "ConnectTimeoutError": (frozenset({"botocore"}), errors.CLIENT_TIMEOUT),
    "ReadTimeoutError": (frozenset({"botocore"}), errors.CLIENT_TIMEOUT),
    # The two that extend classes of lost connections.
    "ContentDecodingError": (frozenset({"requests"}), errors.MALFORMED),
    "DecodeError": (frozenset({"urllib3"}), errors.MALFORMED),
    "APIConnectionError": (frozenset({"anthropic"}), errors.CONNECTION),
    "TransportError": (HTTP_CLIENTS, errors.CONNECTION),
    "NetworkError": (HTTP_CLIENTS, errors.CONNECTION),
    "ProtocolError": (HTTP_CLIENTS, errors.CONNECTION),
    "ClientError": (frozenset({"aiohttp"}), errors.CONNECTION),
    "HTTPError": (frozenset({"urllib3"}), errors.CONNECTION),
    "RequestException": (frozenset({"requests"}), errors.CONNECTION),
    "HTTPClientError": (frozenset({"botocore"}), errors.CONNECTION),
    "IncompleteReadError": (frozenset({"botocore", "asyncio"}), errors.CONNECTION),
    "ClosedResourceError": (HTTP_CLIENTS, errors.CONNECTION),
    "BrokenResourceError": (HTTP_CLIENTS, errors.CONNECTION),
    "EndOfStream": (HTTP_CLIENTS, errors.CONNECTION),
    "OSError": (frozenset({"builtins"}), errors.CONNECTION),
    "EOFError": (frozenset({"builtins"}), errors.CONNECTION),
    "JSONDecodeError": (frozenset({"json"}), errors.MALFORMED),
    "UnicodeDecodeError": (frozenset({"builtins"}), errors.MALFORMED),
    "DecodingError": (HTTP_CLIENTS, errors.MALFORMED),
    "APIResponseValidationError": (frozenset({"anthropic"}), errors.MALFORMED),
    "ValidationError": (frozenset({"pydantic", "pydantic_core"}), errors.MALFORMED),
    "ParserError": (frozenset({"botocore"}), errors.MALFORMED),
}
"""Name of an exception's class → the packages that it may come from, and the `error.type`."""

OF_ANY_CODE: Final = frozenset(
    {"builtins", "json", "pydantic", "pydantic_core", "zlib", "gzip", "binascii", "encodings", "codecs", "jiter"}
)
"""The packages whose exceptions the SDK and its decoders raise, and any other code of the application as well."""

OF_THE_NETWORK: Final = HTTP_CLIENTS | {
    # The SDK, and what it decodes with.
    "anthropic", "brotli", "brotlicffi", "zstandard",
    # The network stack, and what signs requests.
    "asyncio", "concurrent", "socket", "_socket", "ssl", "_ssl", "select", "errno", "http", "email",
    "urllib", "socksio", "hpack", "hyperframe", "idna", "certifi", "sniffio", "trio", "outcome",
    "exceptiongroup", "uvloop", "httpx_aiohttp", "google", "boto3", "awscrt", "azure",
}  # fmt: skip
"""The packages whose exceptions are those of a call, whoever raised them."""


_WRAPPERS: Final = frozenset({("requests", "ConnectionError"), ("aiohttp", "ClientPayloadError")})
"""The classes in which an HTTP client wraps exceptions of several kinds."""

_UNDECODABLE_AT_AIOHTTP: Final = "ContentEncodingError"
"""What aiohttp raises for a body that it cannot decode: a kind of error of the HTTP protocol."""

_UNDECODABLE_IN_WORDS: Final = "Can not decode content-encoding"
"""What aiohttp 3.9 says of it, which keeps the message of that exception and not the exception."""


def known_type(exception: BaseException | None) -> str | None:
    """Returns `error.type` for an exception of a known class, or of one that extends it; None for any other."""
    if exception is not None and (package_of(type(exception)), type(exception).__name__) in _WRAPPERS:
        wrapped = exception.__cause__ or next((found for found in exception.args if isinstance(found, Exception)), None)
        if type(wrapped).__name__ == _UNDECODABLE_AT_AIOHTTP or _UNDECODABLE_IN_WORDS in str(exception):
            return errors.MALFORMED
        inner = known_type(wrapped)
        if inner is not None:
            return inner
    for cls in type(exception).__mro__:
        known = _KNOWN.get(cls.__name__)
        if known is not None and package_of(cls) in known[0]:
            return known[1]
    return None


def package_of(cls: type) -> str:
    """Returns the top-level package of a class."""
    return cls.__module__.partition(".")[0]


def qualified_name(cls: type) -> str:
    """Returns the name of an exception's class as the conventions write it."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
