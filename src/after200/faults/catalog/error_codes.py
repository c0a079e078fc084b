# SPDX-License-Identifier: Apache-2.0
"""Errors that carry a code in `error.details.error_code`, and answers that say whether a retry makes sense.

Codes and statuses: `anthropic._error_classes.ERROR_CLASSES` of the SDK 2.14. Each code comes as an HTTP error, and as
an error event after some content; a request that does not stream gets the HTTP error then too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..scenarios import COMPLETED, WHOLE, Scenario, failing, scenario, sequence
from ..steps import Answer, Error
from ..wires import error_envelope
from .error_types import ANTHROPIC_ERRORS, TYPE_OF_STATUS
from .http_errors import SOON

TITLE = "Errors with a code, and x-should-retry"
ERROR_CODES: dict[str, tuple[int, str, str]] = {
    "enforced_spend_limit_reached": (429, "rate_limit_error", "The monthly API usage threshold is reached."),
    "contract_spend_limit_reached": (429, "rate_limit_error", "The spend limit of the contract is reached."),
    "ramp_limit_exceeded": (429, "rate_limit_error", "Usage grows faster than is allowed."),
    "organization_on_hold": (400, "invalid_request_error", "This organization has been disabled."),
    "linked_organization_spend_limit_reached": (402, "billing_error", "The linked organization has no credit."),
    "linked_organization_billing_unavailable": (402, "billing_error", "The linked organization cannot be billed."),
    "user_profile_not_billable": (403, "permission_error", "The user profile cannot be billed."),
    "user_profile_billing_not_authorized": (403, "permission_error", "The user profile may not be billed."),
    "cmek_key_disabled": (400, "invalid_request_error", "The encryption key of the workspace is disabled."),
    "cmek_key_unreachable": (503, "api_error", "The encryption key of the workspace could not be reached."),
    "compaction_unavailable": (529, "overloaded_error", "The compaction could not be completed."),
    "quantum_flux_reached": (429, "rate_limit_error", "A code that no SDK knows."),
}
"""Code → HTTP status, type, message. The last one stands for the codes that the next release of the SDK adds."""
_NO, _YES = {**SOON, "x-should-retry": "false"}, {**SOON, "x-should-retry": "true"}


def _coded(code: str) -> Iterator[Scenario]:
    status, error_type, message = ERROR_CODES[code]
    http = Answer(status, error_envelope(error_type, message, code), SOON, failure=error_type)
    yield scenario(f"http_{status}_{code}", f"HTTP {status}, {error_type} with the code {code}", (http,))
    description = f"{error_type} with the code {code} after some content"
    yield failing(f"{code}_mid_stream", description, Error(error_type, message, code), whole=http)


def _told(status: int, headers: dict[str, str]) -> Answer:
    error_type = TYPE_OF_STATUS[status]
    return Answer(status, error_envelope(error_type, ANTHROPIC_ERRORS[error_type][1]), headers, failure=error_type)


SCENARIOS: tuple[Scenario, ...] = (
    *(entry for code in ERROR_CODES for entry in _coded(code)),
    *(
        scenario(f"http_{status}_no_retry", f"HTTP {status} with x-should-retry: false", (_told(status, _NO),))
        for status in (429, 500, 529)
    ),
    scenario("http_400_retry", "HTTP 400 with x-should-retry: true, on every attempt", (_told(400, _YES),)),
    sequence(
        "http_400_retry_then_completed",
        "HTTP 400 with x-should-retry: true, then completed",
        scenario("", "", (_told(400, _YES),)),
        scenario("", "", COMPLETED, WHOLE),
    ),
)
