# SPDX-License-Identifier: Apache-2.0
"""Where the package does not record what the SDK's word would be, and why. Each is a row of docs/completed.md.

A row is told from what the SDK alone does with the body, never from what the package recorded of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .oracle import Handed


def _decoded(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _error_between(alone: Handed, looped: Handed, texts: str) -> bool:
    return alone.whole and ("error" in texts or "Exception" in texts)


def _no_end_event(alone: Handed, looped: Handed, texts: str) -> bool:
    return alone.whole and "message_stop" not in looped.types


def _no_stop_reason(alone: Handed, looped: Handed, texts: str) -> bool:
    return alone.exception is None and "message_stop" in looped.types and looped.reason is None


_END_OF_ANY_NAME = re.compile(r'^event: .+\ndata: .*"message_stop"', re.MULTILINE)
"""An end event that has a name: the newest versions of the SDK hand it out whatever the name is."""


def _events_for_a_whole_body(alone: Handed, looped: Handed, texts: str) -> bool:
    return alone.raw and ("event: message_stop" in texts or _END_OF_ANY_NAME.search(texts) is not None)


OF_THE_HELPER = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError)
"""What `messages.stream()` raises when it cannot put the events together; nothing on the way of the bytes raises it."""


def _another_order(alone: Handed, looped: Handed, texts: str) -> bool:
    begins = looped.types[:1] == ["message_start"]
    return "message_stop" in looped.types and (not begins or isinstance(alone.exception, OF_THE_HELPER))


def _helper_gave_up(alone: Handed, looped: Handed, texts: str) -> bool:
    return looped.reason is not None and isinstance(alone.exception, OF_THE_HELPER)


def _read_before(alone: Handed, looped: Handed, texts: str) -> bool:
    raised = type(alone.exception)
    undecodable = raised is json.JSONDecodeError or raised.__module__ == "botocore.eventstream"
    return alone.read_before and "message_stop" in texts and undecodable


def _message_as_text(alone: Handed, looped: Handed, texts: str) -> bool:
    body = _decoded(alone.result)
    return isinstance(body, dict) and (body.get("type") == "message" or isinstance(body.get("content"), list))


def _message_without_content(alone: Handed, looped: Handed, texts: str) -> bool:
    return getattr(alone.result, "type", None) == "message" and not alone.whole


DISAGREEMENTS: dict[str, tuple[bool, Callable[[Handed, Handed, str], bool]]] = {
    "an error between the events of a good stream": (False, _error_between),
    "a stop reason, and no `message_stop`": (False, _no_end_event),
    "`message_stop`, and no stop reason": (True, _no_stop_reason),
    "`message_stop`, and events that are missing or in another order": (True, _another_order),
    "a stop reason, and then events that the helper cannot put together": (True, _helper_gave_up),
    "`message_stop`, and an event or a frame that the SDK cannot decode, in a body that a hook had read": (
        True,
        _read_before,
    ),
    "events in answer to a call that does not stream, which reads them raw": (True, _events_for_a_whole_body),
    "a message whose content type is not JSON": (True, _message_as_text),
    "a message without content": (True, _message_without_content),
}
"""What arrives → whether it is recorded as completed, and how it is told."""


def reason_to_differ(alone: Handed, looped: Handed, texts: str, *, recorded: bool) -> str | None:
    """Returns the row that says why the call was recorded as it was.

    Args:
        alone: what the SDK handed out over the surface of the case.
        looped: what it handed out of the same bytes to an application that asks for a stream and loops over its events.
        texts: all that the body says.
        recorded: whether the call was recorded as completed.
    """
    for row, (completed, tells) in DISAGREEMENTS.items():
        if completed == recorded and tells(alone, looped, texts):
            return row
    return None
