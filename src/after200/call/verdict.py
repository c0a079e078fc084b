# SPDX-License-Identifier: Apache-2.0
"""The facts of a call, and how the reading of its body ended → its `Verdict`. Sections 2 and 3 of the contract.

`judge` is pure: it changes nothing, and is asked once for each call.
"""

from __future__ import annotations

from typing import Final, Literal

from ..names import errors
from ..names.endings import NEEDS_END_EVENT
from .answers import answer_of
from .ended import Verdict
from .exceptions import Raised
from .facts import ProviderError
from .failures import classify_error
from .record import Call

BodyEnd = Literal["read", "rejected", "raised", "closed", "dropped"]
"""How the reading of a body ended. `read`: at its end; `rejected`: at its end, and the library then raised, because it
could not make a message of it; `raised`: by an exception; `closed`: by the application; `dropped`: by the application,
which did not close it. A call that ends before there is a body ends in the same ways."""

_DESCRIPTIONS: Final = {
    errors.CLIENT_TIMEOUT: "The client's timeout ran out.",
    errors.CONNECTION: "The connection was lost.",
    errors.TRUNCATED: "The stream ended before its end event.",
    errors.MALFORMED: "The body could not be decoded.",
}
_NO_ANSWER: Final = "The body is not an answer."


def judge(call: Call, end: BodyEnd, raised: Raised | None = None) -> Verdict:
    """Returns how `call` ended.

    Args:
        call: the facts.
        end: how the reading of its body ended.
        raised: the exception, with `end` = `raised` or `rejected`.
    """
    if end == "rejected" and raised is not None:
        return _judge_rejected(call, raised)
    if raised is not None and raised.kind == "cancelled":
        return Verdict("cancelled")
    if raised is not None and raised.kind == "left":  # As it is when the application closes the stream there.
        end, raised = "closed", None
    if call.error is not None or _is_http_error(call):
        return failed(call, _error_of(call), raised)
    if raised is not None:
        return failed(call, raised.error, raised)
    if call.is_malformed:
        return failed(call, ProviderError(errors.MALFORMED, _NO_ANSWER))
    if call.progress.stopped_at is not None:
        return completed(call)
    if end == "read":
        return _judge_clean_end(call)
    if call.message.stop_reason is not None:  # The application has the whole answer, and did not wait for its end.
        return completed(call)
    return Verdict("closed" if end == "closed" else "abandoned")


def _is_http_error(call: Call) -> bool:
    """Returns whether the status of an answer says that the call failed, whether or not anybody reads its body."""
    return call.client is not None and errors.is_http_error(call.wire_status)


def _error_of(call: Call) -> ProviderError:
    """Returns the error that ended `call`: what the body names, else what the headers name."""
    error = call.error or ProviderError(None, None)
    return error if error.type is not None else error._replace(type=call.error_in_headers)


def _judge_clean_end(call: Call) -> Verdict:
    """Returns the verdict on a body that was read to its end without an error and without an end event."""
    if call.was_cut:
        return truncated(call)
    if call.is_answer or call.end_rule == "open":
        return completed(call)
    if call.end_rule in NEEDS_END_EVENT and (call.stream or call.events):
        return truncated(call)
    return failed(call, ProviderError(errors.MALFORMED, _NO_ANSWER))


def _judge_rejected(call: Call, raised: Raised) -> Verdict:
    """Returns the verdict on a whole body that came with a success, and for which the library raised."""
    # An SDK that is asked to be strict raises this class for a response that is JSON and no message.
    is_invalid = raised.class_name.rpartition(".")[2] == "APIResponseValidationError"
    if call.is_answer and call.error is None and not is_invalid:
        # A message, whose text is not what the application asked `parse` to make of it.
        return completed(call)
    if call.error is not None or raised.error.type == errors.MALFORMED:
        return failed(call, call.error or ProviderError(errors.MALFORMED, None), raised)
    # The SDK decoded the body and then stumbled over what it is: text, or events where a message should be.
    verdict = judge(call, "read")
    return verdict if verdict.error_type is None else verdict._replace(exception_type=raised.class_name)


def completed(call: Call) -> Verdict:
    """Returns the verdict on a call whose provider finished an answer."""
    return Verdict("completed", answer_of(call) if call.operation == "chat" else None)


def truncated(call: Call) -> Verdict:
    """Returns the verdict on a call whose stream ended before its end event."""
    return failed(call, ProviderError(errors.TRUNCATED, None))._replace(outcome="truncated")


def failed(call: Call, error: ProviderError, raised: Raised | None = None) -> Verdict:
    """Returns the verdict on a call that `error` ended, which reached the application as `raised`."""
    wire = raised.status if raised is not None and errors.is_http_error(raised.status) else call.wire_status
    should_retry = call.should_retry if raised is None or raised.should_retry is None else raised.should_retry
    found = classify_error(error, wire, should_retry)
    is_http_error = errors.is_http_error(wire)
    in_place_of_a_body = wire is None or is_http_error
    return Verdict(
        outcome="failed",
        phase="request" if in_place_of_a_body else "mid_stream" if call.progress.chunks else "first_chunk",
        error_type=found.error_type,
        error_code=found.error_code,
        failure=found.failure,
        retryable=found.retryable,
        status=found.status,
        message=error.message or _DESCRIPTIONS.get(found.error_type) or (f"HTTP {wire}" if is_http_error else None),
        exception_type=None if raised is None else raised.class_name,
    )
