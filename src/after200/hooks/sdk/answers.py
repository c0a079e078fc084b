# SPDX-License-Identifier: Apache-2.0
"""What a request came back with, before there is a stream to read: an exception, a whole message, or a response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...call import statuses
from ...call.bodies import reader_for
from ...call.ended import Verdict
from ...call.exceptions import headers_of, read_exception, read_should_retry
from ...call.facts import IS_MALFORMED, Facts, ProviderError
from ...call.limits import name
from ...call.messages import read_whole
from ...call.rate_limits import read_rate_limits
from ...call.verdict import completed, failed, judge
from ...following.bodies import follow_body
from ...following.foreign import Foreign
from ...following.running import RunningCall
from ...guard import guarded
from ...names import OTHER

DEPTH: Final = 4
"""How many levels of the SDK's models are looked at: a message, its usage, the entries of it, their details."""


@guarded
def note_response(running: RunningCall, response: Foreign) -> None:
    """`response` answered the open attempt; the SDK takes it for a success."""
    running.attempt_answered(response.status_code)
    call = running.call
    call.wire_status = response.status_code
    call.request_id = name(response.headers.get("request-id"))
    if not call.stream:
        call.should_retry = read_should_retry(response.headers)
        running.whole_response = response
    note_rate_limits(running, response)


@guarded
def note_http_error(running: RunningCall, response: Foreign) -> None:
    """`response` answered the open attempt with an HTTP error, whose body nobody has read."""
    running.attempt_answered(response.status_code)
    note_rate_limits(running, response)


@guarded
def note_rate_limits(running: RunningCall, response: Foreign) -> None:
    """Records the rate limits that the headers of `response` state."""
    limits = read_rate_limits(response.headers.raw)
    if limits and running.recording is not None:
        running.recording.rate_limits(running.call, limits)


@guarded
def refused(running: RunningCall | None, exception: BaseException) -> None:
    """The request of the call raised `exception`, so there is no stream."""
    if running is None or running.ended is not None:
        return
    verdict = judge_refused_body(running, exception)
    if verdict is not None:
        running.end_with(verdict)
        return
    raised = read_exception(exception)
    if raised.status is not None and raised.status >= 400:
        running.call.wire_status = raised.status
        running.attempt_answered(raised.status)
        running.call.request_id = name(headers_of(exception).get("request-id"))
        response = getattr(exception, "response", None)
        if response is not None:
            note_rate_limits(running, response)
    elif raised.kind == "failure" and raised.error.type != OTHER:
        running.attempt_lost(raised.error.type)
    elif raised.kind in ("cancelled", "left"):
        running.attempt_lost(None)
    running.end("raised", exception)


@guarded
def judge_refused_body(running: RunningCall, exception: BaseException) -> Verdict | None:
    """Returns the verdict by the whole body that came with a success, when `exception` is what the SDK made of it."""
    response = running.whole_response
    if response is None or not response.is_stream_consumed or not isinstance(exception, Exception):
        return None
    raised = read_exception(exception)
    if raised.kind in ("cancelled", "left"):
        return None
    call = running.call
    learn_all(running, body_facts(running, response.content, response.headers.get("content-type", "")))
    # An SDK that is asked to be strict raises this class for a response that is JSON and no message.
    if call.is_answer and call.error is None and type(exception).__name__ != "APIResponseValidationError":
        # A message, whose text is not what the application asked `parse` to make of it.
        return completed(call)
    if call.error is not None or raised.error.type == statuses.MALFORMED:
        return failed(call, call.error or ProviderError(statuses.MALFORMED, None), raised)
    # The SDK decoded the body and then stumbled over what it is: text, or events where a message should be.
    verdict = judge(call, "read")
    return verdict if verdict.error_type is None else verdict._replace(exception_type=raised.class_name)


@guarded
def answered(running: RunningCall | None, result: Foreign) -> None:
    """The request of the call returned `result`: a stream that has yet to be read, a raw response, or a message."""
    if running is None or running.ended is not None:
        return
    call = running.call
    response = find_response(result)
    if response is None:
        learn_all(running, message_facts(running, result))
        running.end_with(judge(call, "read"))
        return
    if call.wire_status is None:
        note_response(running, response)
    running.whole_response = None
    if not call.stream and response.is_closed:
        # A raw response that the SDK has read: its body is judged now.
        learn_all(running, body_facts(running, response.content, response.headers.get("content-type", "")))
        running.end_with(judge(call, "read"))
        return
    if call.stream:
        running.stream_begins()
    follow_body(running, response)


def learn_all(running: RunningCall, all_facts: Iterable[Facts]) -> None:
    """Adds what a whole body said."""
    for facts in all_facts:
        running.learn(facts)


def find_response(result: Foreign) -> Foreign:
    """Returns the HTTP response behind what a request returned, None for a message that has been parsed."""
    for candidate in (getattr(result, "http_response", None), getattr(result, "response", None), result):
        if candidate is not None and hasattr(candidate, "status_code") and hasattr(candidate, "is_stream_consumed"):
            return candidate
    return None


def body_facts(running: RunningCall, body: bytes, content_type: str) -> Iterable[Facts]:
    """Yields what a whole body says, which has been read and decoded."""
    call = running.call
    reader = reader_for(content_type, call.end_rule, stream=call.stream)
    yield from reader.feed(body)
    yield from reader.finish()
    call.events = call.events or reader.events


def message_facts(running: RunningCall, message: Foreign) -> Iterable[Facts]:
    """Yields what the object says that the SDK made of a whole body: a message, or a model of whatever JSON came."""
    if isinstance(message, str):
        # The SDK hands a body of another media type than JSON to the application as text.
        return body_facts(running, message.encode("utf-8", "replace"), "")
    if message is None:
        return (IS_MALFORMED,)
    return (read_whole(plain(message), running.call.end_rule),)


def plain(value: Foreign, depth: int = DEPTH) -> Foreign:
    """Returns a model of the SDK as a mapping, and its models in it. The SDK does not validate: it may be anything."""
    if value is None or isinstance(value, str | int | float) or not depth:
        return value
    if isinstance(value, list):
        return [plain(item, depth - 1) for item in value]
    if isinstance(value, Mapping):
        return value
    fields = getattr(value, "__dict__", None)
    if fields is None:
        return value
    # What the version does not know as a field: the tokens of the cache before 0.34.
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {name: plain(field, depth - 1) for name, field in {**fields, **extra}.items()}
