# SPDX-License-Identifier: Apache-2.0
"""What came back for the open request: a response, whose status and headers are read, or an exception."""

from __future__ import annotations

from ..call.exceptions import Raised, read_should_retry
from ..call.limits import clean_name
from ..call.rate_limits import read_rate_limits
from ..guard import guarded
from ..names import OTHER, errors
from .protocols import Response
from .running import Ending, RunningCall


@guarded
def answer(running: RunningCall, response: Response) -> None:
    """`response` answered the open attempt with a success, and its body is the answer to the call."""
    answer_attempt(running, response)
    call = running.call
    call.wire_status = response.status_code
    call.request_id = clean_name(response.headers.get("request-id"))
    if not call.stream:
        call.should_retry = read_should_retry(response.headers.get("x-should-retry"))


@guarded
def answer_attempt(running: RunningCall, response: Response) -> None:
    """`response` answered the open attempt. Its body says nothing of the call: the request may be sent again."""
    running.attempts.answer(response.status_code)
    record_rate_limits(running, response)


@guarded
def end_failed_request(running: RunningCall, raised: Raised, response: Response | None) -> None:
    """Ends the call, whose request raised, so that there is no body.

    Args:
        running: the call.
        raised: what was raised.
        response: the response with the HTTP error that it was raised for, if any.
    """
    if raised.status is not None and errors.is_http_error(raised.status):
        running.call.wire_status = raised.status
        running.attempts.answer(raised.status)
        if response is not None:
            running.call.request_id = clean_name(response.headers.get("request-id"))
            record_rate_limits(running, response)
    elif raised.kind == "failure" and raised.error.type != OTHER:
        running.attempts.lose(raised.error.type)
    elif raised.kind in ("cancelled", "left"):
        running.attempts.lose(None)
    running.end(Ending("raised", raised))


@guarded
def record_rate_limits(running: RunningCall, response: Response) -> None:
    """Records the rate limits that the headers of `response` state."""
    limits = read_rate_limits(response.headers.raw)
    if limits and running.recording is not None:
        running.recording.rate_limits(running.call, limits)
