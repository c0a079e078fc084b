# SPDX-License-Identifier: Apache-2.0
"""The one place where what the requests of a call came back with is written into the call."""

from __future__ import annotations

from ...call.exceptions import error_type_of
from ...following.answers import answer, end_failed_request
from ...following.bodies import follow_body
from ...following.feeds import feed_whole
from ...following.responses import follow
from ...following.running import Ending, RunningCall
from ...guard import guarded
from ...names import OTHER
from .answers import Answer, read_raised, read_returned
from .calls import SDKCall
from .objects import HTTPResponse


@guarded
def answer_call(running: RunningCall, response: HTTPResponse) -> None:
    """`response` answered the open attempt; the SDK takes it for a success."""
    answer(running, response)
    if isinstance(running, SDKCall) and not running.call.stream:
        running.whole_response = response


@guarded
def begin_wait(running: RunningCall, exception: BaseException | None) -> None:
    """The SDK is about to wait, because of `exception` or of the answer to the last attempt."""
    if running.attempts.is_open:
        error_type = None if exception is None else error_type_of(exception)
        running.attempts.lose(None if error_type == OTHER else error_type)
    running.attempts.begin_wait()


@guarded
def finish_request(
    running: RunningCall | None, result: object, exception: BaseException | None = None, *, returns: bool = True
) -> None:
    """The request of the call returned `result`, or raised `exception`: the call ends, or its body is followed.

    `returns`: whether the request returns now. If not, the SDK ends its span first, and an open body is left for later.
    """
    if not isinstance(running, SDKCall) or running.ended is not None:
        return
    call = running.call
    if exception is not None:
        found = read_raised(exception, running.whole_response)
    else:
        found = read_returned(result, call.end_rule, stream=bool(call.stream))
    if returns or not found.has_open_body:
        apply(running, found)


def apply(running: SDKCall, found: Answer) -> None:
    """Writes into the call what its request came back with. Ends it, or follows the body to its end."""
    running.whole_response = None
    raised, response = found.raised, found.response
    if raised is not None and found.body is None:
        end_failed_request(running, raised, response)
        return
    if response is not None and running.call.wire_status is None:
        answer(running, response)  # A middleware answered in place of the server.
    if response is not None and found.has_open_body:
        if running.call.stream:
            running.begin_stream()
        follow_body(running, response, sends_more=running.sends_more)
        return
    if found.body is not None:
        if running.call.stream:
            running.begin_stream()
            follow(response, running)  # The SDK may raise out of it, and that exception may have to be corrected.
        feed_whole(running, found.body, found.content_type, as_text=found.is_text)
    elif found.facts is not None:
        running.learn(found.facts)
    running.end(Ending("read" if raised is None else "rejected", raised))
