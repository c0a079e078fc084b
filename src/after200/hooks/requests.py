# SPDX-License-Identifier: Apache-2.0
"""A call starts when the SDK's client is asked to send a request, and may end before there is a stream.

`request` is above retries and middleware and overridden by no provider, so one time through it is one call. What the
SDK asks its other methods on the way says what each attempt was answered.
"""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from collections.abc import Mapping
from contextvars import Token
from functools import lru_cache
from typing import Any, Final

from ..call import statuses
from ..call.bodies import read_whole_body
from ..call.events import note_error, note_finish_reason, read_usage
from ..call.limits import name
from ..call.record import Call, ProviderError, Verdict
from ..call.verdict import exception_type, failed, judge, read_error_header
from ..guard import guarded
from .bodies import follow_body
from .current import current_call
from .endings import end, finish, finish_deferred
from .surfaces import find_surface, model_in_url

_PROVIDERS: Final = (("Bedrock", "aws.bedrock"), ("Vertex", "gcp.vertex_ai"))

_PARAMETERS: Final[dict[str, tuple[type, ...]]] = {
    "max_tokens": (int,),
    "temperature": (float, int),
    "top_p": (float, int),
    "top_k": (int,),
}


class RequestHooks:
    """The wrappers around the methods of the SDK's base client. Each has the signature that wrapt asks for."""

    def __init__(self, signals: Any) -> None:
        self._signals = signals

    # --- the call ---

    def request(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `SyncAPIClient.request`."""
        call = self._begin(instance, args, kwargs)
        token = enter(call)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as exception:
            leave(call, token) or leave(call, token)
            refused(call, exception)
            raise
        leave(call, token) or leave(call, token)
        answered(call, result)
        return result

    async def arequest(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `AsyncAPIClient.request`."""
        call = self._begin(instance, args, kwargs)
        token = enter(call)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as exception:
            leave(call, token) or leave(call, token)
            refused(call, exception)
            raise
        leave(call, token) or leave(call, token)
        answered(call, result)
        return result

    @guarded
    def _begin(self, client: Any, args: Any, kwargs: Any) -> Call | None:
        if self._signals.suppressed():
            return None
        finish_deferred()
        options = args[1] if len(args) > 1 else kwargs["options"]
        surface = find_surface(options.method, options.url)
        if surface is None:
            return None
        body = request_body(options)
        host, port = server_of(client.base_url)
        call = Call(
            operation=surface.operation,
            provider=provider_name(client),
            model=name(body.get("model")) or model_in_url(options.url),
            stream=bool(kwargs.get("stream")),
            server_address=host,
            server_port=port,
            parameters=request_parameters(body),
            end_rule=surface.end_rule,
        )
        call.process = os.getpid()
        call.sends_more = bool(getattr(client, "middleware", ()))
        call.signals = self._signals
        self._signals.begin(call, sdk_traces=sdk_traces(client))
        return call

    # --- its attempts ---

    def build_request(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `BaseClient._build_request`: an attempt is about to be sent."""
        call = current_call.get()
        if call is not None:
            note_sending(call)
        return wrapped(*args, **kwargs)

    def should_retry(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `BaseClient._should_retry`: an attempt was answered with an HTTP error, and may be repeated."""
        call = current_call.get()
        if call is not None:
            note_refusal(call, args[0] if args else kwargs.get("response"))
        return wrapped(*args, **kwargs)

    def retry_timeout(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `BaseClient._calculate_retry_timeout`: called where the exception that lost an attempt is handled."""
        call = current_call.get()
        if call is not None:
            note_loss(call, sys.exc_info()[1])
        return wrapped(*args, **kwargs)

    def process_response(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Around `_process_response` of both clients: an attempt was answered with success."""
        call = current_call.get()
        if call is not None:
            note_response(call, kwargs.get("response"))
        return wrapped(*args, **kwargs)


# --- on the way ---


@guarded
def enter(call: Call | None) -> Token[Call | None] | None:
    """Makes `call` the one whose request is being sent. A request that is no call hides the call around it."""
    if call is None and current_call.get() is None:
        return None
    return current_call.set(call)


@guarded
def leave(call: Call | None, token: Token[Call | None] | None) -> bool:
    """The request of `call` is over. Whether that is done: else what is current would stay so."""
    if token is not None:
        # A coroutine that is thrown away is closed in whatever context that happens; and a token is good for one time.
        with contextlib.suppress(ValueError, RuntimeError):
            current_call.reset(token)
    return call is None or call.handle is None or bool(call.handle.leave())


@guarded
def note_sending(call: Call) -> None:
    """An attempt is about to be sent."""
    call.sending()


@guarded
def note_refusal(call: Call, response: Any) -> None:
    """An attempt was answered with an HTTP error, whose body nobody has read."""
    status = response.status_code
    call.answered(status, read_error_header(response.headers.get("x-amzn-errortype")) or str(status))


@guarded
def note_loss(call: Call, exception: BaseException | None) -> None:
    """An attempt was lost to `exception`, unless it has been answered."""
    if call.awaiting_answer:
        call.lost(None if exception is None else exception_type(exception))


@guarded
def note_response(call: Call, response: Any) -> None:
    """`response` answered an attempt with success."""
    call.answered(response.status_code)
    call.wire_status = response.status_code
    call.request_id = name(response.headers.get("request-id"))
    if not call.stream:
        call.answer = weakref.ref(response)


# --- the end before a stream ---


@guarded
def refused(call: Call | None, exception: BaseException) -> None:
    """The request of `call` raised, so there is no stream."""
    if call is None or call.ended:
        return
    verdict = judge_answer(call, exception) or judge(call, "raised", exception)
    response = getattr(exception, "response", None)
    if verdict.outcome == "failed" and verdict.phase == "request" and verdict.status is not None:
        call.answered(verdict.status, verdict.error_type)
        call.request_id = name(response.headers.get("request-id")) if response is not None else None
    elif verdict.error_type in (statuses.CONNECTION, statuses.CLIENT_TIMEOUT):
        call.lost(verdict.error_type)
    elif verdict.outcome != "failed":
        call.lost(None)
    end(call, verdict)


@guarded
def judge_answer(call: Call, exception: BaseException) -> Verdict | None:
    """The verdict by a whole body that came with success, when `exception` is what the SDK made of it."""
    response = None if call.answer is None else call.answer()
    if response is None or not response.is_stream_consumed or not isinstance(exception, Exception):
        return None
    if not read_whole_body(call, response.content):
        return failed(call, ProviderError(statuses.MALFORMED, None), exception=exception)
    if call.error is None and call.response_id is not None and not refuses_responses(exception):
        # A message, but its text is not what the application asked `parse` to make of it.
        return Verdict("completed")
    return None


def refuses_responses(exception: Exception) -> bool:
    """Whether the SDK, asked to be strict, did not accept a response that is JSON."""
    return type(exception).__name__ == "APIResponseValidationError"


@guarded
def answered(call: Call | None, result: Any) -> None:
    """The request of `call` returned `result`: a stream that has yet to be read, a raw response, or a whole message."""
    if call is None or call.ended:
        return
    response = find_response(result)
    if response is None:
        end(call, judge_message(call, result))
        return
    if call.wire_status is None:
        note_response(call, response)
    if not call.stream and response.is_closed:
        # A raw response that the SDK has read: what its body says, it says now.
        read_whole_body(call, response.content)
        call.stopped()
        finish(call, "read")
        return
    if call.stream:
        call.streaming = True
        call.signals.stream_began(call)
    follow_body(call, response)


def find_response(result: Any) -> Any:
    """The HTTP response behind what a request returned, `None` for a message that has been parsed."""
    for candidate in (getattr(result, "http_response", None), getattr(result, "response", None), result):
        if candidate is not None and hasattr(candidate, "status_code") and hasattr(candidate, "is_stream_consumed"):
            return candidate
    return None


def judge_message(call: Call, message: Any) -> Verdict:
    """The verdict on a call that returned a whole message. The SDK builds one from whatever JSON it gets."""
    if isinstance(message, str):
        # The SDK hands a body that is not JSON to the application as text, in place of a message.
        return failed(call, ProviderError(statuses.MALFORMED, None))
    if getattr(message, "type", None) == "error":
        note_error(call, {"error": plain(getattr(message, "error", None))})
        return judge(call, "read")
    call.response_id = name(getattr(message, "id", None))
    call.response_model = name(getattr(message, "model", None))
    note_finish_reason(call, getattr(message, "stop_reason", None))
    read_usage(call, plain(getattr(message, "usage", None)))
    return Verdict("completed")


def plain(model: Any) -> object:
    """The fields of a model of the SDK's as a mapping. The SDK does not validate, so it may be anything else."""
    if isinstance(model, Mapping):
        return model
    fields = getattr(model, "__dict__", None)
    # What the version does not know as a field: the tokens of the cache before 0.34.
    extra = getattr(model, "__pydantic_extra__", None)
    return {**fields, **extra} if fields is not None and extra else fields


# --- what a request says ---


def request_body(options: Any) -> Mapping[str, Any]:
    """The request's body as the SDK will send it: what the caller adds by `extra_body` goes over the rest."""
    body = options.json_data if isinstance(options.json_data, Mapping) else {}
    extra = getattr(options, "extra_json", None)
    return {**body, **extra} if extra and isinstance(extra, Mapping) else body


def provider_name(client: Any) -> str:
    """`gen_ai.provider.name`, by the client's class or the class of the SDK that it extends."""
    return _provider_of(type(client))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _provider_of(client_class: type[Any]) -> str:
    for cls in client_class.__mro__:
        if cls.__module__.partition(".")[0] == "anthropic":
            for part, provider in _PROVIDERS:
                if part in cls.__name__:
                    return provider
    return "anthropic"


def sdk_traces(client: Any) -> bool:
    """Whether the SDK is about to make a span of its own for a call of `client` (1.14 and later)."""
    module = sys.modules.get("anthropic._base_client")
    return getattr(client, "_tracer", None) is not None and hasattr(module, "start_api_call_span")


def server_of(base_url: Any) -> tuple[str | None, int | None]:
    """`server.address` and `server.port`. A client that finds out where its server is when it sends has none yet."""
    if not base_url.host:
        return None, None
    return base_url.host, base_url.port or (80 if base_url.scheme == "http" else 443)


def request_parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request's parameters that the conventions have attributes for. One-shot iterators in it are left alone."""
    parameters: dict[str, Any] = {}
    for parameter, types in _PARAMETERS.items():
        value = body.get(parameter)
        if isinstance(value, types) and not isinstance(value, bool):
            parameters[parameter] = float(value) if types[0] is float else value  # type: ignore[arg-type]
    stop_sequences = body.get("stop_sequences")
    if isinstance(stop_sequences, (list, tuple)) and stop_sequences:
        parameters["stop_sequences"] = tuple(str(sequence) for sequence in stop_sequences[:16])
    return parameters
