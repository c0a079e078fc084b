# SPDX-License-Identifier: Apache-2.0
"""A stream that ends inside a character was cut, although the SDK raises for the bytes that are no text."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import OPENING, START, STOP, chunk, event
from ..support.in_memory.transport import Answer, Transport, client
from ..support.telemetry import Telemetry

CUT = 'event: content_block_delta\ndata: {"delta": "…'.encode()[:-1]


def read(pieces: tuple[bytes, ...]) -> type[BaseException] | None:
    """Reads a stream to its end. Returns the class of what the SDK raises."""
    sdk: Any = client("Anthropic", Transport(Answer(pieces), []), asynchronous=False)
    try:
        for _ in sdk.messages.create(stream=True, **REQUEST):
            pass
    except UnicodeDecodeError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("pieces", "outcome", "error_type"),
    [
        ((event(START), event(OPENING), event(chunk("word")), CUT), "truncated", "stream_truncated"),
        ((CUT,), "truncated", "stream_truncated"),
        ((b"<p>\xe2",), "failed", "stream_malformed"),
        # What is no text and is whole was not cut.
        ((event(START), CUT + b"\n\n", event(STOP)), "failed", "stream_malformed"),
    ],
)
def test_a_stream_that_ends_inside_a_character_was_cut(
    pieces: tuple[bytes, ...], outcome: str, error_type: str, telemetry: Telemetry
) -> None:
    bare = read(pieces)
    with telemetry.instrumented():
        assert bare == read(pieces)
    [call] = telemetry.calls
    assert (outcome, error_type) == (call.outcome, call.error_type)
