# SPDX-License-Identifier: Apache-2.0
"""The wrappers around the methods of the SDK's base client: a call begins, its attempts are sent and answered.

`request` is above retries and middleware and overridden by no provider, so one time through it is one call.
"""

from __future__ import annotations

import sys

from ...call.observer import CallObserver
from ...following.answers import answer_attempt
from ...following.beginning import begin
from ...following.current import NOTHING, current_call, make_current
from ...following.dropped import end_dropped
from ...following.running import RunningCall
from ...guard import guarded
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .calls import SDKCall
from .objects import Client, Options
from .request_facts import read_request, requested_model, sdk_traces
from .results import answer_call, begin_wait, finish_request


class RequestHooks:
    """The wrappers, each with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver, *, correct_exceptions: bool) -> None:
        self._observer = observer
        self._correct_exceptions = correct_exceptions

    # --- the call ---

    def request(self, wrapped: Wrapped, instance: Client, args: Arguments, kwargs: Keywords) -> object:
        """Around `SyncAPIClient.request`."""
        running = self._begin(instance, args, kwargs)
        try:
            with make_current(running) or NOTHING:
                result = wrapped(*args, **kwargs)
        except BaseException as exception:
            finish_request(running, None, exception)
            raise
        finish_request(running, result)
        return result

    async def arequest(self, wrapped: Wrapped, instance: Client, args: Arguments, kwargs: Keywords) -> object:
        """Around `AsyncAPIClient.request`."""
        running = self._begin(instance, args, kwargs)
        try:
            with make_current(running) or NOTHING:
                result = await wrapped(*args, **kwargs)
        except BaseException as exception:
            finish_request(running, None, exception)
            raise
        finish_request(running, result)
        return result

    @guarded
    def _begin(self, client: Client, args: Arguments, kwargs: Keywords) -> SDKCall | None:
        """Returns the call that the request is; None for a request that is no call, or must not be recorded."""
        if self._observer.suppressed():
            return None
        end_dropped()
        options = args[1] if len(args) > 1 else kwargs["options"]
        call = read_request(client, options, stream=bool(kwargs.get("stream")))
        if call is None:
            return None
        traces, sends_more = sdk_traces(client), bool(getattr(client, "middleware", ()))
        running = SDKCall(call, corrects_exceptions=self._correct_exceptions, sends_more=sends_more)
        begin(running, self._observer, sdk_traces=traces)
        return running

    # --- its attempts ---

    def build_request(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `BaseClient._build_request`: an attempt is about to be sent."""
        running = current_call.get()
        if running is not None:
            begin_attempt(running, args[0] if args else kwargs.get("options", ABSENT))
        return wrapped(*args, **kwargs)

    def should_retry(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `BaseClient._should_retry`: an attempt was answered with an HTTP error, and may be repeated."""
        running = current_call.get()
        if running is not None:
            answer_attempt(running, args[0] if args else kwargs.get("response", ABSENT))
        return wrapped(*args, **kwargs)

    def retry_timeout(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `BaseClient._calculate_retry_timeout`: the SDK is about to wait.

        Called where the exception that lost an attempt, if any, is being handled.
        """
        running = current_call.get()
        if running is not None:
            begin_wait(running, sys.exc_info()[1])
        return wrapped(*args, **kwargs)

    def process_response(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `_process_response` of both clients: an attempt was answered."""
        running = current_call.get()
        if running is not None:
            answer_call(running, kwargs.get("response", ABSENT))
        return wrapped(*args, **kwargs)


@guarded
def begin_attempt(running: RunningCall, options: Options) -> None:
    """An attempt with `options` is about to be sent."""
    running.attempts.begin(requested_model(options))
