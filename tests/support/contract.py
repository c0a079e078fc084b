# SPDX-License-Identifier: Apache-2.0
"""The tables of sections 2 and 3 of the contract, once for all tests: error types, codes, statuses, classes.

The package has its own in `after200.names.errors`, and the fault server plays its own. `tests/unit/test_vocabulary.py`
compares the three; every other test takes what it expects from here.
"""

from __future__ import annotations

CLAUDE_API = {
    "invalid_request_error": (400, "invalid_request"),
    "authentication_error": (401, "denied"),
    "billing_error": (402, "billing"),
    "permission_error": (403, "denied"),
    "not_found_error": (404, "invalid_request"),
    "conflict_error": (409, "invalid_request"),
    "request_too_large": (413, "invalid_request"),
    "rate_limit_error": (429, "rate_limited"),
    "api_error": (500, "server_error"),
    "timeout_error": (504, "timeout"),
    "overloaded_error": (529, "overloaded"),
}
BEDROCK = {
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
}
OWN = {
    "client_timeout_error": (None, "timeout"),
    "connection_error": (None, "connection"),
    "stream_truncated": (None, "truncated"),
    "stream_malformed": (None, "malformed"),
}
CODES = {
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
WORTH_A_RETRY = {
    "overloaded": True,
    "rate_limited": True,
    "billing": False,
    "timeout": True,
    "server_error": True,
    "connection": True,
    "truncated": True,
    "malformed": False,
    "denied": False,
    "invalid_request": False,
    "other": False,
}
STATUSES = {
    400: "invalid_request",
    401: "denied",
    402: "billing",
    403: "denied",
    404: "invalid_request",
    408: "timeout",
    409: "invalid_request",
    413: "invalid_request",
    418: "invalid_request",
    424: "invalid_request",
    429: "rate_limited",
    499: "invalid_request",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    520: "server_error",
    529: "overloaded",
    599: "server_error",
}
SDK_CLASSES: dict[str, tuple[str, ...]] = {
    "invalid_request_error": ("BadRequestError",),
    "authentication_error": ("AuthenticationError",),
    "billing_error": ("PaymentRequiredError", "APIStatusError"),
    "permission_error": ("PermissionDeniedError",),
    "not_found_error": ("NotFoundError",),
    "conflict_error": ("ConflictError",),
    "request_too_large": ("ContentTooLargeError", "RequestTooLargeError", "APIStatusError"),
    "rate_limit_error": ("RateLimitError",),
    "api_error": ("InternalServerError",),
    "timeout_error": ("GatewayTimeoutError", "DeadlineExceededError", "InternalServerError"),
    "overloaded_error": ("OverloadedError", "InternalServerError"),
}
"""Error type → its class in the SDK once it is corrected: the first of these that the installed version has."""
