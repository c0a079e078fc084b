# SPDX-License-Identifier: Apache-2.0
"""The bytes that are judged are those that the HTTP client hands on: rule 9 of section 2 of the contract.

Whatever the headers say of their encoding, and whoever has read the body before the application does.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from after200 import names
from after200.testing import RecordedTelemetry

from ..support.in_memory.answers import body
from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import CLOSING, DELTA, OPENING, START, STOP, chunk, error
from ..support.in_memory.transport import Answer, Transport, client, http
from ..support.sdk_tracing import HAS_TRACING, sdk_spans

GOOD = b"".join(body(START, OPENING, chunk("word"), CLOSING, DELTA, STOP))
BODIES: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "good": (GOOD, ("completed", None, 200, 1, "complete")),
    "failed": (
        b"".join(body(START, OPENING, chunk("word"), error("overloaded_error"))),
        ("failed", "overloaded_error", 529, 1, None),
    ),
    "cut": (b"".join(body(START, OPENING, chunk("word"))), ("truncated", "stream_truncated", None, 1, None)),
    "json": (json.dumps(error("overloaded_error")).encode(), ("failed", "overloaded_error", 529, 0, None)),
}


def twice(data: bytes) -> bytes:
    return gzip.compress(gzip.compress(data))


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "UTF-8": bytes,
    "aws-chunked": bytes,
    "": bytes,
    "identity, none": bytes,
    "GZIP": gzip.compress,
    "gzip, gzip": twice,
    "deflate,gzip": lambda data: gzip.compress(zlib.compress(data)),
    "none, gzip": gzip.compress,
}

Read = Callable[[Any], None]


def by_lines(messages: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        list(response.iter_lines())


def by_bytes(messages: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        list(response.iter_bytes())


def by_the_plain_response(messages: Any) -> None:
    with messages.with_streaming_response.create(stream=True, **REQUEST) as response:
        list(response.http_response.iter_lines())


def by_events(messages: Any) -> None:
    for _ in messages.create(stream=True, **REQUEST):
        pass


READS: list[Read] = [by_lines, by_bytes, by_the_plain_response, by_events]


def read_body(response: Any) -> None:
    """A hook of the HTTP client that logs what came."""
    response.read()


async def aread_body(response: Any) -> None:
    await response.aread()


def recorded(telemetry: RecordedTelemetry) -> tuple[Any, ...]:
    [call] = telemetry.calls
    answer = call.attributes.get(names.ANSWER)
    return (call.outcome, call.error_type, call.status, call.chunks, answer)


def settings(spans: str, telemetry: RecordedTelemetry) -> dict[str, Any]:
    if spans == "annotate" and not HAS_TRACING:
        pytest.skip("this version of the SDK has no tracing of its own")
    return sdk_spans(telemetry.tracer_provider if spans == "annotate" else None)


@pytest.mark.parametrize("read", [by_lines, by_events], ids=lambda read: read.__name__)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", BODIES)
def test_a_content_encoding_is_read_as_the_http_client_reads_it(kind: str, encoding: str, read: Read) -> None:
    data, expected = BODIES[kind]
    headers = {"content-type": "text/event-stream", "content-encoding": encoding}
    sdk = client("Anthropic", Transport(Answer((ENCODINGS[encoding](data),), headers=headers), []), asynchronous=False)
    with RecordedTelemetry() as telemetry, contextlib.suppress(anthropic.APIStatusError):
        read(sdk.messages)
    assert expected == recorded(telemetry)


@pytest.mark.parametrize("spans", ["own", "annotate"])
@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_a_hook_has_read_is_judged_from_its_content(kind: str, read: Read, spans: str) -> None:
    data, expected = BODIES[kind]
    with RecordedTelemetry(spans=spans) as telemetry:
        sdk = client("Anthropic", Transport(Answer((data,)), []), asynchronous=False, **settings(spans, telemetry))
        sdk._client.event_hooks = {"response": [read_body]}
        with contextlib.suppress(anthropic.APIStatusError):
            read(sdk.messages)
    assert expected == recorded(telemetry)


async def test_a_body_that_an_async_hook_has_read_is_judged_from_its_content() -> None:
    for kind, (data, expected) in BODIES.items():
        with RecordedTelemetry() as telemetry:
            sdk = client("Anthropic", Transport(Answer((data,)), []), asynchronous=True)
            sdk._client.event_hooks = {"response": [aread_body]}
            async with sdk.messages.with_streaming_response.create(stream=True, **REQUEST) as response:
                async for _ in response.iter_lines():
                    pass
        assert expected == recorded(telemetry), kind


def test_a_body_that_comes_whole_from_a_cache_is_judged_from_its_content() -> None:
    for kind, (data, expected) in BODIES.items():
        transport = Transport(Answer((data,)), [])
        transport.respond = lambda request, data=data: http.Response(200, content=data)  # type: ignore[method-assign]
        with RecordedTelemetry() as telemetry:
            by_lines(client("Anthropic", transport, asynchronous=False).messages)
        assert expected == recorded(telemetry), kind


@pytest.mark.parametrize("read_as", ["a message", "a raw response"])
def test_events_are_no_answer_to_a_call_that_asked_for_a_message_unless_it_reads_them_raw(read_as: str) -> None:
    sdk = client("Anthropic", Transport(Answer((GOOD,)), []), asynchronous=False)
    with RecordedTelemetry() as telemetry:
        if read_as == "a message":
            assert isinstance(sdk.messages.create(**REQUEST), str)
        else:
            sdk.messages.with_raw_response.create(**REQUEST)
    [call] = telemetry.calls
    expected = ("failed", "stream_malformed", "first_chunk") if read_as == "a message" else ("completed", None, None)
    assert expected == (call.outcome, call.error_type, call.phase)
    assert telemetry.total(names.TOKENS.name) > 0


class Silent(http.SyncByteStream):  # type: ignore[misc]
    """A body that falls silent after its first piece, until it is closed."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self.is_silent, self.is_closed = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self.is_silent.set()
        self.is_closed.wait(60)
        raise http.ReadError("closed")

    def close(self) -> None:
        self.is_closed.set()


