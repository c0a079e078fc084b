# SPDX-License-Identifier: Apache-2.0
"""The error types that providers document: the status code each would have had before the stream, and its kind.

Sources: the errors page of the Claude API documentation for `*_error` and `request_too_large`; the service model of
`bedrock-runtime` for the exceptions of AWS. Nothing here is guessed: a type without a documented status has none.
"""

from __future__ import annotations

from typing import Final

RETRYABLE: Final = frozenset({"overloaded", "rate_limited", "timeout", "server_error", "connection", "truncated"})
"""The failures that are worth a retry."""

CLIENT_TIMEOUT: Final = "client_timeout_error"
CONNECTION: Final = "connection_error"
TRUNCATED: Final = "stream_truncated"
MALFORMED: Final = "stream_malformed"
OTHER: Final = "_OTHER"

ERROR_TYPES: Final[dict[str, tuple[int | None, str]]] = {
    # The Claude API.
    "invalid_request_error": (400, "invalid_request"),
    "authentication_error": (401, "denied"),
    "billing_error": (402, "denied"),
    "permission_error": (403, "denied"),
    "not_found_error": (404, "invalid_request"),
    "conflict_error": (409, "invalid_request"),
    "request_too_large": (413, "invalid_request"),
    "rate_limit_error": (429, "rate_limited"),
    "api_error": (500, "server_error"),
    "timeout_error": (504, "timeout"),
    "overloaded_error": (529, "overloaded"),
    # Amazon Bedrock.
    "validationException": (400, "invalid_request"),
    "conflictException": (400, "invalid_request"),
    "serviceQuotaExceededException": (400, "rate_limited"),
    "accessDeniedException": (403, "denied"),
    "resourceNotFoundException": (404, "invalid_request"),
    "modelTimeoutException": (408, "timeout"),
    "modelStreamErrorException": (424, "server_error"),
    "modelErrorException": (424, "server_error"),
    "throttlingException": (429, "rate_limited"),
    "modelNotReadyException": (429, "overloaded"),
    "internalServerException": (500, "server_error"),
    "serviceUnavailableException": (503, "overloaded"),
    # What this package names itself, because nobody else does: no status is documented for these.
    CLIENT_TIMEOUT: (None, "timeout"),
    CONNECTION: (None, "connection"),
    TRUNCATED: (None, "truncated"),
    MALFORMED: (None, "malformed"),
}
"""`error.type` → the documented status code (none for a failure on our side), and `after200.failure`."""

FAILURE_BY_STATUS: Final[dict[int, str]] = {
    401: "denied",
    402: "denied",
    403: "denied",
    408: "timeout",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""The failure that a status code names by itself; any other 4xx is `invalid_request`, any other 5xx `server_error`."""

FAILURE_BY_SESSION_ERROR: Final[dict[str, str]] = {
    "model_overloaded_error": "overloaded",
    "model_rate_limited_error": "rate_limited",
}
"""The failures behind errors that a session of managed agents reports; no status is documented for these."""


def documented(error_type: str) -> tuple[int | None, str] | None:
    """The table's row for `error_type`. AWS writes its names with either case of the first letter."""
    return ERROR_TYPES.get(error_type) or ERROR_TYPES.get(error_type[:1].lower() + error_type[1:])


def failure_of(error_type: str, *statuses: int | None) -> str:
    """`after200.failure`: by the type, and where no table knows it, by the first status that says more."""
    row = documented(error_type)
    if row is not None:
        return row[1]
    for status in statuses:
        if status is not None and status >= 400:
            return FAILURE_BY_STATUS.get(status) or ("invalid_request" if status < 500 else "server_error")
    return FAILURE_BY_SESSION_ERROR.get(error_type, "other")
