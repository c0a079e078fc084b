# SPDX-License-Identifier: Apache-2.0
"""The errors the providers document: type, HTTP status, the message the server sends with it.

Written down here a second time, apart from the package's own table of statuses, on purpose: the server is what the
package is tested against. Sources: the Claude API's errors page; the `bedrock-runtime` service model.
"""

from __future__ import annotations

ANTHROPIC_ERRORS: dict[str, tuple[int, str]] = {
    "invalid_request_error": (400, "messages: text content blocks must be non-empty"),
    "authentication_error": (401, "invalid x-api-key"),
    "billing_error": (402, "Your credit balance is too low to access the Anthropic API."),
    "permission_error": (403, "Your API key does not have permission to use the specified resource."),
    "not_found_error": (404, "model: claude-nowhere"),
    "conflict_error": (409, "The resource was changed by another request."),
    "request_too_large": (413, "Request exceeds the maximum size"),
    "rate_limit_error": (429, "This request would exceed your organization's rate limit."),
    "api_error": (500, "Internal server error"),
    "timeout_error": (504, "Request timed out"),
    "overloaded_error": (529, "Overloaded"),
}

TYPE_OF_STATUS: dict[int, str] = {
    **{status: name for name, (status, _) in ANTHROPIC_ERRORS.items()},
    408: "timeout_error",
    502: "api_error",
    503: "overloaded_error",
}
"""The type that the JSON body of an HTTP error names."""

BEDROCK_EXCEPTIONS: dict[str, tuple[int, str]] = {
    "validationException": (400, "The provided request is not valid."),
    "conflictException": (400, "The resource is being changed."),
    "serviceQuotaExceededException": (400, "Your request exceeds the service quota for your account."),
    "accessDeniedException": (403, "You don't have access to the model with the specified model ID."),
    "resourceNotFoundException": (404, "The specified resource ARN was not found."),
    "modelTimeoutException": (408, "The request took too long to process."),
    "modelStreamErrorException": (424, "An error occurred while streaming the response."),
    "modelErrorException": (424, "The request failed due to an error while processing the model."),
    "throttlingException": (429, "Too many requests, please wait before trying again."),
    "modelNotReadyException": (429, "The model is not ready to serve inference requests."),
    "internalServerException": (500, "An internal server error occurred. Retry your request."),
    "serviceUnavailableException": (503, "Bedrock is unable to process your request."),
}
