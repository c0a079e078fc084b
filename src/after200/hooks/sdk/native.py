# SPDX-License-Identifier: Apache-2.0
"""The span of the SDK's own tracing (1.14 and later), completed while it still records.

The SDK ends its span before any iterator of ours learns of the end, so its own end of the body is a sign of ours: the
call is judged first, what it came to is written on the span, and what the SDK then writes about the same things
(status code 200, `api_error` for a stream cut short, OK for an error that passed as lines) does not overwrite it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import wrapt

from ... import names
from ...following.current import current_call
from ...following.reading import Sign, deliver
from ...following.running import RunningCall
from ...guard import guarded
from ..wrappers import Arguments, Keywords, Wrapped
from .objects import FirstEnd, Options, RequestResult
from .results import finish_request

_SIGNS: Final[dict[str, Sign]] = {"read": "sdk_read", "failed": "sdk_failed", "closed": "sdk_closed"}
"""How the reading of a body ended, in the SDK's words → our sign."""


# --- the wrappers, each with the signature that wrapt asks for ---


def start_span(wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
    """Around `start_api_call_span(tracer, base_url, options, ...)`: here it is known whether the SDK makes a span."""
    span = wrapped(*args, **kwargs)
    running = current_call.get()
    return span if running is None else choose_span(running, span, *args[:3]) or span


def finish_span(wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
    """Around `finish_api_call_span(client, span, result)`: the call failed, or has its answer."""
    running = current_call.get()
    if running is not None and len(args) == 3 and writes_on_sdk_span(running):
        client, span, result = args
        end_request(running, result)
        return wrapped(client, wrap_span(span, running) or span, result)
    return wrapped(*args, **kwargs)


def end_body(wrapped: Wrapped, instance: FirstEnd, args: Arguments, kwargs: Keywords) -> object:
    """Around `FirstEnd.end(how, error)`: the body of a response ends, and the span with it."""
    if not getattr(instance, "_ended", True):
        deliver_end_of_body(instance, *args, **kwargs)
    return wrapped(*args, **kwargs)


# --- what they do ---


@guarded
def choose_span(running: RunningCall, span: object, tracer: object, base_url: object, options: Options) -> object:
    """Returns the span that the SDK must use from here on. `span` is what its tracer returned, which may be None."""
    if running.recording is None:
        return span
    # A request that no method of the SDK made has no name for a span, and the SDK does not ask the tracer for one.
    return running.recording.choose_span(running.call, span, tracer if options.span_name else None)


@guarded
def writes_on_sdk_span(running: RunningCall) -> bool:
    """Returns whether what the call came to is written on the SDK's own span."""
    return running.recording is not None and running.recording.writes_on_sdk_span


@guarded
def wrap_span(span: object, running: RunningCall) -> object:
    """Returns the SDK's `span` as the SDK must finish it."""
    return SharedSpan(span, running)


@guarded
def end_request(running: RunningCall, result: RequestResult) -> None:
    """Ends the call before the SDK ends its span, unless there is a body that is yet to be read."""
    finish_request(running, result.data, result.error, returns=False)


@guarded
def deliver_end_of_body(first_end: FirstEnd, how: str, error: BaseException | None = None) -> None:
    """Ends the call whose body ended, before the SDK ends its span."""
    span = getattr(first_end.inner, "_span", None)
    if isinstance(span, SharedSpan):
        deliver(span.after200_call, _SIGNS[how], error)


class SharedSpan(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """The SDK's span, as the SDK finishes it: what it writes about an error does not overwrite what after200 knows.

    The status code is left to after200 altogether. The SDK writes it when the stream begins, and nothing can remove it
    from a stream that turns out to have failed with a status that nobody documents.
    """

    def __init__(self, span: object, running: RunningCall) -> None:
        super().__init__(span)
        self._self_running = running

    @property
    def after200_call(self) -> RunningCall:
        """The call whose span this is."""
        running: RunningCall = self._self_running
        return running

    def set_status(self, *args: object, **kwargs: object) -> None:
        if not self._self_running.failed:
            self.__wrapped__.set_status(*args, **kwargs)

    def set_attribute(self, key: str, value: object) -> None:
        if key != names.HTTP_STATUS and not (key == names.ERROR_TYPE and self._self_running.failed):
            self.__wrapped__.set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        for key in attributes:
            self.set_attribute(key, attributes[key])
