# SPDX-License-Identifier: Apache-2.0
"""What the application and its HTTP transport saw, in the order in which they saw it, as plain values to compare."""

from __future__ import annotations

import traceback
from typing import Any

Trace = list[tuple[Any, ...]]
"""One entry for each thing that happened: who saw it, what, and with what."""

LONGEST = 10
"""How far a chain of causes and contexts is followed."""


def describe(exception: BaseException | None, depth: int = LONGEST) -> Any:
    """An exception with all that an application can tell it by, and those that led to it."""
    if exception is None or depth == 0:
        return None
    return {
        "type": f"{type(exception).__module__}.{type(exception).__qualname__}",
        "args": show(exception.args),
        "text": show_text(exception),
        "fields": {name: show(value) for name, value in sorted(vars(exception).items()) if name != "__notes__"},
        "notes": getattr(exception, "__notes__", None),
        "cause": describe(exception.__cause__, depth - 1),
        "context": describe(exception.__context__, depth - 1),
        "suppresses": exception.__suppress_context__,
        "raised in": innermost_frame(exception),
    }


def innermost_frame(exception: BaseException) -> str | None:
    """The function that raised it. An end of an iteration comes from the iterator itself, whatever that is."""
    if isinstance(exception, StopIteration | StopAsyncIteration):
        return None
    frames = traceback.extract_tb(exception.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].name}" if frames else None


def show(value: Any) -> str:
    """A value with its type, without what differs between any two runs: addresses of objects."""
    try:
        text = repr(value)
    except Exception as exception:
        text = f"<no repr: {exception!r}>"
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__} {without_addresses(text)}"


def show_text(exception: BaseException) -> str:
    try:
        return without_addresses(str(exception))
    except Exception as inner:
        return f"<no text: {inner!r}>"


def without_addresses(text: str) -> str:
    head, *tail = text.split(" at 0x")
    return head + "".join(" at ..." + rest.lstrip("0123456789abcdef") for rest in tail)
