# SPDX-License-Identifier: Apache-2.0
"""An error and the status it came with → `Failure`, by the tables of `names/errors.py`. Section 3 of the contract.

Both the verdict on a recorded call and the public function `classify` use it, so that they cannot disagree. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from .. import names
from ..names import errors
from .facts import ProviderError


class Failure(NamedTuple):
    """What kind of failure ended a call, and whether a retry can help."""

    failure: names.Failure
    """`after200.failure`: one name for each kind of failure, whatever the provider and whether it came before the
    stream or in it. The allowed values are those of `after200.names.FAILURES`."""

    error_type: str
    """`error.type`: as the provider named it; the package's own name where the provider named nothing
    (`client_timeout_error`, `connection_error`, `stream_truncated`, `stream_malformed`); the status code as a string
    for an HTTP error without a type; else `_OTHER`."""

    error_code: str | None
    """The provider's `error.details.error_code`; None where the error has none."""

    status: int | None
    """The corrected HTTP status code: the wire status of an HTTP error, else the status that the provider documents
    for the error type. None where no status is documented, as for a lost connection. Never 200."""

    retryable: bool
    """Whether the same request can succeed when it is sent again. What the provider's `x-should-retry` header says
    comes before the table of failures."""


def classify_error(error: ProviderError, wire_status: int | None, should_retry: bool | None) -> Failure:
    """Returns the failure that `error` is.

    Args:
        error: the provider's error, or the package's own name for what happened.
        wire_status: the status code on the status line; None without a response.
        should_retry: what the `x-should-retry` header of the failing answer says; None where it says nothing.
    """
    is_http_error = errors.is_http_error(wire_status)
    error_type = error.type or (str(wire_status) if is_http_error else names.OTHER)
    status = wire_status
    if not is_http_error and wire_status is not None:
        row = errors.documented(error_type)
        status = None if row is None else row[0]
    failure = errors.failure_of(error_type, status, code=error.code, original_status=error.original_status)
    return Failure(
        failure=failure,
        error_type=error_type,
        error_code=error.code,
        status=status,
        retryable=failure in errors.RETRYABLE if should_retry is None else should_retry,
    )
