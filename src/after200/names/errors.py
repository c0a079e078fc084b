# SPDX-License-Identifier: Apache-2.0
"""Every error type, error code and status code that providers document, with its status, its failure and its retry.

The verdicts, `classify`, corrected exceptions, the colours of the dashboards, the lists in alerts and runbooks and the
tables of the documentation are read from here. To add an error type is to add a row.

Sources: the errors page of the Claude API documentation for `*_error` and `request_too_large`; the service model of
`bedrock-runtime` for the exceptions of AWS; `anthropic._error_classes` (anthropic 2.14) for the error codes. Nothing
here is guessed: a type without a documented status has none.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .values import Failure

RETRYABLE: Final[frozenset[Failure]] = frozenset(
    {"overloaded", "rate_limited", "timeout", "server_error", "connection", "truncated"}
)
"""The failures that are worth a retry."""

CALLER_FAULTS: Final[tuple[Failure, ...]] = ("invalid_request", "denied", "billing")
"""The failures that no provider can be blamed for: they do not burn an error budget."""

CLIENT_TIMEOUT: Final = "client_timeout_error"
CONNECTION: Final = "connection_error"
TRUNCATED: Final = "stream_truncated"
MALFORMED: Final = "stream_malformed"


class Documented(NamedTuple):
    """What is documented of an error type."""

    status: int | None
    """The status code of the same error before a stream; None for a failure on our side."""

    failure: Failure
    """`after200.failure`."""


OF_THE_API: Final[dict[str, Documented]] = {
    "invalid_request_error": Documented(400, "invalid_request"),
    "authentication_error": Documented(401, "denied"),
    "billing_error": Documented(402, "billing"),
    "permission_error": Documented(403, "denied"),
    "not_found_error": Documented(404, "invalid_request"),
    "conflict_error": Documented(409, "invalid_request"),
    "request_too_large": Documented(413, "invalid_request"),
    "rate_limit_error": Documented(429, "rate_limited"),
    "api_error": Documented(500, "server_error"),
    "timeout_error": Documented(504, "timeout"),
    "overloaded_error": Documented(529, "overloaded"),
}
"""The error types of the Claude API."""

OF_BEDROCK: Final[dict[str, Documented]] = {
    "validationException": Documented(400, "invalid_request"),
    "conflictException": Documented(400, "invalid_request"),
    "serviceQuotaExceededException": Documented(400, "rate_limited"),
    "accessDeniedException": Documented(403, "denied"),
    "resourceNotFoundException": Documented(404, "invalid_request"),
    "modelTimeoutException": Documented(408, "timeout"),
    "modelStreamErrorException": Documented(424, "server_error"),
    "modelErrorException": Documented(424, "server_error"),
    "throttlingException": Documented(429, "rate_limited"),
    "modelNotReadyException": Documented(429, "overloaded"),
    "internalServerException": Documented(500, "server_error"),
    "serviceUnavailableException": Documented(503, "overloaded"),
}
"""The exceptions of Amazon Bedrock. AWS writes each with either case of its first letter."""

OF_OURS: Final[dict[str, Documented]] = {
    CLIENT_TIMEOUT: Documented(None, "timeout"),
    CONNECTION: Documented(None, "connection"),
    TRUNCATED: Documented(None, "truncated"),
    MALFORMED: Documented(None, "malformed"),
}
"""What this package names itself, because nobody else does: no status is documented for these."""

ERROR_TYPES: Final[dict[str, Documented]] = {**OF_THE_API, **OF_BEDROCK, **OF_OURS}
"""Every documented `error.type`."""

WATCHED: Final = ("overloaded_error", "api_error", "rate_limit_error")
"""The hidden failures that alerts watch. A counter has them at zero before the first: `rate()` misses one born at 1."""

WATCHED_ON_STREAMS: Final = (TRUNCATED, CONNECTION)
"""The same, of streams only."""

WATCHED_ON_BEDROCK_STREAMS: Final = (
    "throttlingException",
    "internalServerException",
    "serviceUnavailableException",
)
"""The same, of streams of Amazon Bedrock only."""

SDK_CLASSES: Final[dict[int, tuple[str, ...]]] = {
    400: ("BadRequestError",),
    401: ("AuthenticationError",),
    402: ("PaymentRequiredError",),
    403: ("PermissionDeniedError",),
    404: ("NotFoundError",),
    408: ("RequestTimeoutError",),
    409: ("ConflictError",),
    413: ("ContentTooLargeError", "RequestTooLargeError"),
    429: ("RateLimitError",),
    500: ("InternalServerError",),
    503: ("ServiceUnavailableError", "InternalServerError"),
    504: ("GatewayTimeoutError", "DeadlineExceededError", "InternalServerError"),
    529: ("OverloadedError", "InternalServerError"),
}
"""A status code → the classes that versions of the SDK have for it, the nearest first. Any other: `APIStatusError`."""

FAILURE_BY_STATUS: Final[dict[int, Failure]] = {
    401: "denied",
    402: "billing",
    403: "denied",
    408: "timeout",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""The failure that a status code names by itself; any other 4xx is `invalid_request`, any other 5xx `server_error`."""

