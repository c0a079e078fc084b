# SPDX-License-Identifier: Apache-2.0
"""From a row of `expected.py` and a surface → the whole span, every metric point and the log record of one call.

Written from the contract (sections 4 to 6) and from nothing else: the names stand here a second time on purpose.
"""

from __future__ import annotations

from typing import Any, Protocol

from after200.faults import FaultServer

from ..telemetry import SECONDS, series
from .row import Ending, Row
from .seen import came_out_of_the_request, qualified_name
from .surfaces import MODEL, Decoding

Attributes = dict[str, Any]

_PLACES = ("nothing", "start", "text", "close", "stop")
_CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": MODEL}
_STREAM = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": MODEL}

BORN_ON_EVERY_CALL = (
    ("failed", "first_chunk", "overloaded", "overloaded_error", 529),
    ("failed", "first_chunk", "server_error", "api_error", 500),
    ("failed", "first_chunk", "rate_limited", "rate_limit_error", 429),
)
BORN_ON_STREAMS = (
    ("failed", "mid_stream", "overloaded", "overloaded_error", 529),
    ("failed", "mid_stream", "server_error", "api_error", 500),
    ("failed", "mid_stream", "rate_limited", "rate_limit_error", 429),
    ("truncated", "first_chunk", "truncated", "stream_truncated", None),
    ("truncated", "mid_stream", "truncated", "stream_truncated", None),
    ("failed", "first_chunk", "connection", "connection_error", None),
    ("failed", "mid_stream", "connection", "connection_error", None),
)


class Way(Protocol):
    """A way to make a call and to read what comes of it."""

    @property
    def stream(self) -> bool: ...

    @property
    def decoding(self) -> Decoding: ...


