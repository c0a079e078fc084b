# SPDX-License-Identifier: Apache-2.0
"""Corrected exceptions, an option: an error raised with status code 200 becomes what it was before the stream.

Comes in: the `APIStatusError` that the SDK raises for an `error` event. It leaves as the same object, of the SDK's own
class for the corrected status code and error code. Its `body`, `message`, `request_id` and `response` stay the same.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from ...following.running import RunningCall
from ...guard import guarded
from ...names.errors import SDK_CLASSES

_TABLE: Final = ("anthropic._error_classes", "ERROR_CLASSES")
"""Where the SDK keeps its classes by status code and error code (2.5 and later)."""


@guarded
def correct(running: RunningCall, exception: Any) -> bool:
    """Gives `exception`, raised out of the stream of `running`, the status code and the class it should have had.

    Returns True when it did; then the exception has to be raised anew.
    """
    if getattr(exception, "status_code", None) != 200 or running.ended is None:
        return False
    status = running.ended.verdict.status
    cls = None if status is None or status < 400 else error_class(exception, status)
    if cls is None:
        return False
    exception.__class__ = cls
    exception.status_code = status
    return True


def error_class(exception: object, status: int) -> type | None:
    """Returns the SDK's class for `status` and the error code of `exception`, which extends that exception's class."""
    table = getattr(sys.modules.get(_TABLE[0]), _TABLE[1], {})
    module = sys.modules.get("anthropic._exceptions")
    names = (*SDK_CLASSES.get(status, ()), "APIStatusError")
    for cls in (
        table.get((status, getattr(exception, "error_code", None))),
        *(getattr(module, n, None) for n in names),
    ):
        if isinstance(cls, type) and issubclass(cls, type(exception)):
            return cls
    return None
