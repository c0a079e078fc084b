# SPDX-License-Identifier: Apache-2.0
"""The hooks around the streams that the SDK parses.

Two iterators are put in the way of the events: `wire_events` sees each event as it was on the wire; `delivered_events`
sees what the SDK raises, and knows whether the application waits.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TypeVar

from ...call.errors import read_frame_error
from ...call.events import decode
from ...call.facts import Facts
from ...following.reading import deliver
from ...following.responses import find
from ...following.running import RunningCall
from ...guard import guarded
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .calls import SDKCall
from .delivered_events import ADeliveredEvents, Reading, delivered_events
from .objects import Frame, Stream
from .wire_events import AWireEvents, wire_events

Events = TypeVar("Events")

_decoders: weakref.WeakKeyDictionary[object, RunningCall] = weakref.WeakKeyDictionary()
"""The call whose frames a decoder of Amazon Bedrock's event streams decodes."""


# --- the wrappers, each with the signature that wrapt asks for ---


def stream(wrapped: Wrapped, instance: Stream, args: Arguments, kwargs: Keywords) -> object:
    """Around `Stream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return wrap_delivered(delivered_events, events, instance) or events


def astream(wrapped: Wrapped, instance: Stream, args: Arguments, kwargs: Keywords) -> object:
    """Around `AsyncStream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return wrap_delivered(ADeliveredEvents, events, instance) or events


def iter_events(wrapped: Wrapped, instance: Stream, args: Arguments, kwargs: Keywords) -> object:
    """Around `Stream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return wrap_wire(wire_events, events, instance) or events


def aiter_events(wrapped: Wrapped, instance: Stream, args: Arguments, kwargs: Keywords) -> object:
    """Around `AsyncStream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return wrap_wire(AWireEvents, events, instance) or events


def close(wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
    """Around the `close` of a stream or a raw response: the application is done with it."""
    close_stream(instance)
    return wrapped(*args, **kwargs)


def parse_frame(wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
    """Around `AWSEventStreamDecoder._parse_message_from_event`."""
    read_frame(instance, args[0] if args else kwargs.get("event", ABSENT))
    return wrapped(*args, **kwargs)


# --- what they do ---


@guarded
def wrap_delivered(kind: Callable[[Events, Reading], object], events: Events, stream: Stream) -> object:
    """Returns `events`, which `stream` hands to the application, in the iterator that `kind` makes."""
    return kind(events, Reading(stream.response))


@guarded
def wrap_wire(kind: Callable[[Events, SDKCall], object], events: Events, stream: Stream) -> object:
    """Returns `events`, which `stream` is about to parse, in the iterator that `kind` makes.

    Returns None when nobody hands them to the application: the tap on the body reads them from the bytes.
    """
    running = find(stream.response)
    if not isinstance(running, SDKCall) or running.reader is None:
        return None
    running.events_are_parsed = True
    decoder = getattr(stream, "_decoder", None)
    if hasattr(decoder, "_parse_message_from_event"):
        _decoders[decoder] = running
    return kind(events, running)


@guarded
def close_stream(stream: object) -> None:
    """The application closes `stream`."""
    response = getattr(stream, "response", None)
    running = find(getattr(stream, "http_response", None) if response is None else response)
    if running is not None:
        deliver(running, "close")


@guarded
def read_frame(decoder: object, frame: Frame) -> None:
    """Reads the error in a frame of Amazon Bedrock's while the frame is whole.

    The SDK raises a bare `ValueError` for it before 1.7, knows no type that botocore does not know, and never keeps
    `originalStatusCode`.
    """
    running = _decoders.get(decoder)
    if running is not None:
        error = read_frame_error(frame.headers, decode(frame.payload))
        if error is not None:
            running.see_event()
            running.learn(Facts(error=error))
