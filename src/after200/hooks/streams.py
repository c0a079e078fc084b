# SPDX-License-Identifier: Apache-2.0
"""What goes by in a stream that the SDK parses, and how the reading of it ends; sync and async twins.

Two generators stand in the way of the events: `watch` sees each event as it was on the wire, before the SDK drops what
it does not know, and `judge` sees what the SDK raises. Both start when the application asks for the first event, find
their call by the HTTP response, and keep no reference to the stream that the application holds.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..call.bodies import read_error_frame
from ..call.events import CHUNK, read_event
from ..call.record import Call, clock
from ..guard import guarded
from .bodies import calls
from .current import aclose
from .endings import drop, finish
from .exceptions import correct

_decoders: weakref.WeakKeyDictionary[Any, Call] = weakref.WeakKeyDictionary()
"""The call whose frames a decoder of Bedrock's decodes."""

note = guarded(read_event)


# --- the wrappers, each with the signature that wrapt asks for ---


def stream(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `Stream.__stream__`."""
    own: list[Any] = []
    events = judged(wrapped(*args, **kwargs), instance.response, own)
    own.append(weakref.ref(events))
    return events


def astream(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AsyncStream.__stream__`."""
    own: list[Any] = []
    events = ajudged(wrapped(*args, **kwargs), instance.response, own)
    own.append(weakref.ref(events))
    return events


def iter_events(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `Stream._iter_events`."""
    call = find_call(instance)
    if call is None or call.reader is None:  # Without who reads it, the bytes of the body have to do.
        return wrapped(*args, **kwargs)
    call.watched = True
    if only_forwards(wrapped, "iter_bytes"):
        return watched(instance._decoder.iter_bytes(instance.response.iter_bytes()), call)
    return watched(wrapped(*args, **kwargs), call)


def aiter_events(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AsyncStream._iter_events`."""
    call = find_call(instance)
    if call is None or call.reader is None:  # Without who reads it, the bytes of the body have to do.
        return wrapped(*args, **kwargs)
    call.watched = True
    if only_forwards(wrapped, "aiter_bytes"):
        return awatched(instance._decoder.aiter_bytes(instance.response.aiter_bytes()), call)
    return awatched(wrapped(*args, **kwargs), call)


@guarded
def only_forwards(wrapped: Any, iter_bytes: str) -> bool:
    """Whether `_iter_events` hands on what the decoder makes of the bytes, and nothing else, as the SDK's has always.

    Then the generator that watches takes its place, instead of one more generator that every event has to pass.
    """
    code = getattr(getattr(wrapped, "__func__", None), "__code__", None)
    return code is not None and code.co_names == ("_decoder", iter_bytes, "response")


def close(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around the `close` of `Stream` and `AsyncStream`: the application is done with the stream."""
    call = find_call(instance)
    if call is not None:
        finish(call, "closed")
    return wrapped(*args, **kwargs)


def parse_frame(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Around `AWSEventStreamDecoder._parse_message_from_event`."""
    note_frame(instance, args[0] if args else kwargs.get("event"))
    return wrapped(*args, **kwargs)


# --- how the reading ends ---


def judged(events: Iterator[Any], response: Any, own: list[Any]) -> Iterator[Any]:
    """`events` as they are. What is raised out of them, their end and their being dropped end the call."""
    call = start_reading(response, own)
    del response
    try:
        # No event in a variable, which would keep it alive until the next one comes.
        yield from events
    except GeneratorExit:
        if call is not None:
            drop(call)
        raise
    except BaseException as exception:
        if call is not None:
            finish(call, "raised", exception)
            if correct(call, exception):
                raise exception
        raise
    if call is not None:
        finish(call, "read")


async def ajudged(events: AsyncIterator[Any], response: Any, own: list[Any]) -> AsyncIterator[Any]:
    """`events` as they are. What is raised out of them, their end and their being dropped end the call."""
    call = start_reading(response, own)
    del response
    following = aiter(events).__anext__
    try:
        while True:
            # Not in a variable, which would keep the event alive until the next one comes.
            yield await following()
    except StopAsyncIteration:
        pass
    except GeneratorExit:
        if call is not None:
            drop(call)
        await aclose(events)
        raise
    except BaseException as exception:
        if getattr(events, "ag_frame", None) is not None:
            # Not out of `events`: an event loop that ends cancels the closing of what was dropped before.
            if call is not None:
                drop(call)
            await aclose(events)
            raise
        if call is not None:
            finish(call, "raised", exception)
            if correct(call, exception):
                raise exception
        raise
    if call is not None:
        finish(call, "read")


@guarded
def start_reading(response: Any, own: list[Any]) -> Call | None:
    """The call whose stream is being read from here on."""
    call = calls.get(response)
    if call is not None:
        call.reader = own[0]
    return call


@guarded
def find_call(stream: Any) -> Call | None:
    """The call of a stream of the SDK's."""
    call = calls.get(stream.response)
    decoder = getattr(stream, "_decoder", None)
    if call is not None and hasattr(decoder, "_parse_message_from_event"):
        _decoders[decoder] = call
    return call


@guarded
def note_frame(decoder: Any, frame: Any) -> None:
    """Notes the error in a frame of Bedrock's, while it is whole."""
    call = _decoders.get(decoder)
    if call is not None:
        read_error_frame(call, frame)


# --- what goes by ---


def watched(events: Iterator[Any], call: Call) -> Iterator[Any]:
    """`events` as they are, each noted. After the first chunk, a chunk costs as little as can be."""
    for sse in events:
        note(call, sse.event, sse.data)
        yield sse
        if call.first_chunk_at is not None:
            break
    else:
        return
    if call.on_gap is not None or not hasattr(sse, "_event"):
        for sse in events:
            note(call, sse.event, sse.data)
            yield sse
        return
    last = call.last_chunk_at
    longest = call.longest_gap
    for sse in events:
        if sse._event == CHUNK:
            now = clock()
            if now - last > longest:
                call.longest_gap = longest = now - last
            call.last_chunk_at = last = now
            call.chunks += 1
        else:
            note(call, sse._event, sse._data)
            last = call.last_chunk_at
            longest = call.longest_gap
        yield sse


async def awatched(events: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
    """`events` as they are, each noted. After the first chunk, a chunk costs as little as can be."""
    async for sse in events:
        note(call, sse.event, sse.data)
        yield sse
        if call.first_chunk_at is not None:
            break
    else:
        return
    if call.on_gap is not None or not hasattr(sse, "_event"):
        async for sse in events:
            note(call, sse.event, sse.data)
            yield sse
        return
    last = call.last_chunk_at
    longest = call.longest_gap
    async for sse in events:
        if sse._event == CHUNK:
            now = clock()
            if now - last > longest:
                call.longest_gap = longest = now - last
            call.last_chunk_at = last = now
            call.chunks += 1
        else:
            note(call, sse._event, sse._data)
            last = call.last_chunk_at
            longest = call.longest_gap
        yield sse
