# SPDX-License-Identifier: Apache-2.0
"""The wrappers around the methods of the SDK's base client: a call begins, its attempts are sent and answered.

`request` is above retries and middleware and overridden by no provider, so one time through it is one call.
"""

from __future__ import annotations

import sys

from ...call.exceptions import error_type_of
from ...call.observer import CallObserver
from ...following.current import TWICE, current_call, enter, leave
from ...following.dropped import end_dropped
from ...following.foreign import Arguments, Foreign, Keywords, Wrapped
from ...following.process_end import end_at_exit
from ...following.running import RunningCall
from ...guard import guarded
from ...names import OTHER
from .answers import answered, note_http_error, note_response, refused
from .request_facts import read_request, requested_model, sdk_traces


class RequestHooks:
    """The wrappers, each with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver, *, correct_exceptions: bool) -> None:
        self._observer = observer
        self._correct_exceptions = correct_exceptions

    # --- the call ---

    def request(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `SyncAPIClient.request`."""
        running = self._begin(instance, args, kwargs)
        token = enter(running)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as exception:
            for _ in TWICE:
                if leave(running, token):
                    break
            refused(running, exception)
            raise
        for _ in TWICE:
            if leave(running, token):
                break
        answered(running, result)
        return result

    async def arequest(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `AsyncAPIClient.request`."""
        running = self._begin(instance, args, kwargs)
        token = enter(running)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as exception:
            for _ in TWICE:
                if leave(running, token):
                    break
            refused(running, exception)
            raise
        for _ in TWICE:
            if leave(running, token):
                break
        answered(running, result)
        return result

    @guarded
    def _begin(self, client: Foreign, args: Arguments, kwargs: Keywords) -> RunningCall | None:
        """Returns the call that the request is; None for a request that is no call, or must not be recorded."""
        if self._observer.suppressed():
            return None
        end_dropped()
        options = args[1] if len(args) > 1 else kwargs["options"]
        call = read_request(client, options, stream=bool(kwargs.get("stream")))
        if call is None:
            return None
        end_at_exit()
        sends_more = bool(getattr(client, "middleware", ()))
        running = RunningCall(call, corrects_exceptions=self._correct_exceptions, sends_more=sends_more)
        running.recording = self._observer.begin(call, sdk_traces=sdk_traces(client))
        return running

    # --- its attempts ---

    def build_request(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `BaseClient._build_request`: an attempt is about to be sent."""
        running = current_call.get()
        if running is not None:
            note_sending(running, args[0] if args else kwargs.get("options"))
        return wrapped(*args, **kwargs)

    def should_retry(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `BaseClient._should_retry`: an attempt was answered with an HTTP error, and may be repeated."""
        running = current_call.get()
        if running is not None:
            note_http_error(running, args[0] if args else kwargs.get("response"))
        return wrapped(*args, **kwargs)

    def retry_timeout(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `BaseClient._calculate_retry_timeout`: the SDK is about to wait.

        Called where the exception that lost an attempt, if any, is being handled.
        """
        running = current_call.get()
        if running is not None:
            note_wait(running, sys.exc_info()[1])
        return wrapped(*args, **kwargs)

    def process_response(self, wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
        """Around `_process_response` of both clients: an attempt was answered."""
        running = current_call.get()
        if running is not None:
            note_response(running, kwargs.get("response"))
        return wrapped(*args, **kwargs)


@guarded
def note_sending(running: RunningCall, options: Foreign) -> None:
    """An attempt with `options` is about to be sent."""
    running.attempt_begins(requested_model(options))


@guarded
def note_wait(running: RunningCall, exception: BaseException | None) -> None:
    """The SDK is about to wait, because of `exception` or of the answer to the last attempt."""
    if running.is_waiting_for_answer:
        error_type = None if exception is None else error_type_of(exception)
        running.attempt_lost(None if error_type == OTHER else error_type)
    running.wait_begins()
