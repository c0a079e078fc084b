# SPDX-License-Identifier: Apache-2.0
"""A wire event (its name and its data) → what it tells us of the call.

Only the few events that say something are decoded. Whatever a server sends, nothing here raises for its shape: what is
not as documented tells nothing. Prompts and completions are never kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import statuses
from .limits import count, looks_like_a_type, name
from .record import Call, ProviderError
from .verdict import read_error

CHUNK: Final = "content_block_delta"

NOT_JSON: Final = (ValueError, RecursionError)
"""What `json.loads` raises for what is not JSON, or is nested as deep as a server likes."""

_CHUNK_PAYLOAD: Final = '{"type":"content_block_delta"'


def read_event(call: Call, event: str | None, data: str) -> None:
    """Notes what the event named `event` with `data` says. Call it for every event but a plain chunk."""
    reader = _READERS.get(event)
    if reader is not None:
        reader(call, data)
    elif event is not None and call.end_rule == "open":
        if event.endswith(".error"):
            note_inner_error(call, decode(data))
    elif event is not None and names_error(event):
        # An error payload in an ordinary chunk, which some SDK versions give its own type as the event's name.
        note_error(call, decode(data), event)


def read_payload(call: Call, payload: object) -> None:
    """Notes what a decoded event says, by the type it gives itself."""
    if not isinstance(payload, Mapping):
        return
    kind = payload.get("type")
    if kind is None and "completion" in payload:
        kind = "completion"
    reader = _PAYLOAD_READERS.get(kind) if isinstance(kind, str) else None
    if reader is not None:
        reader(call, payload)
    elif isinstance(kind, str) and names_error(kind):
        note_error(call, payload, kind)


def names_error(kind: str) -> bool:
    """Whether an event or a payload of this type is an error in place of an event."""
    return kind == "error" or statuses.documented(kind) is not None or kind.endswith(("_error", "Exception"))


def decode(data: str | bytes) -> Any:
    """The JSON in `data`, or `None`."""
    try:
        return json.loads(data)
    except NOT_JSON:
        return None


def note_error(call: Call, payload: object, kind: str = "error") -> None:
    """The provider said that the call failed. What it said first counts."""
    if call.error is not None:
        return
    error = read_error(payload)
    if error.type is None and kind != "error" and looks_like_a_type(kind):
        error = error._replace(type=kind)
    original_status = count(payload.get("originalStatusCode")) if isinstance(payload, Mapping) else None
    call.error = ProviderError(error.type, error.message, original_status)


def note_inner_error(call: Call, payload: object) -> None:
    """`session.error` or `workflow_run.error`: what a session of managed agents met, while its stream goes on."""
    call.note_inner_error(read_error(payload))


# --- events by name ---


def _error(call: Call, data: str) -> None:
    note_error(call, decode(data))


def _unnamed(call: Call, data: str) -> None:
    # The SDK drops an event without a name, so only an error in it matters: nobody else will notice.
    payload = decode(data) if data else None
    kind = payload.get("type") if isinstance(payload, Mapping) else None
    if isinstance(kind, str) and names_error(kind):
        note_error(call, payload, kind)


def _any_payload(call: Call, data: str) -> None:
    # The SDK names every event of a Bedrock stream `completion` before 0.110.
    if data.startswith(_CHUNK_PAYLOAD):
        call.chunk()
    else:
        read_payload(call, decode(data))


def _chunk(call: Call, data: str) -> None:
    call.chunk()


def _stop(call: Call, data: str) -> None:
    call.stopped()


def _ignore(call: Call, data: str) -> None:
    """Says nothing about the call."""


_READERS: Final[dict[str | None, Callable[[Call, str], None]]] = {
    CHUNK: _chunk,
    "message_start": _any_payload,
    "message_delta": _any_payload,
    "message_stop": _stop,
    "completion": _any_payload,
    "error": _error,
    None: _unnamed,
    "ping": _ignore,
    "content_block_start": _ignore,
    "content_block_stop": _ignore,
}


# --- payloads by type ---


def _message_start(call: Call, payload: Mapping[str, Any]) -> None:
    message = payload.get("message")
    if isinstance(message, Mapping):
        call.response_id = name(message.get("id")) or call.response_id
        call.response_model = name(message.get("model")) or call.response_model
        # The output tokens of `message_start` are a placeholder.
        read_usage(call, message.get("usage"), output=False)


def _message_delta(call: Call, payload: Mapping[str, Any]) -> None:
    delta = payload.get("delta")
    if isinstance(delta, Mapping):
        note_finish_reason(call, delta.get("stop_reason"))
    read_usage(call, payload.get("usage"))


def _completion(call: Call, payload: Mapping[str, Any]) -> None:
    # The legacy Text Completions API: every event is a chunk, and the one with a `stop_reason` is the last.
    call.response_id = name(payload.get("id")) or call.response_id
    call.response_model = name(payload.get("model")) or call.response_model
    if payload.get("completion"):
        call.chunk()
    if payload.get("stop_reason") is not None:
        note_finish_reason(call, payload.get("stop_reason"))
        call.stopped()


def _message(call: Call, payload: Mapping[str, Any]) -> None:
    """A whole message, the body of a call that does not stream."""
    call.response_id = name(payload.get("id"))
    call.response_model = name(payload.get("model"))
    note_finish_reason(call, payload.get("stop_reason"))
    read_usage(call, payload.get("usage"))


_PAYLOAD_READERS: Final[dict[str, Callable[[Call, Mapping[str, Any]], None]]] = {
    CHUNK: lambda call, payload: call.chunk(),
    "message_start": _message_start,
    "message_delta": _message_delta,
    "message_stop": lambda call, payload: call.stopped(),
    "completion": _completion,
    "message": _message,
}


def note_finish_reason(call: Call, reason: object) -> None:
    """Why the model stopped, as the provider names it."""
    finish_reason = name(reason)
    if finish_reason is not None:
        call.finish_reasons = (finish_reason,)


def read_usage(call: Call, usage: object, *, output: bool = True) -> None:
    """The tokens in `usage`. What it leaves out stays as it was said before."""
    if not isinstance(usage, Mapping):
        return
    known = call.usage
    known.input = _latest(usage, "input_tokens", known.input)
    known.cache_read = _latest(usage, "cache_read_input_tokens", known.cache_read)
    known.cache_write = _latest(usage, "cache_creation_input_tokens", known.cache_write)
    if output:
        known.output = _latest(usage, "output_tokens", known.output)


def _latest(usage: Mapping[str, Any], field: str, before: int | None) -> int | None:
    value = count(usage.get(field))
    return before if value is None else value


def read_entry(call: Call, entry: object) -> None:
    """A line of a batch's results: an entry that failed is an error inside, of a call that goes on."""
    result = entry.get("result") if isinstance(entry, Mapping) else None
    if isinstance(result, Mapping) and result.get("type") == "errored":
        call.note_inner_error(read_error(result.get("error")))
    elif isinstance(entry, Mapping) and entry.get("type") == "error":
        note_error(call, entry)
