# SPDX-License-Identifier: Apache-2.0
"""`classify`: an exception that a call of the `anthropic` SDK raised → what kind of failure it is. Public and pure.

It is for code that decides whether to send a request again, and where: the SDK raises an error that arrives in a
stream with `status_code` 200, so the status code cannot decide that. Neither the instrumentation nor OpenTelemetry
need to be set up. The module is not called `classify`, because a module of that name would hide the function.
"""

from __future__ import annotations

from .call.exceptions import read_exception
from .call.failures import Failure, classify_error
from .call.libraries import read_library_exception

__all__ = ["Failure", "classify"]


def classify(error: BaseException) -> Failure | None:
    """Returns what kind of failure `error` is, by the same tables as the instrumentation.

    Args:
        error: the exception that a call raised, before its stream or while the stream was read. Of any version of the
            SDK from 0.27; with the setting `correct_exceptions` on or off. Of LiteLLM, of botocore, and of the HTTP
            libraries too: of a LiteLLM exception for an error in a stream that names no type, the failure is `other`
            without a status, since LiteLLM gives each the status 500.

    Returns:
        The failure; of an exception group, the first failure in it. None when `error` is not the failure of a call: a
        cancellation, an interrupt, an exit, and what the application raised. The application raised what a signal
        handler did; what is of a class that is none of the SDK's, its HTTP client's, a decoder's and the network
        stack's, unless a transport below the HTTP client raised a class of its own package; and what is of a class
        that any code raises, such as `KeyError`, unless the SDK, its HTTP client or a transport below it did.

    Raises:
        TypeError: `error` is not an exception.
    """
    if not isinstance(error, BaseException):
        raise TypeError(f"classify() takes the exception that a call raised, not {type(error).__name__}")
    raised = read_library_exception(error) or read_exception(error)
    if raised.kind in ("cancelled", "left"):
        return None
    return classify_error(raised.error, raised.status, raised.should_retry)
