# SPDX-License-Identifier: Apache-2.0
"""An error payload or an exception → outcome, phase, `error.type`, failure and status: section 3 of the contract.

Exceptions are recognised by the name of their class and the package it comes from, since the HTTP client behind the
SDK is `httpx` before 1.0 and `httpx2` after, and neither may be imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from . import statuses
from .limits import DistinctNames, looks_like_a_type, text
from .record import Call, ProviderError, Verdict

How = Literal["read", "raised", "closed", "dropped"]
"""How the reading of a body ended: at its end, by an exception, closed by the application, or dropped by it."""

MAX_UNKNOWN_TYPES: Final = 50

_HTTP_CLIENTS: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "anyio", "aiohttp"})

_EXCEPTIONS: Final[dict[str, tuple[frozenset[str], str]]] = {
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

_CANCELLED: Final = frozenset({"CancelledError", "Cancelled"})
"""How asyncio and trio name the cancellation of a task."""

_DESCRIPTIONS: Final = {
    statuses.CLIENT_TIMEOUT: "The client's timeout ran out.",
    statuses.CONNECTION: "The connection was lost.",
    statuses.TRUNCATED: "The stream ended before its end event.",
    statuses.MALFORMED: "The body could not be decoded.",
}

_unknown_types = DistinctNames(MAX_UNKNOWN_TYPES)


# --- what the provider said ---


def read_error(body: object) -> ProviderError:
    """The error in `body`, a decoded payload of any shape that a provider sends one in."""
    if not isinstance(body, Mapping):
        # What a proxy answers in HTML is a page for people, not a message.
        return ProviderError(None, None if str(body).lstrip().startswith("<") else text(body))
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return ProviderError(_type(inner.get("type")), text(inner.get("message")))
    own = body.get("type") if body.get("type") != "error" else None
    message = body.get("message") or body.get("Message") or inner
    return ProviderError(_type(own) or _type(_shape_name(body.get("__type"))), text(message))


def read_error_header(value: object) -> str | None:
    """The error type in the `x-amzn-errortype` header of an answer from AWS."""
    return _type(_shape_name(value.partition(":")[0])) if isinstance(value, str) else None


def _shape_name(value: object) -> object:
    # AWS may put the namespace of a shape before its name: `com.amazon.coral.service#ThrottlingException`.
    return value.rpartition("#")[2].strip() if isinstance(value, str) else None


def _type(value: object) -> str | None:
    return value if looks_like_a_type(value) else None  # type: ignore[return-value]


# --- what it comes to ---


def judge(call: Call, how: How, exception: BaseException | None = None) -> Verdict:
    """How `call` ended, whose body's reading ended as `how` says. Read section 2 of the contract beside this."""
    if exception is not None and not isinstance(exception, Exception):
        return Verdict("cancelled" if is_cancellation(exception) else "closed")
    if call.error is not None:
        return failed(call, call.error, exception=exception)
    if exception is not None:
        return judge_exception(call, exception)
    if call.stopped_at is not None:
        return Verdict("completed")
    if how == "read":
        if call.cut_short or call.end_rule in NEEDS_END_EVENT:
            error = ProviderError(statuses.TRUNCATED, None)
            return failed(call, error, outcome="truncated")
        return Verdict("completed")
    return Verdict("closed" if how == "closed" else "abandoned")


NEEDS_END_EVENT: Final = frozenset({"message", "completion"})
"""The rules under which a body that just ends was cut short."""


def judge_exception(call: Call, exception: BaseException) -> Verdict:
    """The failure that `exception` means for `call`, raised before the stream or out of it."""
    status = getattr(exception, "status_code", None)
    if isinstance(status, int) and hasattr(exception, "body"):
        return judge_status_error(call, exception, status)
    error_type = exception_type(exception)
    return failed(call, ProviderError(error_type, None), exception=exception)


def judge_status_error(call: Call, exception: Any, status: int) -> Verdict:
    """The failure in an `APIStatusError`: an HTTP error, or an `error` event, which has the status of its stream."""
    error = read_error(exception.body)
    if error.type is None:
        headers = getattr(getattr(exception, "response", None), "headers", None) or {}
        error = error._replace(type=read_error_header(headers.get("x-amzn-errortype")))
    if status >= 400:
        call.wire_status = status
        if error.type is None:
            error = error._replace(type=str(status))
    return failed(call, error, exception=exception, request=status >= 400)


def failed(
    call: Call,
    error: ProviderError,
    *,
    outcome: str = "failed",
    exception: BaseException | None = None,
    request: bool = False,
) -> Verdict:
    """The verdict on a call that `error` ended. `request` says that it came in place of a stream."""
    error_type = admit_type(error.type)
    wire = call.wire_status
    status = wire
    if wire is not None and wire < 400:
        row = statuses.documented(error_type)
        status = row[0] if row is not None else None
    phase = "request" if request or wire is None else "mid_stream" if call.chunks else "first_chunk"
    return Verdict(
        outcome=outcome,
        phase=phase,
        error_type=error_type,
        failure=failure_of(error_type, status, error.original_status),
        status=status,
        message=error.message or _DESCRIPTIONS.get(error_type) or (f"HTTP {wire}" if request else None),
        exception_type=None if exception is None else qualified_name(type(exception)),
    )


def failure_of(error_type: str, status: int | None, original_status: int | None) -> str:
    """`after200.failure`: a frame of Bedrock's may say what the model itself answered, and that it was overloaded."""
    if original_status is not None and statuses.FAILURE_BY_STATUS.get(original_status) == "overloaded":
        return "overloaded"
    return statuses.failure_of(error_type, status, original_status)


def admit_type(error_type: str | None) -> str:
    """`error.type` for what a server named: as it came, unless it named nothing, or too many other things before."""
    if error_type is None:
        return statuses.OTHER
    if statuses.documented(error_type) is not None or _is_status(error_type):
        return error_type
    return _unknown_types.admit(error_type)


def _is_status(error_type: str) -> bool:
    return len(error_type) == 3 and error_type.isdigit() and error_type >= "400"


def exception_type(exception: BaseException) -> str:
    """`error.type` for an exception that carries no answer of the provider."""
    for cls in type(exception).__mro__:
        known = _EXCEPTIONS.get(cls.__name__)
        if known is not None and cls.__module__.partition(".")[0] in known[0]:
            return known[1]
    return statuses.OTHER


def is_cancellation(exception: BaseException) -> bool:
    """Whether `exception` is the cancellation of the task that it surfaces in."""
    return any(cls.__name__ in _CANCELLED for cls in type(exception).__mro__)


def qualified_name(cls: type) -> str:
    """The name of an exception's class as the conventions write it."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