def test_the_silence_of_a_stream_that_is_read_by_lines_counts_when_a_watchdog_closes_it() -> None:
    silent = Silent(b"".join(body(START, OPENING, chunk("word"))))
    transport = Transport(Answer(()), [])
    transport.respond = lambda request: http.Response(  # type: ignore[method-assign]
        200, headers={"content-type": "text/event-stream"}, stream=silent
    )
    sdk = client("Anthropic", transport, asynchronous=False)
    with (
        RecordedTelemetry() as telemetry,
        sdk.messages.with_streaming_response.create(stream=True, **REQUEST) as response,
    ):

        def watch() -> None:
            silent.is_silent.wait()
            response.close()

        watchdog = threading.Thread(target=watch)
        watchdog.start()
        with pytest.raises(http.ReadError):
            list(response.iter_lines())
        watchdog.join()
    [call] = telemetry.calls
    assert "closed" == call.outcome
    assert call.attributes[names.STREAM_LONGEST_GAP] >= 0


@pytest.mark.parametrize("status", [301, 302, 304, 307])
@pytest.mark.parametrize("spans", ["own", "annotate"])
def test_a_redirect_that_nobody_follows_is_one_attempt_with_its_status(status: int, spans: str) -> None:
    with RecordedTelemetry(spans=spans) as telemetry:
        sdk = client(
            "Anthropic", Transport(Answer((), status=status), []), asynchronous=False, **settings(spans, telemetry)
        )
        with pytest.raises(Exception, match=str(status)):
            sdk.messages.create(stream=True, **REQUEST)
    [call] = telemetry.calls
    expected = ("failed", "request", str(status), status, status, "other")
    assert expected == (call.outcome, call.phase, call.error_type, call.status, call.wire_status, call.failure)
    attempts = [(point.attributes[names.ERROR_TYPE], point.value) for point in telemetry.points(names.ATTEMPTS.name)]
    assert [(str(status), 1)] == attempts
