# SPDX-License-Identifier: Apache-2.0
"""`suppress_instrumentation()`: what is called in it is not recorded, what was called before it is."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.instrumentation.utils import suppress_http_instrumentation, suppress_instrumentation

from after200.faults import FaultServer

from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options, read, shown, sync_client

CREATE = "messages.create(stream=True)"
OVERLOADED = "overloaded_error_mid_stream"


def nothing(telemetry: Telemetry) -> bool:
    return not (telemetry.spans or telemetry.open_spans or telemetry.all_points() or telemetry.log_records())


def drain(stream: Any) -> None:
    for _ in stream:
        pass


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("way", [CREATE, "messages.with_streaming_response.iter_lines", "messages.create"])
def test_what_is_called_while_suppressed_is_not_recorded(
    server: FaultServer, telemetry: Telemetry, way: str, twin: Twin
) -> None:
    bare = shown(read(way, twin, client_options(server, OVERLOADED)))
    with telemetry.instrumented():
        with suppress_instrumentation():
            suppressed = shown(read(way, twin, client_options(server, OVERLOADED)))
        assert nothing(telemetry)
        recorded = shown(read(way, twin, client_options(server, OVERLOADED)))
    assert (bare, bare) == (suppressed, recorded)
    assert 1 == len(telemetry.spans) == telemetry.total("after200.calls")


def test_corrected_exceptions_are_suppressed_too(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(correct_exceptions=True), suppress_instrumentation():
        seen = read(CREATE, "sync", client_options(server, OVERLOADED))
    assert 200 == getattr(seen.exception, "status_code", None)


def test_a_call_made_before_is_recorded_to_its_end(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), sync_client(client_options(server, "completed")) as client:
        stream = client.messages.create(stream=True, **REQUEST)
        with suppress_instrumentation():
            drain(stream)
    assert ["completed"] == [(span.attributes or {})["after200.outcome"] for span in telemetry.spans]
    assert 1 == telemetry.total("after200.calls")


def test_a_stream_that_was_asked_for_while_suppressed_stays_unrecorded_after(
    server: FaultServer, telemetry: Telemetry
) -> None:
    with telemetry.instrumented(), sync_client(client_options(server, "completed")) as client:
        with suppress_instrumentation():
            stream = client.messages.create(stream=True, **REQUEST)
        drain(stream)
    assert nothing(telemetry)


def test_a_suppressed_http_client_is_none_of_ours(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), suppress_http_instrumentation():
        read(CREATE, "sync", client_options(server, "completed"))
    assert 1 == len(telemetry.spans)
