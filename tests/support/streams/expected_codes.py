# SPDX-License-Identifier: Apache-2.0
"""Error codes, `x-should-retry` and `retry-after`. Section 3 of the contract as a table."""

from __future__ import annotations

from dataclasses import replace

from .row import COMPLETED, HTTP_529, OVERLOADED, Row, event, http

_CODED = (
    (429, "enforced_spend_limit_reached", "rate_limit_error", "billing", False,
     "The monthly API usage threshold is reached."),
    (429, "contract_spend_limit_reached", "rate_limit_error", "billing", False,
     "The spend limit of the contract is reached."),
    (429, "ramp_limit_exceeded", "rate_limit_error", "rate_limited", True, "Usage grows faster than is allowed."),
    (400, "organization_on_hold", "invalid_request_error", "denied", False, "This organization has been disabled."),
    (402, "linked_organization_spend_limit_reached", "billing_error", "billing", False,
     "The linked organization has no credit."),
    (402, "linked_organization_billing_unavailable", "billing_error", "billing", False,
     "The linked organization cannot be billed."),
    (403, "user_profile_not_billable", "permission_error", "billing", False, "The user profile cannot be billed."),
    (403, "user_profile_billing_not_authorized", "permission_error", "billing", False,
     "The user profile may not be billed."),
    (400, "cmek_key_disabled", "invalid_request_error", "denied", False,
     "The encryption key of the workspace is disabled."),
    (503, "cmek_key_unreachable", "api_error", "server_error", True,
     "The encryption key of the workspace could not be reached."),
    (529, "compaction_unavailable", "overloaded_error", "server_error", True,
     "The compaction could not be completed."),
    (429, "quantum_flux_reached", "rate_limit_error", "rate_limited", True, "A code that no SDK knows."),
)  # fmt: skip

_STATUS_OF_TYPE = {"api_error": 500}
"""The corrected status in a stream, where the type's is not that of the code."""


def _rows() -> list[Row]:
    rows = []
    for status, code, error_type, failure, retryable, message in _CODED:
        refused = replace(http(status, error_type, failure, retryable, message), code=code)
        corrected = _STATUS_OF_TYPE.get(error_type, status)
        hidden = replace(event("mid_stream", error_type, failure, retryable, corrected, message), code=code)
        rows += [
            Row(f"http_{status}_{code}", refused, "nothing", refused),
            Row(f"{code}_mid_stream", hidden, "text", refused),
        ]
    return rows


_RATE_LIMITED = "This request would exceed your organization's rate limit."
_EMPTY = "messages: text content blocks must be non-empty"
_NO_RETRY = (
    (429, "rate_limit_error", "rate_limited", _RATE_LIMITED),
    (500, "api_error", "server_error", "Internal server error"),
    (529, "overloaded_error", "overloaded", "Overloaded"),
)
_HTTP_400 = http(400, "invalid_request_error", "invalid_request", True, _EMPTY)

CODES = (
    *_rows(),
    *(
        Row(f"http_{status}_no_retry", refused, "nothing", refused, retries=2)
        for status, error_type, failure, message in _NO_RETRY
        for refused in (http(status, error_type, failure, False, message),)
    ),
    Row("http_400_retry", _HTTP_400, "nothing", _HTTP_400, attempts=((400, "400"),) * 2, retries=2),
    Row("http_400_retry_then_completed", COMPLETED, "stop", COMPLETED, attempts=((400, "400"),), retries=2),
    Row(
        "http_429_retry_after_then_completed",
        COMPLETED,
        "stop",
        COMPLETED,
        attempts=((429, "429"),),
        retries=2,
    ),
    Row(
        "http_429_then_529_retry_after_then_completed",
        COMPLETED,
        "stop",
        COMPLETED,
        attempts=((429, "429"), (529, "529")),
        retries=2,
    ),
    # What the 200 of a stream says about retries was said before anything failed.
    Row("overloaded_mid_stream_no_retry", OVERLOADED, "text", HTTP_529),
)
