# SPDX-License-Identifier: Apache-2.0
"""Sends one request of a library for its call: what is raised ends the call, the response ends it or is followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...following.current import NOTHING, make_current
from ...following.running import RunningCall
from ..wrappers import Arguments, Keywords, Wrapped
from .exchange import Answer, end_raised

_Response = TypeVar("_Response")
AnswerIn = Callable[[BaseException], Answer | None]
"""Returns the response that an exception carries, where the application asked for an exception for it."""
Follow = Callable[[RunningCall, _Response], object]
"""Ends the call by the body of the response that is read already, or follows the body that is not."""


def send(
    running: RunningCall,
    wrapped: Wrapped,
    args: Arguments,
    kwargs: Keywords,
    answer_in: AnswerIn,
    follow: Follow[_Response],
) -> _Response:
    """Returns what `wrapped` returns, the response to the request that is sent for `running`."""
    try:
        with make_current(running) or NOTHING:
            response: _Response = wrapped(*args, **kwargs)
    except BaseException as exception:
        end_raised(running, exception, answer_in(exception))
        raise
    follow(running, response)
    return response


async def asend(
    running: RunningCall,
    wrapped: Wrapped,
    args: Arguments,
    kwargs: Keywords,
    answer_in: AnswerIn,
    follow: Follow[_Response],
) -> _Response:
    """Returns what `wrapped` returns, the response to the request that is sent for `running`."""
    try:
        with make_current(running) or NOTHING:
            response: _Response = await wrapped(*args, **kwargs)
    except BaseException as exception:
        end_raised(running, exception, answer_in(exception))
        raise
    follow(running, response)
    return response