STATUSES: Final[dict[int, Failure]] = dict(
    sorted(
        {
            **{row.status: row.failure for row in reversed(ERROR_TYPES.values()) if row.status is not None},
            **FAILURE_BY_STATUS,
            502: "server_error",
        }.items()
    )
)
"""Every status code that some error type has, or that names a failure by itself, and 502, which gateways answer → the
failure: that of the status itself, else that of the first type with it."""

FAILURE_BY_SESSION_ERROR: Final[dict[str, Failure]] = {
    "model_overloaded_error": "overloaded",
    "model_rate_limited_error": "rate_limited",
}
"""The failures behind errors that a session of managed agents reports; no status is documented for these."""


FAILURE_BY_CODE: Final[dict[str, Failure]] = {
    "ramp_limit_exceeded": "rate_limited",
    "contract_spend_limit_reached": "billing",
    "enforced_spend_limit_reached": "billing",
    "linked_organization_spend_limit_reached": "billing",
    "linked_organization_billing_unavailable": "billing",
    "user_profile_not_billable": "billing",
    "user_profile_billing_not_authorized": "billing",
    "compaction_unavailable": "server_error",
    "cmek_key_unreachable": "server_error",
    "cmek_context_unavailable": "server_error",
    "change_outcome_unknown": "server_error",
    "organization_on_hold": "denied",
    "cmek_key_disabled": "denied",
    "cmek_key_network_blocked": "denied",
    "cmek_not_approved": "denied",
}
"""`error.details.error_code` → the failure, for the codes that say more than the type and the status."""

OTHER_CODES: Final = frozenset(
    {
        "available_tools_limit_exceeded",
        "compaction_block_ambiguous",
        "compaction_block_misplaced",
        "compaction_content_mismatch",
        "compaction_incomplete_turn",
        "compaction_nothing_to_summarize",
        "compaction_signature_invalid",
        "compaction_too_many_tool_references",
        "compaction_tool_changes_mismatch",
        "image_dimensions_too_large",
        "request_body_too_large_after_decoding",
        "thread_already_continued",
        "thread_continue_in_flight",
        "thread_fingerprint_mismatch",
        "thread_not_found",
        "thread_unsupported_request",
        "tool_name_conflict",
        "tool_reference_unresolved",
        "user_profile_not_found",
        "user_profile_required",
    }
)
"""The other codes that the Messages API documents. New codes come with most releases of the SDK: each is recorded."""


def documented(error_type: str) -> Documented | None:
    """Returns the table's row for `error_type`. AWS writes its names with either case of the first letter."""
    return ERROR_TYPES.get(error_type) or ERROR_TYPES.get(error_type[:1].lower() + error_type[1:])


def is_documented_code(code: str) -> bool:
    """Returns whether `code` is one of the documented error codes, which no bound applies to."""
    return code in FAILURE_BY_CODE or code in OTHER_CODES


def is_http_error(status: int | None) -> bool:
    """Returns whether the SDK raises for an answer of this status: a redirect that nobody follows is an error too."""
    return status is not None and status >= 300


def failure_of_status(status: int) -> Failure | None:
    """Returns the failure that a status code means by itself; None below 300."""
    if not is_http_error(status):
        return None
    by_class: Failure = "other" if status < 400 else "invalid_request" if status < 500 else "server_error"
    return FAILURE_BY_STATUS.get(status) or by_class


def failure_of(
    error_type: str, *statuses: int | None, code: str | None = None, original_status: int | None = None
) -> Failure:
    """Returns `after200.failure`: by the code, then the type, then the first of `statuses` that is an error.

    `original_status` is what the model behind Amazon Bedrock answered; 529 and 503 say that it was overloaded.
    """
    if code is not None and code in FAILURE_BY_CODE:
        return FAILURE_BY_CODE[code]
    if original_status is not None and FAILURE_BY_STATUS.get(original_status) == "overloaded":
        return "overloaded"
    row = documented(error_type)
    if row is not None:
        return row[1]
    for status in statuses:
        if status is not None and (by_status := failure_of_status(status)) is not None:
            return by_status
    return FAILURE_BY_SESSION_ERROR.get(error_type, "other")