class Told:
    """What is to be told of one call that went as `row` says, made on `surface`."""

    def __init__(
        self, row: Row, surface: Way, server: FaultServer, request_id: str | None, client: str | None = None
    ) -> None:
        """`client`: the HTTP library that makes the call, where the SDK does not."""
        self.row = row
        self.surface = surface
        self.ending = ending_on(row, surface)
        self._server = server
        self._request_id = request_id
        self._client = {} if client is None else {"after200.client": client}
        self._streamed = surface.stream and self.ending.phase != "request"

    # --- what was seen ---

    def _saw(self, place: str) -> bool:
        """Whether the call came as far as `place`."""
        if self.surface.stream:
            return _PLACES.index(self.row.seen) >= _PLACES.index(place)
        if self.row.whole_seen is not None:
            return _PLACES.index(self.row.whole_seen) >= _PLACES.index(place)
        # A whole body says everything, or, broken, nothing.
        return self.ending.outcome == "completed" and self.row.whole.outcome == "completed"

    @property
    def _chunks(self) -> int:
        if not self._saw("text"):
            return 0
        lazy = self.row.chunks_lazy if self.surface.decoding == "lazy" else None
        return lazy or self.row.chunks

    @property
    def _has_gap(self) -> bool:
        """A gap is the time between two chunks, or from the last one, or the response, to an end by the wire."""
        return self._chunks > 1 or self.ending.outcome not in ("closed", "abandoned")

    @property
    def _has_text(self) -> bool:
        return self._streamed and self._chunks > 0 and self.row.has_text

    @property
    def _answer(self) -> str | None:
        return self.row.answer if self.ending.outcome == "completed" else None

    @property
    def _model(self) -> str | None:
        fallback = self.row.fallback if self.ending.outcome == "completed" else None
        named = MODEL if self.surface.stream else self.row.whole_model or MODEL
        return (fallback or named) if self._saw("start") else None

    @property
    def _output(self) -> int | None:
        return self.row.usage.output if self._saw("close") else None

    @property
    def _all_input(self) -> int | None:
        usage = self.row.usage
        return usage.input + usage.cache_read + usage.cache_write if self._saw("start") else None

    @property
    def attempts(self) -> tuple[tuple[int | None, str | None], ...]:
        """The status and the error type of each attempt."""
        ending = self.ending
        if ending.phase != "request":
            return (*self.row.attempts, (ending.wire, None))
        return (*self.row.attempts, (ending.wire, str(ending.wire) if ending.wire else ending.error_type))

    # --- the span ---

    def span(self) -> Attributes:
        """Everything that the package decides on in the span."""
        row, ending, usage = self.row, self.ending, self.row.usage
        message_id = None if self._request_id is None else self._request_id.replace("req_", "msg_")
        return {
            "name": f"chat {MODEL}",
            "kind": "CLIENT",
            "status": "UNSET" if ending.error_type is None else "ERROR",
            "description": ending.message,
            "events": [],
            **_CALL,
            **self._client,
            "gen_ai.request.max_tokens": 64,
            "server.address": "127.0.0.1",
            "server.port": self._server.port,
            "after200.outcome": ending.outcome,
            **present(
                {
                    "gen_ai.request.stream": self.surface.stream or None,
                    "gen_ai.response.id": message_id if self._saw("start") else None,
                    "gen_ai.response.model": self._model,
                    "gen_ai.response.finish_reasons": self._finish_reasons,
                    "gen_ai.response.time_to_first_chunk": SECONDS if self._streamed and self._chunks else None,
                    "gen_ai.usage.input_tokens": self._all_input,
                    "gen_ai.usage.output_tokens": self._output,
                    "gen_ai.usage.cache_read.input_tokens": usage.cache_read if self._saw("start") else None,
                    "gen_ai.usage.cache_write.input_tokens": usage.cache_write if self._saw("start") else None,
                    "anthropic.request.id": None if ending.wire is None else self._request_id,
                    "http.response.status_code": self._status,
                    "after200.wire.status_code": ending.wire,
                    "error.type": ending.error_type,
                    "after200.phase": ending.phase,
                    "after200.failure": ending.failure,
                    "after200.retryable": ending.retryable,
                    "after200.error.code": ending.code,
                    "after200.answer": self._answer,
                    "after200.refusal.category": row.category if self._answer == "refused" else None,
                    "after200.fallback": self._fallback,
                    "after200.retry.wait": SECONDS if row.attempts else None,
                    "after200.server_tool.errors": self._tool_errors,
                    "after200.stream.chunks": self._chunks if self._streamed else None,
                    "after200.stream.longest_gap": SECONDS if self._streamed and self._has_gap else None,
                    "after200.stream.time_to_first_text": SECONDS if self._has_text else None,
                    "http.request.resend_count": len(row.attempts) or None,
                }
            ),
        }

    @property
    def _finish_reasons(self) -> tuple[str, ...] | None:
        reason = self.row.finish_reason
        return (reason,) if self._saw("close") and reason is not None else None

    @property
    def _fallback(self) -> bool | None:
        return True if self.row.fallback and self.ending.outcome == "completed" else None

    @property
    def _tools(self) -> tuple[tuple[str, str | None, int], ...]:
        return self.row.tools if self._saw("text") else ()

    @property
    def _tool_errors(self) -> tuple[str, ...] | None:
        return tuple(f"{tool}:{error}" for tool, error, _ in self._tools if error) or None

    def on_the_sdk_span(self) -> Attributes:
        """What of `span` stands on the SDK's own span too."""
        return {name: value for name, value in self.span().items() if self.is_shared(name)}

    @staticmethod
    def is_shared(name: str) -> bool:
        """Whether the attribute stands on both kinds of span."""
        shared = ("http.response.status_code", "error.type", "gen_ai.response.finish_reasons")
        return name in shared or name.startswith("after200.")

    @property
    def _status(self) -> int | None:
        return self.ending.wire if self.ending.error_type is None else self.ending.status

    # --- the metrics ---

    def points(self) -> dict[str, Any]:
        """Every point of every metric, when this was the only call."""
        points = self.born_at_zero()
        add = self._adder(points)
        ending = self.ending
        base = {**_CALL, "gen_ai.request.stream": self.surface.stream}
        outcome = {**base, "after200.outcome": ending.outcome}
        add("after200.calls", {**outcome, **self._result(), **self._client})
        for status, error_type in self.attempts:
            failure = failure_of_attempt(status, error_type)
            told = {"after200.wire.status_code": status, "error.type": error_type, "after200.failure": failure}
            add("after200.attempts", {**_STREAM, **told})
        for status, error_type in self.row.attempts:
            wait = {**_STREAM, "after200.failure": failure_of_attempt(status, error_type)}
            points[series("after200.retry.wait", wait)] = SECONDS
        for kind, detail, tokens in self._tokens():
            if tokens:
                add("after200.tokens", {**outcome, "gen_ai.token.type": kind, "after200.token.detail": detail}, tokens)
        for tool, error, times in self._tools:
            add("after200.server_tool.calls", {**_STREAM, "gen_ai.tool.name": tool, "error.type": error}, times)
        if self._answer is not None:
            add("after200.answers", {**base, **self._answered()})
        if self._streamed:
            add("after200.streams.open", _STREAM, 0)
            if self._has_gap:
                add("after200.stream.longest_gap", outcome)
            if self._has_text:
                add("after200.stream.time_to_first_text", base)
        self._genai_points(points)
        return points

    def born_at_zero(self) -> dict[str, Any]:
        """The series of `after200.calls` that are there before anything happened to them."""
        points: dict[str, Any] = {}
        watched = (*BORN_ON_EVERY_CALL, *(BORN_ON_STREAMS if self.surface.stream else ()))
        for outcome, phase, failure, error_type, status in watched:
            attributes = {
                **_CALL,
                "gen_ai.request.stream": self.surface.stream,
                "after200.outcome": outcome,
                "after200.phase": phase,
                "after200.failure": failure,
                "error.type": error_type,
                "http.response.status_code": status,
                "after200.wire.status_code": 200,
                **self._client,
            }
            points[series("after200.calls", present(attributes))] = 0
        return points

    def _result(self) -> Attributes:
        ending = self.ending
        return {
            "after200.phase": ending.phase,
            "after200.failure": ending.failure,
            "error.type": ending.error_type,
            "after200.error.code": ending.code,
            "http.response.status_code": self._status,
            "after200.wire.status_code": ending.wire,
        }

    def _answered(self) -> Attributes:
        row = self.row
        return {
            "after200.answer": row.answer,
            "anthropic.message.stop_reason": row.finish_reason,
            "after200.refusal.category": row.category if row.answer == "refused" else None,
            "after200.fallback": self._fallback,
            "anthropic.response.service_tier": row.usage.tier,
            "anthropic.response.speed": row.usage.speed,
        }

    def _tokens(self) -> list[tuple[str, str | None, int]]:
        """The tokens that were told: type, detail, number."""
        usage = self.row.usage
        known: list[tuple[str, str | None, int]] = []
        if self._saw("start"):
            known += [
                ("input", None, usage.input),
                ("cache_read", None, usage.cache_read),
                ("cache_write", None, usage.cache_write - usage.ttl_5m - usage.ttl_1h),
                ("cache_write", "ttl_5m", usage.ttl_5m),
                ("cache_write", "ttl_1h", usage.ttl_1h),
            ]
        if self._saw("close"):
            known += [("output", None, usage.output - usage.thinking), ("output", "thinking", usage.thinking)]
            types = ("input", "output", "cache_read", "cache_write")
            known += [(kind, "compaction", number) for kind, number in zip(types, usage.compaction, strict=True)]
        return known

    def _genai_points(self, points: dict[str, Any]) -> None:
        add = self._adder(points)
        base = {
            **_CALL,
            "server.address": "127.0.0.1",
            "server.port": self._server.port,
            "gen_ai.response.model": self._model,
        }
        result = {"error.type": self.ending.error_type, "http.response.status_code": self._status}
        add("gen_ai.client.operation.duration", {**base, **result})
        if self._streamed and self._chunks:
            add("gen_ai.client.operation.time_to_first_chunk", base)
        for kind, tokens in (("input", self._all_input), ("output", self._output)):
            if tokens is not None:
                add("gen_ai.client.token.usage", {**base, "gen_ai.token.type": kind}, (1, tokens))

    @staticmethod
    def _adder(points: dict[str, Any]) -> Any:
        def add(metric: str, attributes: Attributes, value: Any = 1) -> None:
            name = series(metric, present(attributes))
            points[name] = value if isinstance(value, tuple) else points.get(name, 0) + value

        return add

    # --- the log record ---

    def log_records(self, exception: BaseException | None) -> list[Attributes]:
        """The attributes of every log record, when this is what the application saw raised in the end."""
        ending = self.ending
        if ending.error_type is None:
            return []
        told = ending.raises == "always" or (ending.raises == "parsed" and self.surface.decoding == "sdk")
        if exception is not None and came_out_of_the_request(exception):
            # Of a body that says nothing to it, one SDK makes an exception in the request, another one later.
            told = True
        exception_type = None if exception is None or not told else qualified_name(exception)
        return [
            {
                "event": "gen_ai.client.operation.exception",
                "severity": "WARN",
                **self._client,
                **_CALL,
                **present(
                    {
                        "after200.phase": ending.phase,
                        "exception.type": exception_type,
                        "exception.message": ending.message,
                        "error.type": ending.error_type,
                        "after200.failure": ending.failure,
                        "after200.error.code": ending.code,
                        "http.response.status_code": ending.status,
                        "after200.wire.status_code": ending.wire,
                        "anthropic.request.id": None if ending.wire is None else self._request_id,
                    }
                ),
            }
        ]


def failure_of_attempt(status: int | None, error_type: str | None) -> str | None:
    """`after200.failure` of an attempt: by its status alone, and without one by how it was lost."""
    if status is None:
        lost = {"connection_error": "connection", "client_timeout_error": "timeout", "stream_malformed": "malformed"}
        return lost[error_type or ""]
    if status < 400:
        return None
    by_status = {401: "denied", 402: "billing", 403: "denied", 408: "timeout", 429: "rate_limited", 503: "overloaded"}
    by_status |= {504: "timeout", 529: "overloaded"}
    return by_status.get(status, "invalid_request" if status < 500 else "server_error")


def ending_on(row: Row, surface: Way) -> Ending:
    """How a call ends that goes as `row` says, made on `surface`."""
    if surface.stream:
        return row.stream_lazy or row.stream if surface.decoding == "lazy" else row.stream
    if surface.decoding == "lazy":
        return row.whole_lazy or row.whole
    return row.whole_application or row.whole if surface.decoding == "application" else row.whole


def present(attributes: Attributes) -> Attributes:
    """`attributes` without those that have no value: absent is absent."""
    return {name: value for name, value in attributes.items() if value is not None}
