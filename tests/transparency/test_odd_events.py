# SPDX-License-Identifier: Apache-2.0
"""An event of a name that some versions of the SDK do not know counts only where this version hands it out."""

from __future__ import annotations

import pytest

from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import OPENING, START, STOP, Json, chunk, event
from ..support.in_memory.transport import Answer, Transport, client
from ..support.telemetry import Telemetry

OTHER_NAME = {"message_stop": "message_stop_2"}


@pytest.mark.parametrize("later", [(), (chunk("more"),), (chunk("more"), chunk("and more"))])
def test_an_end_event_of_an_odd_name_completes_a_call_if_the_sdk_hands_it_out(
    later: tuple[Json, ...], telemetry: Telemetry
) -> None:
    payloads = (START, OPENING, chunk("word"), STOP, *later)
    pieces = tuple(event(payload, OTHER_NAME.get(payload["type"])) for payload in payloads)
    sdk = client("Anthropic", Transport(Answer(pieces), []), asynchronous=False)
    with telemetry.instrumented():
        types = [found.type for found in sdk.messages.create(stream=True, **REQUEST)]
    expected = "completed" if "message_stop" in types else "truncated"
    assert [expected] == [call.outcome for call in telemetry.calls]
