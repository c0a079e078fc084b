# SPDX-License-Identifier: Apache-2.0
"""The hooks around the streams that the SDK parses.

Two iterators are put in the way of the events: `wire_events` sees each event as it was on the wire; `delivered_events`
sees what the SDK raises, and knows whether the application waits.
"""

from __future__ import annotations

import weakref

from ...call.errors import read_frame_error
from ...call.events import decode
from ...call.facts import Facts
from ...following.foreign import Arguments, Foreign, Keywords, Wrapped
from ...following.reading import deliver
from ...following.responses import find
from ...following.running import RunningCall
from ...guard import guarded
from .delivered_events import ADeliveredEvents, Reading, delivered_events
from .wire_events import AWireEvents, wire_events

_decoders: weakref.WeakKeyDictionary[Foreign, RunningCall] = weakref.WeakKeyDictionary()
"""The call whose frames a decoder of Amazon Bedrock's event streams decodes."""


# --- the wrappers, each with the signature that wrapt asks for ---


def stream(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around `Stream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return observed(delivered_events, events, instance) or events


def astream(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around `AsyncStream.__stream__`."""
    events = wrapped(*args, **kwargs)
    return observed(ADeliveredEvents, events, instance) or events


def iter_events(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around `Stream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return watched(wire_events, events, instance) or events


def aiter_events(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around `AsyncStream._iter_events`."""
    events = wrapped(*args, **kwargs)
    return watched(AWireEvents, events, instance) or events


def close(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around the `close` of a stream or a raw response: the application is done with it."""
    close_stream(instance)
    return wrapped(*args, **kwargs)


def parse_frame(wrapped: Wrapped, instance: Foreign, args: Arguments, kwargs: Keywords) -> Foreign:
    """Around `AWSEventStreamDecoder._parse_message_from_event`."""
    read_frame(instance, args[0] if args else kwargs.get("event"))
    return wrapped(*args, **kwargs)


# --- what they do ---


@guarded
def observed(kind: Foreign, events: Foreign, stream: Foreign) -> Foreign:
    """Returns `events`, which `stream` hands to the application, in the iterator that `kind` makes."""
    return kind(events, Reading(stream.response))


@guarded
def watched(kind: Foreign, events: Foreign, stream: Foreign) -> Foreign:
    """Returns `events`, which `stream` is about to parse, in the iterator that `kind` makes.

    Returns None when nobody hands them to the application: the tap on the body reads them from the bytes.
    """
    running = find(stream.response)
    if running is None or running.reader is None:
        return None
    running.watched = True
    decoder = getattr(stream, "_decoder", None)
    if hasattr(decoder, "_parse_message_from_event"):
        _decoders[decoder] = running
    return kind(events, running)


@guarded
def close_stream(stream: Foreign) -> None:
    """The application closes `stream`."""
    response = getattr(stream, "response", None)
    running = find(getattr(stream, "http_response", None) if response is None else response)
    if running is not None:
        deliver(running, "close")


@guarded
def read_frame(decoder: Foreign, frame: Foreign) -> None:
    """Reads the error in a frame of Amazon Bedrock's while the frame is whole.

    The SDK raises a bare `ValueError` for it before 1.7, knows no type that botocore does not know, and never keeps
    `originalStatusCode`.
    """
    running = _decoders.get(decoder)
    if running is not None:
        error = read_frame_error(frame.headers, decode(frame.payload))
        if error is not None:
            running.event_came()
            running.learn(Facts(error=error))
