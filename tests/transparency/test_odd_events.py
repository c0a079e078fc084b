# SPDX-License-Identifier: Apache-2.0
"""An event of a name that some versions of the SDK do not know counts only where this version hands it out."""

from __future__ import annotations

import json

import pytest

from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import OPENING, START, chunk, event
from ..support.in_memory.transport import Answer, Transport, client
from ..support.telemetry import Telemetry

STOP = f"event: message_stop_2\ndata: {json.dumps({'type': 'message_stop'})}\n\n".encode()


@pytest.mark.parametrize("later", [(), (chunk("more"),), (chunk("more"), chunk("and more"))])
def test_an_end_event_of_an_odd_name_completes_a_call_if_the_sdk_hands_it_out(
    later: tuple[bytes, ...], telemetry: Telemetry
) -> None:
    pieces = [
        piece if isinstance(piece, bytes) else event(piece) for piece in (START, OPENING, chunk("word"), STOP, *later)
    ]
    sdk = client("Anthropic", Transport(Answer(tuple(pieces)), []), asynchronous=False)
    with telemetry.instrumented():
        types = [found.type for found in sdk.messages.create(stream=True, **REQUEST)]
    expected = "completed" if "message_stop" in types else "truncated"
    assert [expected] == [call.outcome for call in telemetry.calls]
