# SPDX-License-Identifier: Apache-2.0
"""Whose an exception was that came out of a call: rule 3 of section 2 of the contract.

The class decides where only the SDK, its HTTP client and the network stack have it. Else the traceback does: it names
the code that raised the exception, and the code under which that stood. No other module reads tracebacks.
"""

from __future__ import annotations

import functools
import inspect
import signal
import sys
from collections.abc import Sequence
from types import CodeType, FrameType
from typing import Any, Final, Literal

from .exception_classes import HTTP_CLIENTS, OF_ANY_CODE, OF_THE_NETWORK, package_of

Origin = Literal["call", "transport", "application"]
"""`call`: the SDK, its HTTP client, a decoder or the network stack; `transport`: the transport or the body that the
application gave to the HTTP client, which is none of these; `application`: anything else, such as a time limit, a hook
or a middleware."""

_TRANSPORT: Final = frozenset({"handle_request", "handle_async_request"})
"""The methods of a transport, which the HTTP client calls."""

_BODY: Final = frozenset({"__iter__", "__aiter__", "__next__", "__anext__", "iter_raw", "aiter_raw"})
"""The functions of the HTTP client that read a body."""

_CALLING: Final = HTTP_CLIENTS | {"anthropic"}
"""The packages one of whose frames shows that an exception came out of a call."""

_OWN: Final = __name__.partition(".")[0]
_LONGEST_CHAIN: Final = 10
"""How many causes of an exception are looked at."""


def origin_of(exception: BaseException, *, wrapped: bool = False) -> Origin:
    """Returns whose `exception` was.

    Args:
        exception: what came out of a call.
        wrapped: whether the SDK wrapped `exception` in an exception of its own, which shows that it came out of a call.
    """
    if _is_interruption(exception):
        return "application"
    package, frames = package_of(type(exception)), _frames_of(exception)
    if package in OF_THE_NETWORK or (package == "builtins" and isinstance(exception, OSError | EOFError)):
        return "call"
    if package in OF_ANY_CODE:
        if not wrapped and not any(_package(frame) in _CALLING for frame in frames):
            return "application"
        return _raiser(frames)
    raised_by_its_own = bool(frames) and _package(frames[-1]) == package
    return "transport" if raised_by_its_own and _is_under_transport(frames) else "application"


def _raiser(frames: Sequence[FrameType]) -> Origin:
    """Returns who raised an exception of a class that any code raises: who called Python's library, or a decoder."""
    for number in range(len(frames), 0, -1):
        package = _package(frames[number - 1])
        if package in sys.stdlib_module_names or package in OF_ANY_CODE or package == _OWN:
            continue
        if package in OF_THE_NETWORK:
            return "call"
        return "transport" if _is_under_transport(frames[:number]) else "application"
    return "application" if frames else "call"


def _is_under_transport(frames: Sequence[FrameType]) -> bool:
    """Returns whether the last of `frames` stands below a transport of the HTTP client's, or the reading of a body."""
    under_client = False
    for frame in frames:
        is_client = _package(frame) in HTTP_CLIENTS
        name = frame.f_code.co_name
        if (under_client and name in _TRANSPORT) or (is_client and name in _BODY):
            return True
        under_client |= is_client
    return False


def _is_interruption(exception: BaseException) -> bool:
    """Returns whether a signal handler raised `exception`, or what the HTTP client made `exception` of."""
    handlers: set[CodeType] | None = None
    cause: BaseException | None = exception
    for _ in range(_LONGEST_CHAIN):
        if cause is None:
            return False
        frames = _frames_of(cause)
        if frames and handlers is None:
            handlers = _signal_handlers()
        for number, frame in enumerate(frames):
            if handlers and frame.f_code in handlers:
                return True
            if number and _has_argument(frame, frames[number - 1]):
                return True
        cause = cause.__cause__
    return False


def _signal_handlers() -> set[CodeType]:
    """Returns the code of the signal handlers that are installed now."""
    found = set()
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, functools.partial):
            handler = handler.func
        function = getattr(handler, "__func__", handler)
        if not hasattr(function, "__code__"):  # An object that can be called.
            function = inspect.getattr_static(handler, "__call__", None)
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            found.add(code)
    return found


def _has_argument(frame: FrameType, interrupted: FrameType) -> bool:
    """Returns whether `frame` was called with the frame that it stands on: so Python calls a signal handler.

    By the time that an exception is classified, many a handler has been taken out again.
    """
    package = _package(frame)
    if package in OF_THE_NETWORK or package in sys.stdlib_module_names or frame.f_code.co_argcount < 2:
        return False
    arguments = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return any(frame.f_locals.get(name) is interrupted for name in arguments)


def _frames_of(exception: BaseException) -> list[FrameType]:
    """Returns the frames in the traceback of `exception`, the innermost last."""
    frames, entry = [], exception.__traceback__
    while entry is not None:
        frames.append(entry.tb_frame)
        entry = entry.tb_next
    return frames


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
