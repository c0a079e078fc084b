# SPDX-License-Identifier: Apache-2.0
"""The span of the SDK's own tracing (1.14 and later), completed while it still records.

The SDK ends its span before any of our generators learns of the end, so its own end of the body is a sign of ours: the
call is judged first, what it came to is written on the span, and what the SDK then says of the same things (status
code 200, `api_error` for a stream cut short, OK for an error that went by as lines) does not overwrite it.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from ..call.record import Call
from ..guard import guarded
from .bodies import is_dropped
from .current import current_call
from .endings import drop, finish
from .requests import answered, find_response, refused

HTTP_STATUS: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"


# --- the wrappers, each with the signature that wrapt asks for ---


def start_span(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `start_api_call_span(tracer, base_url, options, ...)`: whether the SDK makes a span is known here."""
    span = wrapped(*args, **kwargs)
    call = current_call.get()
    if call is None:
        return span
    return adopt(call, span, *args[:3]) or span


def finish_span(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `finish_api_call_span(client, span, result)`: the call failed, or has its answer."""
    call = current_call.get()
    if call is not None and call.adopted and len(args) == 3:
        client, span, result = args
        finish_request(call, result)
        return wrapped(client, SharedSpan(span, call), result)
    return wrapped(*args, **kwargs)


def end_body(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `FirstEnd.end(how, error)`: the body of a response ends, and the span with it."""
    if not getattr(instance, "_ended", True):
        finish_body(instance, *args, **kwargs)
    return wrapped(*args, **kwargs)


# --- what they do ---


@guarded
def adopt(call: Call, span: Any, tracer: Any, base_url: Any, options: Any) -> Any:
    """`span` is the SDK's for `call`, or `None`. The span that the SDK is to go on with."""
    # A request that no method of the SDK made has no name for a span, and its tracer is not asked for one.
    return call.signals.sdk_span(call, span, tracer if options.span_name else None)


@guarded
def finish_request(call: Call, result: Any) -> None:
    """Ends `call` before the SDK ends its span, unless there is a body that is yet to be read."""
    if result.error is not None:
        refused(call, result.error)
    elif not has_open_body(call, result.data):
        answered(call, result.data)


def has_open_body(call: Call, data: Any) -> bool:
    """Whether what a request returns has a body that the application has yet to read."""
    response = find_response(data)
    return response is not None and (call.stream or not response.is_closed)


@guarded
def finish_body(first_end: Any, how: str, error: BaseException | None = None) -> None:
    """Ends the call whose body ended, before the SDK ends its span."""
    span = getattr(first_end.inner, "_span", None)
    if not isinstance(span, SharedSpan) or span.after200_call.ended:
        return
    call = span.after200_call
    if how == "closed":
        finish_closed(call)
        return
    if how == "read" and call.raw_reader is not None:
        call.raw_reader.finish()
    finish(call, "read" if how == "read" else "raised", error)


def finish_closed(call: Call) -> None:
    """The body was closed: by whoever handles an exception just now, by its finalizer, or by the application."""
    exception = sys.exc_info()[1]
    reader = call.reader() if call.reader is not None else None
    reading = getattr(reader, "ag_running", False) or getattr(reader, "gi_running", False)
    if is_dropped(call) or (reading and isinstance(exception, GeneratorExit)) or closed_by_finalizer():
        drop(call)
    elif reading and exception is not None:
        finish(call, "raised", exception)
    else:
        finish(call, "closed")


def closed_by_finalizer() -> bool:
    """Whether the SDK reports a body as closed because it is being freed."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != "anthropic._tracing":
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_code.co_name == "__del__"


class SharedSpan:
    """The SDK's span, as the SDK finishes it: what it says of an error does not overwrite what after200 knows.

    The status code is left to after200 altogether. The SDK writes it when the stream begins, and nothing can take it
    back from a stream that turns out to have failed with a status that nobody documents.
    """

    def __init__(self, span: Any, call: Call) -> None:
        self._after200_span = span
        self.after200_call = call

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._after200_span, attribute)

    def set_status(self, *args: Any, **kwargs: Any) -> None:
        if not self.after200_call.failed:
            self._after200_span.set_status(*args, **kwargs)

    def set_attribute(self, key: str, value: Any) -> None:
        if key != HTTP_STATUS and not (key == ERROR_TYPE and self.after200_call.failed):
            self._after200_span.set_attribute(key, value)

    def set_attributes(self, attributes: Any) -> None:
        for key in attributes:
            self.set_attribute(key, attributes[key])
