# SPDX-License-Identifier: Apache-2.0
"""Healthy answers of the surfaces beyond Messages: text completions, session streams, batch results, token counts.

Each surface gives the same four parts of a stream as `messages`, so that every scenario can be played on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import converse, messages
from .replies import Reply
from .requests import Request
from .steps import Event, Part
from .wires import error_envelope, with_request_id

Json = dict[str, Any]
_WHEN = "2026-01-01T00:00:00Z"


def part_of_stream(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    """The events (for batch results: the lines) of one part of a healthy stream."""
    return _STREAMS.get(request.api, messages.part_of_stream)(part, request, reply)


def whole_body(request: Request, reply: Reply) -> Json:
    """The healthy body of a request that does not stream."""
    return _WHOLES.get(request.api, messages.whole_body)(request, reply)


def _completion(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    texts: dict[Part, tuple[str, ...]] = {"text": reply.words, "close": ("",)}
    for text in texts.get(part, ()):
        stop_reason = "stop_sequence" if part == "close" else None
        yield Event("completion", {**_completion_body(request, reply), "completion": text, "stop_reason": stop_reason})


def _completion_body(request: Request, reply: Reply) -> Json:
    return {
        "id": request.message_id.replace("msg_", "compl_"),
        "type": "completion",
        "completion": "".join(reply.words),
        "stop_reason": "stop_sequence",
        "model": request.model,
    }


def _session(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    if part == "start":
        yield _session_event(request, "session.status_running")
    elif part == "text":
        for number, word in enumerate(reply.words):
            content = [{"type": "text", "text": word}]
            yield _session_event(request, "agent.message", f"_{number}", content=content)
    elif part == "close":
        yield _session_event(request, "session.status_idle", stop_reason={"type": "end_turn"})


def _session_event(request: Request, name: str, suffix: str = "", **fields: object) -> Event:
    event_id = f"{request.message_id.replace('msg_', 'sevt_')}{suffix}"
    return Event(name, {"id": event_id, "type": name, "processed_at": _WHEN, **fields})


def _batch_results(part: Part, request: Request, reply: Reply) -> Iterator[Event]:
    last = len(reply.results) - 1
    spans: dict[Part, range] = {"start": range(1), "text": range(1, last), "close": range(last, last + 1)}
    for index in spans.get(part, ()):
        result = reply.results[index]
        yield Event(result, {"custom_id": f"request-{index}", "result": _batch_result(result, request, reply)})


def _batch_result(result: str, request: Request, reply: Reply) -> Json:
    kind, _, error_type = result.partition(":")
    if kind == "succeeded":
        return {"type": kind, "message": messages.whole_body(request, reply)}
    if kind == "errored":
        return {"type": kind, "error": with_request_id(error_envelope(error_type, "Not processed"), request)}
    return {"type": kind}


def _batch(request: Request, reply: Reply) -> Json:
    kinds = [result.partition(":")[0] for result in reply.results]
    counts = {kind: kinds.count(kind) for kind in ("processing", "succeeded", "errored", "canceled", "expired")}
    return {
        "id": request.resource_id,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts,
        "created_at": _WHEN,
        "ended_at": _WHEN,
        "expires_at": "2026-01-02T00:00:00Z",
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"{request.own_url}/results",
    }


def _count(request: Request, reply: Reply) -> Json:
    return {"input_tokens": reply.usage.input}


_STREAMS: dict[str, Callable[[Part, Request, Reply], Iterator[Event]]] = {
    "completions": _completion,
    "sessions": _session,
    "batches": _batch_results,
    "converse": converse.part_of_stream,
}
_WHOLES: dict[str, Callable[[Request, Reply], Json]] = {
    "completions": _completion_body,
    "batch": _batch,
    "converse": converse.whole_body,
    "count_tokens": _count,
}
